"""Brings the example DAG files of Airflow's wheels to this machine; they are never part of the repository."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import pytest

from orchestrator.sdk.bundles.locking import exclusive

WHEELS = {
    "apache-airflow-core==3.3.2": "airflow/example_dags/",
    "apache-airflow-providers-standard==1.21.0": "airflow/providers/standard/example_dags/",
}


def example_folder() -> Path:
    """Return a folder that holds ``airflow/example_dags`` and the standard provider's examples; fails where pip gets nothing."""
    folder = Path(os.environ.get("AIRFLOW_EXAMPLES") or Path(tempfile.gettempdir()) / f"airflow-3.3.2-examples-{os.getuid()}")
    if not (folder / "complete").exists():
        with exclusive(folder / "lock", 300):  # the workers of xdist come here together
            if not (folder / "complete").exists():
                for requirement, inside in WHEELS.items():
                    _unpack(_download(requirement, folder), inside, folder)
                (folder / "complete").touch()
    return folder


def copy_examples(names: list[str], dags: Path) -> None:
    """Put some of Airflow's own example files, unmodified, into a DAGs folder; ``names`` are below ``airflow/example_dags``."""
    for name in names:
        target = dags / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(example_folder() / "airflow/example_dags" / name, target)


def _download(requirement: str, folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:", "-d", str(folder), requirement]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.fail(
            f"pip cannot get {requirement}: {done.stderr.strip()[-200:]}. Let pip reach PyPI, or name the folder of the files in AIRFLOW_EXAMPLES."
        )
    name = requirement.partition("==")[0].replace("-", "_")
    return next(folder.glob(f"{name}-*.whl"))


def _unpack(wheel: Path, inside: str, folder: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if name.startswith(inside):
                archive.extract(name, folder)
