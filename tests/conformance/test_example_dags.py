"""The example DAG files of Airflow 3.3.2 give the DAGs that Airflow's REST API shows."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from dags_app.graph.between_dags import between_dags
from dags_app.graph.outside import links_of
from dags_app.graph.structure import structure
from orchestrator.sdk.serialization.spec import from_json, to_json
from tests.conformance.example_files import example_folder
from tests.oracle import oracle_json
from tests.unit.sdk.fresh_python import run_python

#: Files that need something that is not there when a file is parsed alone, and why.
LEFT_OUT = {"example_workday_timetable.py": "its timetable is known only through a plugin"}

PARSE_ALL = """
import importlib.util, json, sys, traceback
from pathlib import Path
from orchestrator.sdk import airflow_names
airflow_names.install()
from orchestrator.sdk.definitions.collect import collect_dags
from orchestrator.sdk.definitions.contexts import DagContext, reset
from orchestrator.sdk.serialization.encode import encode_dag
from orchestrator.sdk.serialization.spec import to_json
sys.path[:0] = {paths!r}
dags, errors = {{}}, {{}}
for file in {files!r}:
    reset()
    name = "example_" + Path(file).stem
    spec = importlib.util.spec_from_file_location(name, file)
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    DagContext.current_autoregister_module_name = name
    try:
        spec.loader.exec_module(module)
        dags.update({{dag.dag_id: to_json(encode_dag(dag)) for dag in collect_dags(module)}})
    except BaseException:
        errors[file] = traceback.format_exc()
