"""C26-b: the explanation over REST and on the command line."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.models import User
from accounts.tokens import token_for
from runs.explain.reasons import Reason
from runs.models import DagRun, TaskInstance
from tests.integration.runs.harness import Rounds, trigger
from tests.specs import dag, mapped

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(db: None) -> Client:
    admin = User.objects.create_superuser("admin", password="a-long-password")
    return Client(headers={"Authorization": f"Bearer {token_for(admin, lifetime_seconds=60)}"})


@pytest.fixture
def run(db: None) -> DagRun:
    made = trigger(dag("a >> b, m", m=mapped(2)))
    Rounds().run()
    return made


def told(*args: str) -> str:
    out = StringIO()
    call_command("explain", *args, stdout=out)
    return out.getvalue()


def test_c26b_a_task_instance_is_explained_over_rest(client: Client, run: DagRun) -> None:
    path = f"/api/v2/dags/d/dagRuns/{run.run_id}"
    answer = client.get(f"{path}/taskInstances/b/explain").json()
    (blocker,) = answer.pop("blockers")
    a = TaskInstance.objects.get(task_id="a")
    link = f"/api/v2/dags/d/dagRuns/{run.run_id}/taskInstances/a".replace(":", "%3A").replace("+", "%2B")
    assert blocker == {"kind": "task_instance", "id": str(a.pk), "name": f"d.a {run.run_id}", "state": "queued", "link": link}
    assert (answer["reason"], answer["state"], answer["map_index"], answer["also"]) == ("upstream", None, -1, [])
    assert answer["sentence"].startswith("Task b waits") and answer["since"].endswith("Z")
    assert client.get(blocker["link"]).status_code == 200
    assert client.get(f"{path}/taskInstances/m/1/explain").json()["reason"] == "executor"
    assert client.get(f"{path}/taskInstances/b/-1/explain").json()["reason"] == "upstream"


def test_c26b_a_run_and_a_dag_are_explained_over_rest(client: Client, run: DagRun) -> None:
    assert client.get(f"/api/v2/dags/d/dagRuns/{run.run_id}/explain").json()["reason"] == "executor"
    answer = client.get("/api/v2/dags/d/explain").json()
    assert (answer["reason"], answer["dag_id"]) == ("not_scheduled", "d")


@pytest.mark.parametrize("path", ["x/explain", "d/dagRuns/x/explain", "d/dagRuns/x/taskInstances/a/explain"])
def test_c26b_what_does_not_exist_is_404_with_its_name(client: Client, run: DagRun, path: str) -> None:
    answer = client.get(f"/api/v2/dags/{path}")
    assert answer.status_code == 404
    assert "x" in str(answer.json()["detail"])


def test_c26b_a_map_index_that_is_no_number_is_refused(client: Client, run: DagRun) -> None:
    assert client.get(f"/api/v2/dags/d/dagRuns/{run.run_id}/taskInstances/m/one/explain").status_code == 422


def test_c26b_nobody_is_told_without_signing_in(run: DagRun) -> None:
    assert Client().get("/api/v2/dags/d/explain").status_code == 401


def test_c26b_the_command_says_the_sentence_and_the_blockers(run: DagRun) -> None:
    text = told("d", run.run_id, "b")
    assert text.startswith("Task b waits") and "task_instance" in text and "/taskInstances/a" in text
    assert "DAG d has no further run" in told("d")
    assert "was handed to" in told("d", run.run_id)
    answer: dict[str, Any] = json.loads(told("d", run.run_id, "m", "--map-index", "1", "-o", "json"))
    assert answer["reason"] == "executor"


@pytest.mark.parametrize(
    ("words", "said"), [(["x"], "no DAG 'x'"), (["d", "x"], "no run 'x'"), (["d", "RUN", "m"], r"\[-1\]; map indexes .* 0, 1")]
)
def test_c26b_the_command_names_what_it_cannot_find(run: DagRun, words: list[str], said: str) -> None:
    with pytest.raises(CommandError, match=said):
        told(*[run.run_id if word == "RUN" else word for word in words])


def test_c26c_every_reason_has_a_test_and_a_line_in_the_documentation() -> None:
    here = Path(__file__).parent
    tests = "".join(path.read_text() for path in here.glob("test_waiting_*.py"))
    document = (here.parents[2] / "docs" / "explain.md").read_text()
    stored_only = {Reason.SLOTS}  # what a row says; the explanation says which limit it is
    assert [r.name for r in Reason if r not in stored_only and f"Reason.{r.name}" not in tests] == []
    assert [str(reason) for reason in Reason if f"`{reason}`" not in document] == []
