"""Decides where the commands find a DAG: in a named file, in a named bundle, or in any configured folder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from orchestrator.sdk.testing.dag_folder import DagFolder, dag_files, load_folder


class DagNotFoundError(LookupError):
    """No file defines the DAG; the text says where it was looked for."""


def find_dag(dag_id: str, *, folders: Sequence[Path], file: str | None = None) -> Any:
    """Return the DAG. Files that contain its id are imported first, the others only if it is not among them.

    Raises ``DagNotFoundError``, with the import errors of the files that contain the id.
    """
    if file is not None:
        folder = load_folder(file)
        if dag_id in folder.dags:
            return folder.dags[dag_id]
        raise DagNotFoundError(
            f"{file} defines no DAG {dag_id!r}; it defines {', '.join(folder.dags) or 'none'}.{_errors(folder)}"
        )
    errors = ""
    for path in _likely_first(dag_id, folders):
        folder = load_folder(path)
        if dag_id in folder.dags:
            return folder.dags[dag_id]
        errors += _errors(folder)
    where = ", ".join(map(str, folders)) or "no folder"
    raise DagNotFoundError(f"Dag {dag_id!r} could not be found in {where}.{errors}")


def _likely_first(dag_id: str, folders: Sequence[Path]) -> Iterator[Path]:
    from orchestrator.sdk.execution.host.loading import prepare_import_paths

    prepare_import_paths([str(folder) for folder in folders])
    files = [file for folder in folders if folder.is_dir() for file in dag_files(folder)]
    wanted = dag_id.encode()
    likely = [file for file in files if wanted in file.read_bytes()]
    yield from likely
    yield from (file for file in files if file not in likely)


def _errors(folder: DagFolder) -> str:
    return "".join(f"\n{error}" for error in folder.import_errors.values())
