"""What templates and task contexts give, compared with what was recorded from a real Airflow."""

from __future__ import annotations

import importlib
import re
from functools import cache
from typing import Any

import pytest

from orchestrator.sdk import airflow_names
from orchestrator.sdk.execution.host.loading import load_dags
from tests.attempts import Supervisor, attempt, run_document
from tests.oracle import oracle_file, oracle_json

RECORDED = "templating_golden.json"
VARIABLES = {"golden_plain": "plain value", "golden_json": '{"a": 1, "b": [10, 20]}'}
CONNECTION = {
    "conn_type": "http", "host": "example.org", "login": "u", "password": "s3cr3t/@", "schema": "https", "port": 8443,
    "extra": '{"a": 1, "b": "x y"}',
}  # fmt: skip
NOW = "2026-11-20T01:02:05Z"
RUNS = {
    "scheduled": {"run_type": "scheduled"},
    "manual": {"conf": {"p_conf": "from_conf", "extra_conf": 5}, "triggering_user_name": "Anonymous"},
    "no_logical_date": {"triggering_user_name": "Anonymous"},
    "explicit_interval": {"triggering_user_name": "Anonymous"},
    "native": {"conf": {"c": [1]}},
}
PREVIOUS = {
    "scheduled": "2026-03-07T06:30:00Z",
    "manual": "2026-03-08T06:30:00Z",
    "explicit_interval": "2026-03-08T06:31:00Z",
    "no_logical_date": None,
    "native": None,
}
# The recorded DAG has these tasks; `envvars` runs `env`, which shows the machine it runs on.
TASKS = {"golden_templating": ("first", "ctx", "ev", "bash", "nested", "envvars"), "golden_templating_native": ("native",)}

# Module paths of ours stand where Airflow's stood; these are compared by class name alone.
SHOWN_TYPES = "types"


@cache
def dags() -> dict[str, Any]:
    airflow_names.install()
    return load_dags(str(oracle_file("templating_dag.py")))


@cache
def played(name: str) -> Supervisor:
    """Run all tasks of a recorded run in this process, in order."""
    recorded = oracle_json(RECORDED)[name]
    dag_id = "golden_templating_native" if name == "native" else "golden_templating"
    dates = {key: recorded[key] for key in ("logical_date", "data_interval_start", "data_interval_end")}
    after = recorded["data_interval_end"] if name == "scheduled" else NOW
    run = run_document(dag_id=dag_id, run_id=recorded["run_id"], start_date=NOW, run_after=after, **dates, **RUNS[name])
    previous = PREVIOUS[name]
    answer = {"type": "PrevSuccessfulDagRunResult", "data_interval_start": previous, "data_interval_end": previous}
    answer |= {"start_date": previous and "2026-11-20T01:02:03Z", "end_date": previous and "2026-11-20T01:02:04Z"}
    supervisor = Supervisor(
        variables=VARIABLES, connections={"golden_conn": CONNECTION}, scripted={"GetPrevSuccessfulDagRun": answer}
    )
    for task_id in TASKS[dag_id]:
        attempt(dags()[dag_id], task_id, supervisor, run=run)
    return supervisor


def cleaned(value: Any) -> Any:
    """Replace what differs from run to run, as the recorder did."""
    if isinstance(value, dict):
        return {key: cleaned(item) for key, item in value.items()}
    if isinstance(value, list):
        return [cleaned(item) for item in value]
    if not isinstance(value, str):
        return value
    value = re.sub(r"0x[0-9a-f]{6,}", "<ADDR>", value)
    value = re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "<UUID>", value)
    value = re.sub(r"/[^ '\"]*/templating_dag.py", "<DAGS>/templating_dag.py", value)
    value = re.sub(r"http://localhost:\d+", "<BASE>", value)
    value = re.sub(r"datetime\.datetime\((2026, 1[12]|202[7-9]|203\d), [^)]*tzinfo=[^)]*\)", "<NOW>", value)
    return re.sub(r"2026-1[12]-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(\+00:00|Z)?", "<NOW>", value)


