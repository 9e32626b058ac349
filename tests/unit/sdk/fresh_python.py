"""Runs a piece of Python in a new interpreter and returns what it prints as JSON."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]

DUMP = """
import importlib.util, json, sys
from orchestrator.sdk import airflow_names
airflow_names.install()
from orchestrator.sdk.definitions.collect import collect_dags
from orchestrator.sdk.definitions.contexts import DagContext
from orchestrator.sdk.serialization.encode import encode_dag
from orchestrator.sdk.serialization.spec import to_json
spec = importlib.util.spec_from_file_location("dag_file", {path!r})
module = sys.modules["dag_file"] = importlib.util.module_from_spec(spec)
DagContext.current_autoregister_module_name = "dag_file"
spec.loader.exec_module(module)
print(json.dumps([to_json(encode_dag(dag)) for dag in collect_dags(module)]))
"""


def run_python(code: str, *, hash_seed: str = "0", env: dict[str, str] | None = None) -> Any:
    """Return the JSON that ``code`` prints on its last line."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": hash_seed, **(env or {})}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.strip().splitlines()[-1])


def parse_file(path: Path, *, hash_seed: str = "0") -> list[dict[str, Any]]:
    """Return the documents of the DAGs in a file, as a parse child makes them."""
    env = {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'plugins'}"}  # the plugins folder is where modules are found
    return run_python(DUMP.format(path=str(path)), hash_seed=hash_seed, env=env)
