"""Decides what ``DagBag`` gives to tests of DAG files: the DAGs of a folder and what cannot be imported."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from orchestrator.sdk.definitions.sentinels import NOTSET, is_arg_set


class DagBag:
    """The DAGs of a folder or file. ``dags`` has them by id, ``import_errors`` has the text of each error by file."""

    def __init__(
        self,
        dag_folder: str | Path | None = None,
        include_examples: Any = NOTSET,
        safe_mode: Any = NOTSET,
        load_op_links: bool = True,
        collect_dags: bool = True,
        known_pools: set[str] | None = None,
        bundle_path: Path | None = None,
        bundle_name: str | None = None,
        **_: Any,
    ) -> None:
        from orchestrator.sdk import airflow_names

        airflow_names.install()
        self.dag_folder = str(dag_folder or _dags_folder())
        self.bundle_path, self.bundle_name = bundle_path, bundle_name
        self.dags: dict[str, Any] = {}
        self.import_errors: dict[str, str] = {}
        self.file_last_changed: dict[str, datetime] = {}
        self.captured_warnings: dict[str, tuple[str, ...]] = {}
        self.known_pools, self.load_op_links = known_pools, load_op_links
        if collect_dags:
            self.collect_dags(self.dag_folder, safe_mode=safe_mode)

    def collect_dags(self, dag_folder: str | Path | None = None, only_if_updated: bool = True, safe_mode: Any = NOTSET) -> None:
        """Load all DAG files of the folder; a folder that does not exist has none."""
        root = Path(dag_folder or self.dag_folder)
        for file in list_py_file_paths(root, bool(safe_mode) if is_arg_set(safe_mode) else True) if root.exists() else ():
            self.process_file(file, only_if_updated)

    def process_file(self, filepath: str | Path, only_if_updated: bool = True, safe_mode: bool = True) -> list[Any]:
        """Load one file and return its DAGs; with ``only_if_updated``, none where it is as it was."""
        path = str(filepath)
        changed = datetime.fromtimestamp(Path(path).stat().st_mtime, UTC) if Path(path).is_file() else None
        if changed is None or (only_if_updated and self.file_last_changed.get(path) == changed):
            return []
        self.file_last_changed[path] = changed
        self.import_errors.pop(path, None)
        return self._load(path)

    def _load(self, path: str) -> list[Any]:
        from orchestrator.sdk.serialization.encode import encode_dag
        from orchestrator.sdk.testing.dag_folder import load_folder

        folder = load_folder(path)
        self.import_errors.update(
            dict.fromkeys([path], next(iter(folder.import_errors.values()))) if folder.import_errors else {}
        )
        found = []
        for dag in folder.dags.values():
            try:
                encode_dag(dag)
                self.bag_dag(dag)
            except Exception as error:
                self.import_errors[path] = f"{type(error).__name__}: {error}"
            else:
                found.append(dag)
        return found

    def bag_dag(self, dag: Any) -> None:
        """Take in a DAG; raises what its checks raise, and ``AirflowDagDuplicatedIdException`` for an id of another file."""
        from orchestrator.sdk.exceptions import AirflowDagDuplicatedIdException

        dag.validate()
        other = self.dags.get(dag.dag_id)
        if other is not None and other.fileloc != dag.fileloc:
            raise AirflowDagDuplicatedIdException(dag.dag_id, dag.fileloc, other.fileloc)
        self.dags[dag.dag_id] = dag

    def get_dag(self, dag_id: str, session: Any = None) -> Any:
        """Return a DAG, None if there is none of that id."""
        return self.dags.get(dag_id)

    def size(self) -> int:
        """Return the number of DAGs."""
        return len(self.dags)

    @property
    def dag_ids(self) -> list[str]:
        """Return the ids of the DAGs."""
        return list(self.dags)


def list_py_file_paths(directory: str | Path | None, safe_mode: bool = True, include_examples: bool | None = None) -> list[str]:
    """Return the Python files of a folder that may define DAGs; without ``safe_mode``, all that are not ignored."""
    from orchestrator.sdk.testing.dag_folder import dag_files

    return [str(file) for file in dag_files(Path(directory), safe_mode=safe_mode)] if directory else []


def _dags_folder() -> str:
    from orchestrator.sdk.name_tables import settings

    return str(settings.DAGS_FOLDER)