print(json.dumps([dags, errors]))
"""


@cache
def parsed(stubs: str) -> tuple[dict[str, Any], dict[str, str]]:
    folder = example_folder()
    # These two import packages that Airflow brings along; only their names are needed to parse.
    for name in ("httpx", "requests"):
        (Path(stubs) / f"{name}.py").touch()
    files = sorted(
        str(path)
        for path in [*folder.glob("airflow/example_dags/*.py"), *folder.glob("airflow/providers/standard/example_dags/*.py")]
        if path.name not in LEFT_OUT and path.name != "__init__.py"
    )
    dags, errors = run_python(PARSE_ALL.format(paths=[str(folder), stubs], files=files))
    return dags, errors


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], dict[str, str]]:
    return parsed(str(tmp_path_factory.mktemp("stubs")))


def _text(value: Any) -> Any:
    """Return a text as the recorder writes it: long ones as length and hash."""
    if isinstance(value, str) and len(value) > 160:
        return {"__text__": {"len": len(value), "sha256": hashlib.sha256(value.encode()).hexdigest()[:16]}}
    return value


def _seconds(value: Any) -> Any:
    return value["days"] * 86400 + value["seconds"] + value["microseconds"] / 1e6 if isinstance(value, dict) else value


def test_every_example_file_parses(ours: tuple[dict[str, Any], dict[str, str]]) -> None:
    assert ours[1] == {}


DAG_FIELDS = [
    "catchup", "dag_display_name", "description", "default_args", "end_date", "max_active_runs", "max_active_tasks", "owner_links",
    "owners", "params", "render_template_as_native_obj", "start_date", "tags", "timetable_description", "timetable_summary", "timezone",
]  # fmt: skip


@pytest.mark.parametrize("field", DAG_FIELDS)
def test_a_field_of_all_example_dags_is_that_of_airflow(ours: tuple[dict[str, Any], dict[str, str]], field: str) -> None:
    recorded = oracle_json("dags_golden.json")["dags"]
    both = recorded.keys() & ours[0].keys()
    assert len(both) > 50
    assert {dag_id: ours[0][dag_id][field] for dag_id in both} == {dag_id: recorded[dag_id][field] for dag_id in both}


TASK_DEFAULTS = {
    "depends_on_past": False, "doc_md": None, "downstream_task_ids": [], "end_date": None, "is_mapped": False, "operator_name": None,
    "owner": "airflow", "params": {}, "pool": "default_pool", "pool_slots": 1, "priority_weight": 1, "queue": "default", "retries": 0,
    "retry_delay": 300.0, "start_date": None, "task_display_name": None, "trigger_rule": "all_success", "ui_color": "#fff",
    "ui_fgcolor": "#000", "wait_for_downstream": False, "weight_rule": "downstream",
}  # fmt: skip


@pytest.mark.parametrize("field", TASK_DEFAULTS)
def test_a_field_of_all_tasks_of_the_example_dags_is_that_of_airflow(
    ours: tuple[dict[str, Any], dict[str, str]], field: str
) -> None:
    recorded = oracle_json("dags_golden.json")["dags"]
    wanted = {
        (dag_id, task_id): _seconds(task[field]) if field == "retry_delay" else task[field]
        for dag_id in recorded.keys() & ours[0].keys()
        for task_id, task in recorded[dag_id]["tasks"].items()
    }
    got = {
        (dag_id, task["task_id"]): _text(task.get(field, TASK_DEFAULTS[field]))
        for dag_id in recorded.keys() & ours[0].keys()
        for task in ours[0][dag_id]["tasks"]
    }
    assert got == wanted


def test_classes_are_shown_under_airflows_paths(ours: tuple[dict[str, Any], dict[str, str]]) -> None:
    recorded = oracle_json("dags_golden.json")["dags"]
    for dag_id in recorded.keys() & ours[0].keys():
        for task in ours[0][dag_id]["tasks"]:
            wanted = recorded[dag_id]["tasks"][task["task_id"]]["class_ref"]
            assert task["task_type"] == wanted["class_name"]
            if wanted["module_path"].startswith("airflow."):
                assert task["task_module"] == wanted["module_path"]


def _drawn(document: dict[str, Any]) -> dict[str, Any]:
    """Return a graph as the recorder writes it: all nodes in one list, without null, by id."""
    graph = structure(from_json(document))
    flat: list[dict[str, Any]] = []

    def walk(nodes: list[dict[str, Any]], parent: str | None) -> None:
        for item in nodes:
            more = {"parent": parent, "is_group": True if item["children"] is not None else None, "children": None}
            flat.append({key: value for key, value in (item | more).items() if value is not None})
            walk(item["children"] or [], item["id"])

    walk(graph["nodes"], None)
    edges = [{key: value for key, value in item.items() if value is not None} for item in graph["edges"]]
    return {"nodes": sorted(flat, key=lambda item: item["id"]), "edges": edges}


def test_every_example_dag_is_drawn_as_by_airflow(ours: tuple[dict[str, Any], dict[str, str]]) -> None:
    recorded = oracle_json("dags_golden.json")["dags"]
    both = recorded.keys() & ours[0].keys()
    assert {dag_id: _drawn(ours[0][dag_id]) for dag_id in both} == {dag_id: recorded[dag_id]["structure"] for dag_id in both}


def test_the_links_between_the_example_dags_are_airflows(ours: tuple[dict[str, Any], dict[str, str]]) -> None:
    found = [link for document in ours[0].values() for link in links_of(from_json(document))]
    graph = between_dags(ours[0], found, [])
    labels = {item["id"]: item["id"] if item["type"] == "dag" else f"{item['type']}:{item['label']}" for item in graph["nodes"]}
    recorded = oracle_json("dags_golden.json")["dependencies"]["edges"]
    wanted = {tuple(edge) for edge in recorded if any(end.startswith(("trigger:", "sensor:")) for end in edge)}
    assert len(wanted) == 10
    assert {(labels[edge["source_id"]], labels[edge["target_id"]]) for edge in graph["edges"]} == wanted


def test_documents_are_json_and_read_back(ours: tuple[dict[str, Any], dict[str, str]]) -> None:
    for document in ours[0].values():
        assert json.loads(json.dumps(to_json(from_json(document)))) == document
