"""Decides what is wrong with a folder of DAG files: every finding with its file, its kind and what to do."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from orchestrator.sdk.testing.dag_folder import dag_files

ROOT = Path(__file__).resolve().parents[2]
KINDS = (
    "import-error",
    "cycle",
    "duplicate-id",
    "unknown-pool",
    "unknown-queue",
    "unknown-connection",
    "top-level-io",
    "unstable",
)
# What differs between two parses of a file that says nothing about its DAGs.
_PLACES = ("fileloc", "relative_fileloc")


@dataclass(frozen=True)
class Finding:
    """One thing to mend. ``line`` is 0 where none is known; ``dag_id`` is empty for a whole file."""

    kind: str
    file: str
    line: int
    dag_id: str
    message: str

    def as_dict(self) -> dict[str, Any]:
        """Return the parts by name."""
        return asdict(self)


@dataclass(frozen=True)
class Known:
    """What exists where the DAGs will run; None: nobody knows, so it is not checked."""

    pools: Collection[str] | None = None
    queues: Collection[str] | None = None
    connections: Collection[str] | None = None


def check(path: str | Path, known: Known) -> tuple[list[Finding], dict[str, int]]:
    """Check a folder of DAG files or one file; returns the findings and how many files and DAGs were looked at.

    Every file is imported twice, in two fresh processes with different hash seeds. Raises ``FileNotFoundError``.
    """
    root = Path(path).resolve()
    if not root.exists():
        raise FileNotFoundError(f"{root} does not exist; name a folder of DAG files or one of them.")
    files = [str(file) for file in dag_files(root)]
    folder = str(root if root.is_dir() else root.parent)
    first, second = _parse_all(folder, files)
    findings: list[Finding] = []
    for file in files:
        findings += _of_file(file, first[file], second[file], known)
    findings += _of_ids(first)
    return findings, {"files": len(files), "dags": sum(len(report["dags"]) for report in first.values())}


def _of_file(file: str, first: dict[str, Any], second: dict[str, Any], known: Known) -> Iterator[Finding]:
    if first["error"]:
        kind = "cycle" if "AirflowDagCycleException" in first["error"] or "cycle" in first["error"].lower() else "import-error"
        yield Finding(kind, file, 0, "", first["error"].strip())
    for item in {json.dumps(item): item for item in first["io"]}.values():
        text = f"the file does {item['what']} ({item['target']}) while it is imported; do that inside of a task"
        yield Finding("top-level-io", file, item["line"], "", text)
    yield from _unstable(file, first, second)
    for dag in first["dags"]:
        yield from _of_dag(file, dag, known)
    yield from _connections(file, known.connections)


def _of_dag(file: str, dag: dict[str, Any], known: Known) -> Iterator[Finding]:
    for task in dag["tasks"]:
        pool, queue = task.get("pool", "default_pool"), task.get("queue", "default")
        if known.pools is not None and pool not in known.pools:
            text = f"task {task['task_id']!r} wants pool {pool!r}, which does not exist: it would wait for ever"
            yield Finding("unknown-pool", file, 0, dag["dag_id"], text)
        if known.queues is not None and queue not in known.queues:
            text = f"task {task['task_id']!r} wants queue {queue!r}, which no worker serves: it would wait for ever"
            yield Finding("unknown-queue", file, 0, dag["dag_id"], text)


def _of_ids(reports: dict[str, dict[str, Any]]) -> Iterator[Finding]:
    files: dict[str, list[str]] = defaultdict(list)
    for file, report in reports.items():
        for dag in report["dags"]:
            files[dag["dag_id"]].append(file)
        for dag_id in report.get("repeated", []):
            text = f"DAG id {dag_id!r} is defined twice in this file; only the later one counts"
            yield Finding("duplicate-id", file, 0, dag_id, text)
    for dag_id, found in sorted(files.items()):
        if len(found) > 1:
            text = f"DAG id {dag_id!r} is also defined in {', '.join(found[:-1])}; only one of them counts"
            yield Finding("duplicate-id", found[-1], 0, dag_id, text)


def _unstable(file: str, first: dict[str, Any], second: dict[str, Any]) -> Iterator[Finding]:
    if first["error"] or second["error"]:
        if bool(first["error"]) != bool(second["error"]):
            yield Finding("unstable", file, 0, "", "the file can be imported only sometimes")
        return
    one, two = ({dag["dag_id"]: dag for dag in report["dags"]} for report in (first, second))
    for dag_id in sorted(one.keys() ^ two.keys()):
        yield Finding(
            "unstable", file, 0, dag_id, "the DAG is there in one parse and missing in the next: every parse is a version"
        )
    for dag_id in sorted(one.keys() & two.keys()):
        names = list(_differences(one[dag_id], two[dag_id]))
        if names:
            text = f"two parses differ in {', '.join(names[:5])}: every parse makes a new version of the DAG"
            yield Finding("unstable", file, 0, dag_id, text)


def _differences(one: Any, two: Any, where: str = "") -> Iterator[str]:
    """Yield the places in which two documents differ."""
    if isinstance(one, dict) and isinstance(two, dict):
        for name in sorted(one.keys() | two.keys()):
            if name not in _PLACES:
                yield from _differences(one.get(name), two.get(name), f"{where}.{name}" if where else name)
    elif isinstance(one, list) and isinstance(two, list) and len(one) == len(two):
        for number, (left, right) in enumerate(zip(one, two, strict=True)):
            label = left.get("task_id", number) if isinstance(left, dict) else number
            yield from _differences(left, right, f"{where}[{label}]")
    elif one != two:
        yield where


def _connections(file: str, known: Collection[str] | None) -> Iterator[Finding]:
    """Yield the connections that the file names and that do not exist; only names that are written out are seen."""
    if known is None:
        return
    try:
        tree = ast.parse(Path(file).read_bytes())
    except (OSError, SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        for name in _named(node):
            if name not in known:
                text = f"connection {name!r} does not exist; make it, or set AIRFLOW_CONN_{name.upper()}"
                yield Finding("unknown-connection", file, getattr(node, "lineno", 0), "", text)


def _named(node: ast.AST) -> Iterator[str]:
    if not isinstance(node, ast.Call):
        return
    for keyword in node.keywords:
        name = keyword.value.value if isinstance(keyword.value, ast.Constant) else None
        if (keyword.arg or "").endswith("conn_id") and isinstance(name, str) and "{" not in name:
            yield name
    called = node.func.attr if isinstance(node.func, ast.Attribute) else ""
    owner = getattr(node.func.value, "id", "") if isinstance(node.func, ast.Attribute) else ""
    if called == "get_connection" or (called == "get" and owner == "Connection"):
        first = node.args[0] if node.args else None
        if isinstance(first, ast.Constant) and isinstance(first.value, str):
            yield first.value


def _parse_all(folder: str, files: list[str]) -> tuple[dict[str, dict[str, Any]], dict[str, dict[str, Any]]]:
    """Return what each file gives, twice."""
    running = [_start(folder, files, seed) for seed in ("1", "2")]
    reports = [[json.loads(line) for line in process.communicate()[0].splitlines()] for process in running]
    lost = {"error": "The process that imports the files ended early.", "dags": [], "io": []}
    one, two = ({report["file"]: report for report in found} for found in reports)
    return {file: one.get(file, lost) for file in files}, {file: two.get(file, lost) for file in files}


def _start(folder: str, files: list[str], seed: str) -> subprocess.Popen[str]:
    environment = {
        **os.environ,
        "PYTHONHASHSEED": seed,
        "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
    }
    command = [sys.executable, "-m", "orchestrator.dag_check.parse_file", folder, *files]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment, cwd=folder)
