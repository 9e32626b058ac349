"""A sensor that gives its slot back between its looks, and a task that cleans up whatever has happened."""

import os
import tempfile
from datetime import datetime
from pathlib import Path

from airflow.sdk import DAG, PokeReturnValue, task

FOLDER = Path(tempfile.gettempdir()) / f"example_wait_{os.getuid()}"

with DAG("example_wait", schedule=None, start_date=datetime(2024, 1, 1), tags=["example"], doc_md=__doc__):

    @task
    def write(run_id: str | None = None) -> str:
        """Write a file that the sensor finds."""
        FOLDER.mkdir(exist_ok=True)
        path = FOLDER / f"{str(run_id).replace('/', '_')}.txt"
        path.write_text("ready")
        return str(path)

    @task.sensor(poke_interval=5, timeout=300, mode="reschedule")
    def wait(path: str) -> PokeReturnValue:
        """Wait until the file is there; its text is the value for the next task."""
        found = Path(path).exists()
        return PokeReturnValue(is_done=found, xcom_value=Path(path).read_text() if found else None)

    @task(trigger_rule="all_done")
    def remove(path: str) -> None:
        """Remove the file."""
        Path(path).unlink(missing_ok=True)

    path = write()
    wait(path) >> remove(path)
