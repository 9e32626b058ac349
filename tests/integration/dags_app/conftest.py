"""Decides how tests drive a DAG processor over a folder of their own, with real parse processes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dags_app.models import Bundle, Dag, ParsedFile, ParseImportError
from dags_app.processor.bundles import BundleSource
from dags_app.processor.parse_client import ParseClient
from dags_app.processor.processor import Processor, Settings
from dags_app.processor.service import run_passes

HEAD = "from orchestrator.sdk.definitions.dag import DAG\nfrom orchestrator.sdk.definitions.operator import BaseOperator\n"


class Folder:
    """A DAGs folder with its processor."""

    def __init__(self, path: Path, client: ParseClient, **settings: object) -> None:
        self.path = path
        self.client = client
        self.settings = Settings.from_configuration()
        self.settings.log_folder = path.parent / "logs"
        for name, value in settings.items():
            setattr(self.settings, name, value)
        self.restart()

    def restart(self) -> None:
        """Begin anew with nothing but the database, as after a restart of the DAG processor."""
        bundle, _ = Bundle.objects.get_or_create(name="dags-folder", defaults={"path": str(self.path)})
        self.processor = Processor([(BundleSource("dags-folder", self.path), bundle)], self.settings, self.client)

    def write(self, name: str, text: str, head: str = HEAD) -> Path:
        """Save a file."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(head + text)
        return path

    def dag(self, name: str, dag_id: str, arguments: str = "") -> Path:
        """Save a file that defines one DAG with one task."""
        return self.write(name, f"with DAG({dag_id!r}, schedule=None, {arguments}):\n    BaseOperator(task_id='t')\n")

    def parse(self) -> None:
        """Look once and parse all that changed."""
        run_passes(self.processor, 1)

    def error(self, name: str) -> str:
        """Return the import error of a file, empty where it has none."""
        row = ParseImportError.objects.filter(filename=name).first()
        return row.stacktrace if row else ""

    def file(self, name: str) -> ParsedFile:
        """Return the row of a parsed file."""
        return ParsedFile.objects.get(relative_fileloc=name)

    def state(self, dag_id: str) -> tuple[str, bool, int]:
        """Return file, staleness and version number of a DAG."""
        dag = Dag.objects.select_related("latest_version").get(pk=dag_id)
        return dag.relative_fileloc, dag.is_stale, dag.latest_version.version_number


@pytest.fixture(scope="module")
def client() -> Iterator[ParseClient]:
    """Give one zygote to all tests of a module."""
    made = ParseClient()
    yield made
    made.close()


@pytest.fixture
def folder(tmp_path: Path, client: ParseClient, db: None) -> Folder:
    """Give an empty DAGs folder."""
    path = tmp_path / "dags"
    path.mkdir()
    return Folder(path, client)


@pytest.fixture
def noon() -> datetime:
    """Give a moment."""
    return datetime(2026, 1, 5, 12, tzinfo=UTC)
