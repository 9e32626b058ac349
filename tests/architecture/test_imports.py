"""The import rules of the architecture."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.source import PACKAGES, REPOSITORY, imports, imports_below, module_name, modules

APPS = tuple(package for package in PACKAGES if package != "orchestrator")
DJANGO = ("django", "rest_framework", "orchestrator.settings", "orchestrator.database", "orchestrator.urls")
PURE = (
    "orchestrator/kernel",
    "orchestrator/config",
    "runs/states.py",
    "runs/causes.py",
    "runs/dependencies.py",
    "runs/run_graph.py",
    "runs/run_ledger.py",
)


def test_the_authors_half_never_imports_django_or_an_app() -> None:
    assert imports_below(("orchestrator/sdk",), (*DJANGO, *APPS)) == []


def test_the_kernel_the_options_and_the_decisions_are_pure() -> None:
    assert imports_below(PURE, DJANGO) == []


def test_the_kernel_knows_no_app() -> None:
    assert imports_below(("orchestrator/kernel", "orchestrator/config"), APPS) == []


def test_states_import_nothing_of_ours() -> None:
    assert imports_below(("runs/states.py", "runs/causes.py"), PACKAGES) == []


def test_what_may_run_never_imports_what_runs() -> None:
    assert imports_below(("dags_app",), ("runs",)) == []


def test_nobody_imports_the_door_for_workers() -> None:
    assert imports_below(PACKAGES, ("executionapi",), allowed=("executionapi",)) == []


def test_the_servers_half_never_imports_the_execution_side_of_the_authors_half() -> None:
    assert imports_below(APPS, ("orchestrator.sdk.execution.task_runner", "orchestrator.sdk.execution.dag_host")) == []


def test_models_import_no_services_and_services_no_interfaces() -> None:
    """Never left: models → transitions, selectors → services, duties → interfaces."""
    found = []
    for path, tree in modules().items():
        parts = path.split("/")
        if parts[0] not in APPS:
            continue
        layer = "models" if "models" in parts else "services" if parts[-1] in ("services.py", "selectors.py") else ""
        right = {"models": (".services", ".api", ".views", ".admin"), "services": (".api.", ".views", ".admin", ".urls"), "": ()}[
            layer
        ]
        found += [
            f"{path}:{line} imports {name}"
            for name, line in imports(path, tree)
            if name.split(".")[0] in APPS and any(part in f"{name}." for part in right)
        ]
    assert found == []


@pytest.mark.parametrize("module", ["orchestrator.sdk", "orchestrator.kernel.service", "orchestrator.config"])
def test_a_fresh_process_that_imports_it_has_no_django(module: str) -> None:
    code = f"import sys, {module}; sys.exit('django' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, check=False).returncode == 0


def test_every_module_is_imported_under_one_name() -> None:
    assert len({module_name(path) for path in modules()}) == len(modules())


def test_a_server_on_sqlite_holds_nothing_that_it_does_not_use(tmp_path: Path) -> None:
    """Idle memory is a target of the platform: each of these takes 3 to 15 MB of every process."""
    code = """
import sys, importlib, django
django.setup()
from orchestrator.standalone.platform import SHARED_MODULES
for name in SHARED_MODULES:
    importlib.import_module(name)
unwanted = ("psycopg", "urllib3", "requests", "pygments", "yaml", "celery", "jinja2", "jsonschema")
print(*(name for name in unwanted if name in sys.modules))
"""
    env = {"AIRFLOW_HOME": str(tmp_path), "DJANGO_SETTINGS_MODULE": "orchestrator.settings", "PATH": os.environ["PATH"]}
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, env=env, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
