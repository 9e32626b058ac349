"""Decides how a Python environment learns where this platform is: two lines in a ``.pth`` file of its site-packages.

``python -m orchestrator.sdk.testing.link`` in the checkout links the environment of that Python; ``make`` does it for
``.venv``. After that ``import airflow.sdk`` works everywhere in the environment, and a start of Python costs nothing more.
"""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path

FILE_NAME = "orchestrator.pth"


def link(site_packages: Path | None = None) -> Path:
    """Write the file and return it; repeating it changes nothing.

    Raises ``RuntimeError`` where Airflow itself is installed: one environment cannot have both.
    """
    folder = site_packages or Path(sysconfig.get_paths()["purelib"])
    if (folder / "airflow" / "__init__.py").exists():
        raise RuntimeError(f"{folder} has Airflow itself; its `import airflow` goes first. Use an environment without it.")
    root = Path(__file__).resolve().parents[3]
    lines = f"{root}\n{root / 'orchestrator' / 'sdk' / 'airflow_shim'}\n"
    file = folder / FILE_NAME
    if not file.exists() or file.read_text(encoding="utf-8") != lines:
        file.write_text(lines, encoding="utf-8")
    return file


if __name__ == "__main__":
    try:
        sys.stdout.write(f"{link()}\n")
    except (RuntimeError, OSError) as error:
        sys.exit(f"This Python cannot be linked: {error}")
