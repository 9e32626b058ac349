"""Which callbacks are left to the server, the same for the parser, the task process and the worker (C09-d)."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from typing import Any

import pytest

from orchestrator.sdk import DAG
from orchestrator.sdk.definitions.callback import SyncCallback
from orchestrator.sdk.definitions.deadline import DeadlineAlert, DeadlineReference, TaskDeadline
from orchestrator.sdk.definitions.deadline_intervals import HistoryInterval
from orchestrator.sdk.definitions.shown_words import TaskInstanceState
from orchestrator.sdk.execution import callbacks
from orchestrator.sdk.notifiers.alerts import alerts_of, build
from orchestrator.sdk.notifiers.slack import SlackNotifier, SlackWebhookNotifier
from orchestrator.sdk.notifiers.smtp import SmtpNotifier
from orchestrator.sdk.notifiers.webhook import WebhookNotifier
from orchestrator.sdk.operators.empty import EmptyOperator
from orchestrator.sdk.serialization.encode import encode_dag
from orchestrator.sdk.serialization.spec import from_json, to_json


class Own(WebhookNotifier):
    """An author's own class may do anything, so it is not the server's."""


def own(context: Any) -> None:
    """An author's function."""


NOTIFIERS = [
    SmtpNotifier(to=["a@x"], subject="s"),
    SlackWebhookNotifier(text="hi", blocks=[{"type": "section"}]),
    SlackNotifier(text="hi", channel="#ops"),
    WebhookNotifier("http://x", {"a": ["{{ ds }}"]}),
]


@pytest.mark.parametrize("notifier", NOTIFIERS, ids=lambda notifier: type(notifier).__name__)
def test_a_built_in_notifier_is_built_again_with_all_its_arguments(notifier: Any) -> None:
    found = alerts_of(notifier)
    assert found is not None and found["only"]
    (item,) = found["items"]
    again = build(item["path"], item["kwargs"])
    assert type(again) is type(notifier) and again.arguments() == notifier.arguments()


def test_what_the_author_wrote_is_not_the_servers() -> None:
    found = alerts_of([own, NOTIFIERS[0], Own("http://x"), SmtpNotifier(to="a@x", files=[dt.datetime.now()])])  # type: ignore[list-item]
    assert found is not None and not found["only"] and [item["index"] for item in found["items"]] == [1]
    assert alerts_of([own]) is None and alerts_of(None) is None


def test_a_dag_with_alerts_and_deadlines_survives_its_document() -> None:
    call = SyncCallback("a.b", {"when": dt.datetime(2026, 1, 1, tzinfo=dt.UTC)})
    with DAG(
        "d", on_failure_callback=NOTIFIERS[0], deadline=DeadlineAlert(DeadlineReference.DAGRUN_QUEUED_AT, dt.timedelta(1), call)
    ) as dag:
        EmptyOperator(
            task_id="t",
            on_failure_callback=[own, NOTIFIERS[3]],
            deadline=TaskDeadline.running_longer_than(HistoryInterval(), call),
        )
    spec = from_json(to_json(encode_dag(dag)))
    assert spec.alerts and spec.alerts["on_failure_callback"]["only"] and spec.has_on_failure_callback
    assert spec.deadline[0]["callback"]["encoded"] and spec.tasks[0].deadline[0]["condition"] == "finished"
    assert [item["index"] for item in spec.tasks[0].alerts["on_failure_callback"]["items"]] == [1]


def test_a_dag_without_alerts_has_the_document_that_it_always_had() -> None:
    with DAG("d") as dag:
        EmptyOperator(task_id="t")
    document = to_json(encode_dag(dag))
    assert "alerts" not in document and "alerts" not in document["tasks"][0] and "deadline" not in document["tasks"][0]


@pytest.mark.parametrize("by_server", [True, False])
def test_the_task_process_leaves_alerts_to_a_server_and_sends_them_itself_without_one(
    by_server: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []
    notifier = WebhookNotifier("http://x")
    monkeypatch.setattr(notifier, "notify", lambda context: sent.append("alert"))
    task = SimpleNamespace(on_failure_callback=[lambda context: sent.append("own"), notifier], email=None, email_on_failure=True)
    monkeypatch.setattr(callbacks, "_server_sends_alerts", by_server)
    message: dict[str, Any] = {"state": "failed", "evidence": {"cause": "user_exception"}}
    callbacks.mark_left(task, message)
    callbacks.run_final_callbacks(task, TaskInstanceState.FAILED, {}, ValueError())
    assert sent == (["own"] if by_server else ["own", "alert"])
    assert message["evidence"].get("leaves") == ("alerts" if by_server else None)


@pytest.mark.parametrize(
    ("task", "state", "leaves"),
    [
        ({"email": "a@x", "email_on_failure": True}, "failed", True),
        ({"email": "a@x", "email_on_failure": False}, "failed", False),
        ({"email": "a@x", "email_on_retry": True}, "up_for_retry", True),
        ({"email": "a@x"}, "success", False),
        ({"email": None, "email_on_failure": True}, "failed", False),
        ({"email": "a@x"}, "deferred", False),
    ],
)
def test_only_ends_with_something_to_send_are_marked(
    task: dict[str, Any], state: str, leaves: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(callbacks, "_server_sends_alerts", True)
    message = {"state": state}
    callbacks.mark_left(SimpleNamespace(**task), message)
    assert ("evidence" in message) is leaves


def test_deadlines_that_make_no_sense_are_refused() -> None:
    call = SyncCallback("a.b")
    with pytest.raises(TypeError, match="timedelta or a VariableInterval"):
        DeadlineAlert(DeadlineReference.DAGRUN_QUEUED_AT, 5, call).serialize()
    with pytest.raises(ValueError, match="not currently supported"):
        DeadlineAlert(DeadlineReference.DAGRUN_QUEUED_AT, dt.timedelta(1), own)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="makes no sense"):
        HistoryInterval(percentile=0)
    with pytest.raises(ValueError, match="'started' or 'finished'"):
        TaskDeadline(DeadlineReference.DAGRUN_QUEUED_AT, dt.timedelta(1), call, condition="running")
    with pytest.raises(KeyError):
        DeadlineReference.WALL_CLOCK("07:00", "Mars/Olympus")
