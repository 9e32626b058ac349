"""``manage.py bulk``: order, count, follow, cancel (C13-b)."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.models import AuditLog
from runs.management.commands import bulk
from runs.models import BulkAction, DagRun
from runs.scheduler.carry_out_bulk_actions import CarryOutBulkActions
from tests.factories import make_dag
from tests.integration.runs.test_bulk_actions import carry_out, fill, order

pytestmark = pytest.mark.django_db


def said(*words: str) -> str:
    out = io.StringIO()
    call_command("bulk", *words, stdout=out, stderr=out)
    return out.getvalue().strip()


ORDER = ("order", "task_instances", "clear", "-f", "dag_id=d")


def test_a_dry_run_counts_and_an_order_is_kept_with_who_and_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "root")
    fill(runs=2, tasks=2)
    assert said(*ORDER, "-f", "state=failed", "-f", "state=none", "--dry-run") == "4 in 2 runs: 4 failed"
    text = said(*ORDER, "--option", "reset_dag_runs=false", "--reason", "ticket 7")
    action = BulkAction.objects.get()
    assert text.splitlines() == [
        f"Ordered as bulk action {action.pk}.",
        "No scheduler is alive: it begins when one is started.",
    ]
    assert (action.actor, action.authority, action.options) == ("root", "command_line", {"reset_dag_runs": "false"})
    carry_out(action)
    row = AuditLog.objects.filter(event="post_clear_task_instances")[0]
    assert (row.owner, row.reason, row.request_id) == ("root", "ticket 7", action.request_id)
    assert said("show", str(action.pk)).splitlines()[1] == (
        "done: 4 of 4 task instances (100%): 4 changed, 0 unchanged, 0 failed"
    )


def test_c30d_a_configuration_is_kept_as_an_object_so_that_its_secrets_are_masked() -> None:
    fill(runs=1, tasks=1)
    said("order", "dags", "trigger", "-f", "dag_id=d", "--option", 'conf={"api_token": "tell-nobody"}')
    assert BulkAction.objects.get().options == {"conf": {"api_token": "tell-nobody"}}
    told = str(AuditLog.objects.get(event="create_bulk_action").extra)
    assert "***" in told and "tell-nobody" not in told
    carry_out(BulkAction.objects.get())
    assert DagRun.objects.get(run_type="manual", state="queued").triggered_by == "cli"


def test_a_dry_run_counts_dags_which_are_in_no_runs() -> None:
    for number, is_paused in enumerate((False, True, True)):
        make_dag(f"d{number}", is_paused=is_paused)
    assert said("order", "dags", "trigger", "-f", "dag_id=~", "--dry-run") == "3 DAGs: 1 on, 2 paused"


def test_following_tells_each_step_once_and_fails_where_items_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    fill(runs=1, tasks=1)
    action, duty = order("give_up"), CarryOutBulkActions()

    def wait(*args: Any) -> None:
        duty._look_at = 0.0
        duty.run_once(100)

    monkeypatch.setattr("threading.Event.wait", wait)
    out = io.StringIO()
    with pytest.raises(SystemExit):
        call_command("bulk", "follow", str(action.pk), stdout=out)
    assert [line.partition(":")[0] for line in out.getvalue().splitlines()] == ["queued", "running", "running", "done"]
    assert json.loads(said("failures", str(action.pk), "-o", "json"))[0]["task_id"] == "t0000"
    assert json.loads(said("list", "-o", "json"))[0]["failed"] == "1"
    assert said("list", "--open") == "No data found"
    assert bulk.LOOK_EVERY_SECONDS > 0


def test_an_order_is_cancelled_once() -> None:
    number = str(order("clear").pk)
    assert said("cancel", number) == f"Bulk action {number} is cancelled; 0 of 0 were done."
    with pytest.raises(CommandError, match="nothing is left to cancel"):
        said("cancel", number)


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("order", "task_instances", "clear"), "filters: Value error, Name at least one filter"),
        ((*ORDER, "-f", "colour=red"), "filters.colour: Extra inputs"),
        ((*ORDER, "-f", "state=burning"), "Invalid value for state"),
        ((*ORDER, "-f", "state"), "is no NAME=VALUE"),
        (("order", "dag_runs", "burn", "-f", "dag_id=d"), "kind: Input should be one of clear"),
        (("show", "99"), "There is no bulk action 99"),
    ],
)
def test_what_cannot_be_ordered_is_one_sentence(words: tuple[str, ...], text: str) -> None:
    with pytest.raises(CommandError, match=text):
        said(*words)
