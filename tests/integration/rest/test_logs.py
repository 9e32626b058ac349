"""Logs through the REST API: JSON, lines, what is still growing, and paths that try to climb out."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from orchestrator.config import conf
from runs.logs import log_read, log_tail_position
from runs.models import TaskInstance, TaskInstanceHistory
from tests.factories import NOON, make_dag, make_run, make_ti

PATH = "/api/v2/dags/d/dagRuns/r/taskInstances/t/logs/1"


@pytest.fixture
def ti(db: None) -> TaskInstance:
    return make_ti(make_run(make_dag("d"), "r"), "t", state="running")


@pytest.fixture
def log(ti: TaskInstance) -> Path:
    path = Path(conf.get("logging", "base_log_folder")) / "dag_id=d/run_id=r/task_id=t/attempt=1.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('{"timestamp": "2026-01-05T12:00:00Z", "level": "info", "event": "one"}\nno json\n')
    return path


def _body(answer: Any) -> bytes:
    return b"".join(answer.streaming_content)


def test_a_running_task_gives_a_token_that_goes_on_where_the_answer_ended(client: Client, log: Path) -> None:
    first = json.loads(_body(client.get(PATH)))
    assert [item["event"] for item in first["content"]] == [
        "::group::Log message source details",
        "::endgroup::",
        "one",
        "no json",
    ]
    with log.open("a") as file:
        file.write('{"event": "two"}\n{"event": "half')
    more = json.loads(_body(client.get(PATH, {"token": first["continuation_token"]})))
    assert [item["event"] for item in more["content"]] == ["two"]
    assert client.get(PATH, {"token": "forged"}).status_code == 400


def test_a_finished_task_gives_no_token(client: Client, ti: TaskInstance, log: Path) -> None:
    TaskInstance.objects.update(state="success", end_date=NOON)
    assert json.loads(_body(client.get(PATH)))["continuation_token"] is None


def test_lines_come_one_record_each(client: Client, log: Path) -> None:
    answer = client.get(PATH, headers={"Accept": "application/x-ndjson"})
    assert answer["Content-Type"] == "application/x-ndjson"
    assert [json.loads(line)["event"] for line in _body(answer).splitlines()][-2:] == ["one", "no json"]


def test_another_type_is_refused_as_not_acceptable(client: Client, log: Path) -> None:
    answer = client.get(PATH, headers={"Accept": "text/plain"})
    assert (answer.status_code, answer.json()["detail"]) == (406, "Only application/json or application/x-ndjson is supported")


def test_a_missing_file_is_told_and_no_error(client: Client, ti: TaskInstance) -> None:
    TaskInstance.objects.update(task_id="never_ran")
    body = json.loads(_body(client.get(PATH.replace("/t/", "/never_ran/"))))
    assert "does not exist" in body["content"][-1]["event"]


def test_an_earlier_try_keeps_its_log(client: Client, ti: TaskInstance, log: Path) -> None:
    """C10-f"""
    values = {f: getattr(ti, f) for f in ("dag_id", "run_id", "task_id", "map_index")}
    TaskInstanceHistory.objects.create(id=TaskInstance().id, dag_run=ti.dag_run, try_number=1, state="failed", **values)
    TaskInstance.objects.update(try_number=2)
    body = json.loads(_body(client.get(PATH)))
    assert body["content"][-1]["event"] == "no json"
    assert body["continuation_token"] is None


def test_an_id_cannot_lead_out_of_the_log_folder(client: Client, ti: TaskInstance) -> None:
    TaskInstance.objects.update(run_id="../../../../etc")
    ti.dag_run.run_id = "../../../../etc"
    ti.dag_run.save()
    answer = client.get("/api/v2/dags/d/dagRuns/..%2F..%2F..%2F..%2Fetc/taskInstances/t/logs/1")
    assert answer.status_code == 404


def test_a_log_is_read_in_bounded_pieces_of_whole_lines(tmp_path: Path) -> None:
    """C10-d"""
    path = tmp_path / "big.log"
    path.write_bytes(b"".join(b"line %d\n" % n for n in range(5000)) + b"x" * 5000 + b"\nend\n")
    position, events = 0, []
    while True:
        found = log_read(path, position, max_bytes=1000)
        if found.position == position:
            break
        assert len(found.records) < 200
        events += [record["event"] for record in found.records]
        position = found.position
    assert events[:5000] == [f"line {n}" for n in range(5000)]
    assert events[5000].endswith("(line cut)")
    assert events[5001] == "end"
    assert path.read_bytes()[log_tail_position(path, 1) :] == b"end\n"
    assert log_tail_position(path, 10**6) == 0
