"""A setup and its teardown around the work: clear the work and both come along; the teardown runs even where the work fails."""

import tempfile
from datetime import datetime
from pathlib import Path

from airflow.sdk import dag, setup, task, teardown


@dag(start_date=datetime(2024, 1, 1), schedule=None, params={"fail": False}, tags=["example"], doc_md=__doc__)
def example_setup_teardown() -> None:
    """Count lines in a scratch directory that exists only as long as it is needed."""

    @setup
    def make_directory() -> str:
        return tempfile.mkdtemp(prefix="example_")

    @task
    def write(directory: str) -> int:
        return Path(directory, "lines.txt").write_text("one\ntwo\n")

    @task
    def count(directory: str, params: dict | None = None) -> int:
        if (params or {}).get("fail"):
            raise ValueError("the run was asked to fail here")
        return len(Path(directory, "lines.txt").read_text().splitlines())

    # A teardown's failure fails the run only so.
    @teardown(on_failure_fail_dagrun=True)
    def remove_directory(directory: str) -> None:
        for path in Path(directory).iterdir():
            path.unlink()
        Path(directory).rmdir()

    @task
    def publish(lines: int) -> int:
        print(f"{lines} lines")
        return lines

    directory = make_directory()
    with remove_directory(directory):
        lines = count(directory)
        write(directory) >> lines
    publish(lines)


example_setup_teardown()
