"""Decides where Airflow's tutorial DAGs come from: the released wheel, fetched once into the user's cache, never kept here."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

from orchestrator.sdk.bundles.locking import exclusive

WHEEL = "apache-airflow-core==3.3.2"
FOLDER = "airflow/example_dags/"
UNREACHABLE = "The wheel {wheel} could not be fetched. This test needs a package index that pip can reach:\n{output}"


def fetch_wheel() -> Path:
    """Return the wheel's file. Raises RuntimeError with pip's words where it cannot be had."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "orchestrator-tests"
    with exclusive(cache / "lock", 300):  # another test process may be at it: it has the file when it is whole
        return _fetched(cache)


def _fetched(cache: Path) -> Path:
    if found := list(cache.glob("apache_airflow_core-3.3.2-*.whl")):
        return found[0]
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:", "-d", str(cache), WHEEL]
    done = subprocess.run(pip, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode:
        raise RuntimeError(UNREACHABLE.format(wheel=WHEEL, output=done.stderr[-2000:]))
    return next(cache.glob("apache_airflow_core-3.3.2-*.whl"))


def unpack(names: list[str], folder: Path) -> None:
    """Put example files of the wheel, unmodified, into a DAGs folder."""
    with zipfile.ZipFile(fetch_wheel()) as wheel:
        for name in names:
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(wheel.read(FOLDER + name))
