"""Decides how a virtual environment for a task is made and kept, and the script that calls the function in it."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path

from orchestrator.sdk.exceptions import AirflowException

_SCRIPT = """\
import sys
import traceback
import {serializer} as serializer

with open(sys.argv[1], "rb") as file:
    arguments = serializer.load(file)
with open(sys.argv[3]) as file:
    virtualenv_string_args = [line.rstrip("\\n") for line in file]

{source}

try:
    result = {name}(*arguments["args"], **arguments["kwargs"])
except SystemExit:
    raise
except BaseException:
    with open(sys.argv[4], "w") as file:
        file.write(traceback.format_exc())
    raise
with open(sys.argv[2], "wb") as file:
    if result is not None:
        serializer.dump(result, file)
"""


@dataclass
class VenvPlan:
    """What goes into an environment."""

    python: str | None
    requirements: list[str]
    system_site_packages: bool
    pip_options: list[str] = field(default_factory=list)
    index_urls: list[str] | None = None
    cache_key: str = ""

    def fingerprint(self) -> str:
        """Return 12 hex digits that are equal for equal plans."""
        facts = {**asdict(self), "version": sys.version_info[:2]}
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:12]


def script(source: str, name: str, serializer: str) -> str:
    """Return the text of the script; its arguments are the paths of input, output, string arguments and error."""
    return _SCRIPT.format(source=source, name=name, serializer=serializer)


def make(plan: VenvPlan, folder: Path) -> None:
    """Make the environment in ``folder``; raises ``AirflowException`` with the output of what failed."""
    python = _interpreter(plan.python)
    site = ["--system-site-packages"] if plan.system_site_packages else []
    _run([python, "-m", "venv", *site, str(folder)], "make the virtual environment")
    if not plan.requirements:
        return
    file = folder / "requirements.txt"
    file.write_text("\n".join(plan.requirements))
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--disable-pip-version-check"]
    what = (
        f"install {', '.join(line.strip() for text in plan.requirements for line in text.splitlines())} from {_index_name(plan)}"
    )
    _run([*pip, *_index_options(plan), *plan.pip_options, "-r", str(file)], what, _OFFLINE)


_OFFLINE = (
    "If this machine cannot reach the index: name one that it reaches in index_urls, give "
    'pip_install_options=["--no-index", "--find-links", <folder with wheels>], or use ExternalPythonOperator with an environment '
    "that is there. With venv_cache_path an environment that was made once needs no index any more."
)


def _index_options(plan: VenvPlan) -> list[str]:
    if plan.index_urls is None:
        return []
    if not plan.index_urls:
        return ["--no-index"]
    first, *others = plan.index_urls
    return ["--index-url", first, *(part for url in others for part in ("--extra-index-url", url))]


def _index_name(plan: VenvPlan) -> str:
    """Return what to call the index in an error: its addresses without user and password."""
    if plan.index_urls is None:
        return os.environ.get("PIP_INDEX_URL") or "the index that pip is configured for (https://pypi.org/simple by default)"
    return ", ".join(re.sub(r"//[^/@]*@", "//", url) for url in plan.index_urls) or "no index (index_urls is empty)"


def package_names(requirements: list[str]) -> set[str]:
    """Return the names of the packages in the lines of requirements files, in lower case with dashes."""
    lines = (line.strip() for text in requirements for line in text.splitlines())
    found = (re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*", line) for line in lines)
    return {re.sub(r"[-_.]+", "-", name[0]).lower() for name in found if name}


def can_import(python: str, module: str) -> bool:
    """Return whether an interpreter has a module; it is looked for, not imported. False where the interpreter does not run."""
    look = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({module!r}) is None)"
    try:
        return subprocess.run([python, "-c", look], check=False, capture_output=True).returncode == 0
    except OSError:
        return False


def cached(plan: VenvPlan, cache: Path) -> Path:
    """Return the kept environment of a plan; makes it under a lock if it is not there or not complete."""
    cache.mkdir(parents=True, exist_ok=True)
    folder = cache / f"venv-{plan.fingerprint()}"
    with open(f"{folder}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        marker = folder / "complete"
        if not marker.exists():
            shutil.rmtree(folder, ignore_errors=True)
            make(plan, folder)
            marker.touch()
    return folder


def _interpreter(version: str | None) -> str:
    if not version or version == f"{sys.version_info.major}.{sys.version_info.minor}":
        return sys.executable
    name = version if os.sep in version else f"python{version}"
    found = shutil.which(name)
    if found is None:
        raise AirflowException(f"There is no interpreter {name} on this machine; install it or change python_version")
    return found


def _run(command: list[str], what: str, advice: str = "") -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        text = f"Could not {what}. Exit code {done.returncode}:\n{done.stdout}{done.stderr}".strip()
        raise AirflowException(f"{text}\n{advice}".strip())
