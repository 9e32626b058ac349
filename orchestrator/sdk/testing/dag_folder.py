"""Decides how all DAG files of a folder are loaded for tests, one after the other, and which of them fail."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from orchestrator.sdk.parsing.ignore import FILE_NAME, IgnoreRules

_PRUNED = ("__pycache__", ".git", ".venv", "node_modules")


@dataclass
class DagFolder:
    """The DAGs of a folder or file by id, and the errors of files by path.

    ``twice`` holds the files of DAG ids that more than one file defines; the first file's DAG counts.
    """

    path: Path
    dags: dict[str, Any] = field(default_factory=dict)
    import_errors: dict[str, str] = field(default_factory=dict)
    twice: dict[str, list[str]] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)  # DAG id → file

    def __getitem__(self, dag_id: str) -> Any:
        """Return a DAG; raises ``KeyError`` that names the DAGs there are and the files that failed."""
        if dag_id not in self.dags:
            failed = f" These files cannot be imported: {', '.join(self.import_errors)}." if self.import_errors else ""
            there = ", ".join(sorted(self.dags)) or "no DAGs"
            raise KeyError(f"{self.path} has no DAG {dag_id!r}; it has {there}.{failed}")
        return self.dags[dag_id]

    def __iter__(self) -> Iterator[str]:
        return iter(self.dags)

    def __len__(self) -> int:
        return len(self.dags)


def load_folder(path: str | Path) -> DagFolder:
    """Load a folder of DAG files, or one file; what cannot be imported is kept as an error. Raises ``FileNotFoundError``."""
    from orchestrator.sdk.definitions.contexts import reset
    from orchestrator.sdk.execution.host.loading import LoadError, load_dags, prepare_import_paths

    root = Path(path).resolve()
    if not root.exists():
        raise FileNotFoundError(f"{root} does not exist; give the folder that holds the DAG files, or one of them.")
    folder = DagFolder(root)
    prepare_import_paths([str(root if root.is_dir() else root.parent)])
    for file in dag_files(root):
        reset()  # a file that is loaded again must not give the DAGs of the first time
        try:
            found = load_dags(str(file))
        except LoadError as error:
            folder.import_errors[str(file)] = str(error)
            continue
        for dag_id, dag in found.items():
            if dag_id in folder.dags:
                folder.twice.setdefault(dag_id, [folder.files[dag_id]]).append(str(file))
            else:
                folder.dags[dag_id], folder.files[dag_id] = dag, str(file)
    return folder


def dag_files(root: Path, *, safe_mode: bool = True) -> Iterator[Path]:
    """Yield the Python files that may define DAGs, in order: ``.airflowignore`` counts, and Airflow's safe mode."""
    if root.is_file():
        yield root
        return
    from orchestrator.sdk.configuration import conf

    yield from _walk(root, IgnoreRules(conf.get("core", "dag_ignore_file_syntax", fallback="glob")), safe_mode)


def _walk(folder: Path, rules: IgnoreRules, safe_mode: bool) -> Iterator[Path]:
    ignore = folder / FILE_NAME
    if ignore.is_file():
        rules = rules.inside(str(folder), ignore.read_text(encoding="utf-8", errors="replace"))
    for path in sorted(folder.iterdir()):
        is_folder = path.is_dir()
        if path.name in _PRUNED or rules.ignores(str(path), is_folder):
            continue
        if is_folder:
            yield from _walk(path, rules, safe_mode)
        elif path.suffix == ".py" and (not safe_mode or _mentions_dags(path)):
            yield path


def _mentions_dags(file: Path) -> bool:
    try:
        text = file.read_bytes().lower()
    except OSError:
        return False
    return (b"dag" in text or b"asset" in text) and b"airflow" in text