def pushed(name: str, task_id: str, key: str = "return_value") -> Any:
    return cleaned(played(name).xcoms[task_id, key][-1])


def recorded_xcom(name: str, task_id: str, key: str = "return_value") -> Any:
    return oracle_json(RECORDED)[name]["xcom"][task_id][key]


def cases_of(task_id: str) -> list[str]:
    return [name for name, run in oracle_json(RECORDED).items() if task_id in run["xcom"]]


@pytest.mark.parametrize("name", cases_of("ctx"))
def test_the_context_has_airflows_keys_values_and_classes(name: str) -> None:
    ours, theirs = pushed(name, "ctx"), recorded_xcom(name, "ctx")
    shown = {key: value for key, value in theirs.items() if key != SHOWN_TYPES}
    assert {key: value for key, value in ours.items() if key != SHOWN_TYPES} == shown
    classes = {key: path.rpartition(".")[2] for key, path in theirs[SHOWN_TYPES].items()}
    assert {key: path.rpartition(".")[2] for key, path in ours[SHOWN_TYPES].items()} == classes


@pytest.mark.parametrize("name", cases_of("ctx"))
def test_the_classes_of_a_context_are_imported_by_airflows_paths(name: str) -> None:
    ours, theirs = pushed(name, "ctx")[SHOWN_TYPES], recorded_xcom(name, "ctx")[SHOWN_TYPES]
    differ = {key: path for key, path in theirs.items() if path != ours[key] and not path.startswith("builtins.")}
    assert len(differ) > 10
    assert {key: resolved(path) for key, path in differ.items()} == {key: resolved(ours[key]) for key in differ}


def resolved(path: str) -> Any:
    airflow_names.install()
    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(module), name)


def expressions() -> list[tuple[str, str]]:
    recorded = oracle_json(RECORDED)
    return [(name, text) for name in cases_of("ev") for text in recorded[name]["xcom"]["ev"]["return_value"]]


@pytest.mark.parametrize(("name", "text"), expressions())
def test_an_expression_renders_as_recorded(name: str, text: str) -> None:
    ours, theirs = pushed(name, "ev")[text], recorded_xcom(name, "ev")[text]
    if "error" in theirs:
        assert ours.get("error") == theirs["error"], ours
    else:
        assert ours == theirs


def rendered() -> list[tuple[str, str]]:
    recorded = oracle_json(RECORDED)
    return [(name, task) for name, run in recorded.items() for task, shown in run["tasks"].items() if shown["rendered_fields"]]


@pytest.mark.parametrize(("name", "task_id"), rendered())
def test_rendered_fields_and_states_are_as_recorded(name: str, task_id: str) -> None:
    theirs = oracle_json(RECORDED)[name]["tasks"][task_id]
    sent = [m["rendered_fields"] for m in played(name).of_type("SetRenderedFields")]
    dag_id = "golden_templating_native" if name == "native" else "golden_templating"
    # Without a logical date these two fail while they are rendered, so that nothing is shown.
    fails = ("bash", "nested") if name == "no_logical_date" else ()
    order = [task for task in TASKS[dag_id] if task not in fails]
    if task_id not in fails:
        assert cleaned(sent[order.index(task_id)]) == theirs["rendered_fields"]


@pytest.mark.parametrize("task_id", ["bash", "nested", "envvars", "first"])
def test_what_tasks_return_is_as_recorded(task_id: str) -> None:
    for name in cases_of(task_id):
        assert pushed(name, task_id) == recorded_xcom(name, task_id), name


def test_native_rendering_gives_python_objects() -> None:
    assert pushed("native", "native") == recorded_xcom("native", "native")


def test_tasks_end_in_the_recorded_states() -> None:
    for name, run in oracle_json(RECORDED).items():
        dag_id = "golden_templating_native" if name == "native" else "golden_templating"
        ends = [message["state"] for message in played(name).of_type("SucceedTask", "TaskState")]
        assert dict(zip(TASKS[dag_id], ends, strict=True)) == {task: shown["state"] for task, shown in run["tasks"].items()}
