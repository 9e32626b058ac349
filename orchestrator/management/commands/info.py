"""Decides the command ``manage.py info``: what is installed here and where it keeps its things, for reports of errors."""

import locale
import os
import platform
import re
import shutil
import subprocess
import sys
from typing import Any

from django.core.management.base import CommandError, CommandParser

from orchestrator.config import conf
from orchestrator.management.command import AirflowCommand
from orchestrator.management.local_arguments import add_output
from orchestrator.sdk.bundles.configured import configured_bundles
from orchestrator.version import AIRFLOW_VERSION, VERSION

TOOLS = {
    "git": "--version",
    "ssh": "-V",
    "kubectl": "version",
    "gcloud": "version",
    "cloud_sql_proxy": "--version",
    "mysql": "--version",
    "sqlite3": "--version",
    "psql": "--version",
}


class Command(AirflowCommand):
    """With Airflow's groups of facts."""

    help = "Show what is installed and configured here."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--anonymize", action="store_true", help="hide the user's name and the home folder")
        parser.add_argument("--file-io", action="store_true", help="refused: nothing is sent to other services")
        add_output(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        from orchestrator.sdk.testing.table import render

        if options["file_io"]:
            raise CommandError("--file-io is not supported: nothing is sent to other services. Use -o json > info.json instead.")
        groups = {"apache_airflow": _platform(), "system_info": _system(), "tools_info": _tools(), "paths_info": _paths()}
        groups["providers_info"] = _providers()
        hide = _anonymous if options["anonymize"] else str
        shown = {name: {key: hide(value) for key, value in facts.items()} for name, facts in groups.items()}
        if options["output"] in ("json", "yaml"):
            self.stdout.write(render([{name: facts} for name, facts in shown.items()], options["output"]))
            return
        for name, facts in shown.items():
            self.stdout.write(f"\n{name.replace('_', ' ').capitalize()}")
            self.stdout.write(render([{"name": key, "value": value} for key, value in facts.items()], options["output"]))


def _platform() -> dict[str, str]:
    return {
        "version": f"{AIRFLOW_VERSION} (orchestrator {VERSION})",
        "executor": str(conf.get("core", "executor")),
        "sql_alchemy_conn": re.sub(r"(://[^:/@]+):[^@]+@", r"\1:***@", str(conf.get("database", "sql_alchemy_conn"))),
        "dag_bundle_names": ", ".join(bundle.name for bundle in configured_bundles()),
        "dags_folder": str(conf.get("core", "dags_folder")),
        "plugins_folder": str(conf.get("core", "plugins_folder")),
        "base_log_folder": str(conf.get("logging", "base_log_folder")),
        "remote_base_log_folder": str(conf.get("logging", "remote_base_log_folder")),
    }


def _system() -> dict[str, str]:
    return {
        "OS": platform.system(),
        "architecture": platform.machine(),
        "uname": " ".join(platform.uname()),
        "locale": str(locale.getlocale()),
        "python_version": sys.version.replace("\n", " "),
        "python_location": sys.executable,
    }


def _tools() -> dict[str, str]:
    return {name: _version(name, flag) for name, flag in TOOLS.items()}


def _version(name: str, flag: str) -> str:
    if shutil.which(name) is None:
        return "NOT AVAILABLE"
    try:
        done = subprocess.run([name, flag], capture_output=True, text=True, timeout=5, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return "NOT AVAILABLE"
    return ((done.stdout or done.stderr).strip().splitlines() or [""])[0]


def _paths() -> dict[str, str]:
    return {
        "airflow_home": str(conf.home),
        "system_path": os.environ.get("PATH", ""),
        "python_path": os.pathsep.join(sys.path),
        "airflow_on_path": str(shutil.which("af") is not None),
    }


def _providers() -> dict[str, str]:
    from dags_app.providers import installed_providers

    return {str(row["package_name"]): str(row["version"]) for row in installed_providers()}


def _anonymous(value: str) -> str:
    user, home = os.environ.get("USER") or os.environ.get("LOGNAME") or "", os.path.expanduser("~")
    text = value.replace(home, "${HOME}") if len(home) > 1 else value
    text = text.replace(platform.node(), "***") if platform.node() else text
    return re.sub(rf"\b{re.escape(user)}\b", "${USER}", text) if user else text
