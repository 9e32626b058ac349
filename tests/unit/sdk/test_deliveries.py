"""What a worker does with deliveries: the author's callbacks, paths, notifiers and e-mails (C09-b, C09-d)."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from orchestrator.config import conf
from orchestrator.sdk.execution.callback_process import run
from orchestrator.sdk.execution.channel import MemoryChannel
from tests.receivers import Hook, Mailbox, mail_server, web_hook

DAG = """
from airflow.sdk import DAG, task
from airflow.sdk.bases.notifier import BaseNotifier
CALLED = []
def good(context):
    CALLED.append(context)
def bad(context):
    raise ValueError("bad")
async def coroutine(word, context=None):
    return word + str(context["deadline"])
def plain(word):
    return word
class Own(BaseNotifier):
    template_fields = ("text",)
    def __init__(self, text, **kwargs):
        super().__init__(**kwargs)
        self.text = text
    def notify(self, context):
        CALLED.append(self.text)
with DAG("delivered", on_failure_callback=[good, Own("{{ run_id }} {{ reason }}")]) as dag:
    @task(on_failure_callback=[good, bad])
    def t():
        pass
    t()
"""
RUN = {
    "dag_id": "delivered", "run_id": "r", "logical_date": "2026-01-01T00:00:00Z", "data_interval_start": "2026-01-01T00:00:00Z",
    "data_interval_end": "2026-01-02T00:00:00Z", "run_after": "2026-01-02T00:00:00Z", "start_date": "2026-01-02T00:00:00Z",
    "end_date": None, "clear_number": 0, "run_type": "scheduled", "state": "failed", "conf": {"a": 1},
}  # fmt: skip
TI = {
    "id": "01970000-0000-7000-8000-000000000000", "dag_id": "delivered", "run_id": "r", "task_id": "t", "map_index": -1, "try_number": 2,
    "max_tries": 1, "hostname": "h", "state": "failed", "start_date": "2026-01-02T00:00:00Z", "end_date": "2026-01-02T00:00:01Z",
}  # fmt: skip
DATA = {
    "event": "on_failure_callback",
    "ti": TI,
    "dag_run": RUN,
    "exception": "signal 9",
    "reason": "signal 9",
    "cause": "signal",
}


@pytest.fixture
def environment() -> Iterator[None]:
    """Give the process its environment back."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)
    conf.reload()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the DAG file."""
    (tmp_path / "dag.py").write_text(DAG)
    for module in modules():
        module.CALLED.clear()
    return tmp_path


def delivered(folder: Path, kind: str, environment: dict[str, str] | None = None, **data: Any) -> dict[str, Any]:
    """Run a delivery in this process and return its report."""
    channel = MemoryChannel({"GetConnection": {"type": "ErrorResponse", "error": "CONNECTION_NOT_FOUND", "detail": None}})
    workload = {
        "callback": {"id": "1", "kind": kind, "data": {**DATA, **data}},
        "bundle_path": str(folder),
        "dag_rel_path": "dag.py",
        "bundle_info": {"name": "b", "version": None},
        "paths": [str(folder)],
        "environment": environment or {},
    }
    run(workload, channel)
    (report,) = channel.of_type("CallbackDone")
    return report


def modules() -> list[Any]:
    """DAG files that this process has imported."""
    return [module for name, module in sys.modules.items() if name.startswith("unusual_prefix_") and hasattr(module, "CALLED")]


def called() -> list[Any]:
    """What the callbacks of the DAG files got; a process of a test imports more than one, which a worker's never does."""
    return [item for module in modules() for item in module.CALLED]


def test_a_tasks_callbacks_get_the_whole_context_and_one_that_fails_hinders_none(folder: Path) -> None:
    report = delivered(folder, "task_callback")
    assert not report["ok"], report
    assert report["done"] == [0] and "ValueError: bad" in report["output"]
    (context,) = called()
    assert context["ti"].task_id == "t" and context["ti"].try_number == 2 and str(context["exception"]) == "signal 9"
    assert context["ti"].state == "failed" and context["ds"] == "2026-01-01" and context["params"] == {"a": 1}
    assert context["dag_run"].run_id == "r" and context["reason"] == "signal 9" and context["dag"].dag_id == "delivered"


def test_what_has_succeeded_or_is_the_servers_is_not_called_again(folder: Path) -> None:
    report = delivered(folder, "task_callback", done=[0], skip=[1])
    assert report["ok"] and called() == []


def test_a_dags_callbacks_get_its_reason_and_notifiers_render_with_it(folder: Path) -> None:
    assert delivered(folder, "dag_callback", reason="task_failure")["done"] == [0, 1]
    context, text = called()
    assert text == "r task_failure" and context["reason"] == "task_failure" and context["ti"].task_id == "t"


def test_a_run_without_any_attempt_has_a_small_context(folder: Path) -> None:
    assert delivered(folder, "dag_callback", reason="timed_out", ti=None)["ok"]
    assert called()[0].keys() == {"dag", "run_id", "dag_run", "reason"}


def test_a_path_into_a_dag_file_is_found_whatever_its_module_was_called_there(folder: Path) -> None:
    path = "unusual_prefix_0000_elsewhere"
    context = {"deadline": {"id": 1}}
    report = delivered(folder, "deadline", path=f"{path}.coroutine", kwargs={"word": "late"}, context=context)
    assert report["ok"] and report["output"] == "late{'id': 1}"
    assert delivered(folder, "deadline", path=f"{path}.plain", kwargs={"word": "late"}, context=context)["output"] == "late"


def test_a_file_that_is_gone_fails_the_callback_and_says_so(tmp_path: Path) -> None:
    report = delivered(tmp_path, "task_callback")
    assert not report["ok"] and "does not exist" in report["output"]


@pytest.fixture
def box(environment: None) -> Iterator[Mailbox]:
    """A mail server."""
    with mail_server() as found:
        yield found


@pytest.fixture
def hook() -> Iterator[Hook]:
    """A web address."""
    with web_hook() as found:
        yield found


def mail_options(box: Mailbox) -> dict[str, str]:
    """What the server gives to alerts."""
    return {
        "AIRFLOW__SMTP__SMTP_HOST": "127.0.0.1",
        "AIRFLOW__SMTP__SMTP_PORT": str(box.port),
        "AIRFLOW__SMTP__SMTP_STARTTLS": "False",
        "AIRFLOW__SMTP__SMTP_MAIL_FROM": "airflow@here",
    }


def test_an_email_needs_no_dag_file_and_says_what_airflows_says(tmp_path: Path, box: Mailbox) -> None:
    report = delivered(tmp_path, "email", mail_options(box), to=["a@x", "b@x"])
    assert report["ok"], report
    ((to, message),) = box.messages
    assert to == ["a@x", "b@x"] and message["From"] == "airflow@here"
    assert message["Subject"] == "Airflow alert: <TaskInstance: delivered.t r [failed]>"
    body = message.get_content()
    assert (
        body.startswith("Try 2 out of 2<br>Exception:<br>signal 9<br>Log: <a href=") and "/dags/delivered/runs/r/tasks/t" in body
    )


def test_the_templates_of_the_email_options_are_used(tmp_path: Path, box: Mailbox) -> None:
    (tmp_path / "subject").write_text("{{ ti.task_id }} of {{ dag.dag_id }} on {{ ds }}")
    (tmp_path / "body").write_text("<b>{{ exception_html }}</b>")
    options = {
        "AIRFLOW__EMAIL__SUBJECT_TEMPLATE": str(tmp_path / "subject"),
        "AIRFLOW__EMAIL__HTML_CONTENT_TEMPLATE": str(tmp_path / "body"),
        "AIRFLOW__EMAIL__FROM_EMAIL": "me@here",
    }
    assert delivered(tmp_path, "email", mail_options(box) | options, to="a@x", exception="<a>")["ok"]
    ((_, message),) = box.messages
    assert message["Subject"] == "t of delivered on 2026-01-01" and message["From"] == "me@here"
    assert message.get_content().strip() == "<b>&lt;a&gt;</b>"


def test_a_mail_server_that_is_busy_is_asked_again(tmp_path: Path, box: Mailbox) -> None:
    box.refuse = 2
    assert delivered(tmp_path, "email", mail_options(box), to="a@x")["ok"]
    assert len(box.messages) == 1


SMTP = "airflow.providers.smtp.notifications.smtp.SmtpNotifier"


def test_the_smtp_notifier_renders_its_fields_and_leaves_gaps_for_what_it_does_not_know(tmp_path: Path, box: Mailbox) -> None:
    kwargs = {
        "to": "a@x",
        "cc": "c@x",
        "bcc": "b@x",
        "subject": "{{ ti.task_id }}{{ task.owner }} {{ dag_run.conf.a }}{{ nothing.at.all }}",
    }
    assert delivered(tmp_path, "notifier", mail_options(box), path=SMTP, kwargs=kwargs)["ok"]
    ((to, message),) = box.messages
    assert to == ["a@x", "c@x", "b@x"] and message["Cc"] == "c@x" and "b@x" not in str(message)
    assert message["Subject"] == "tNone 1"


def test_a_webhook_that_refuses_fails_the_delivery(tmp_path: Path, hook: Hook) -> None:
    path = "orchestrator.sdk.notifiers.webhook.WebhookNotifier"
    kwargs = {"url": hook.url + "/{{ dag_id }}", "headers": {"X-Run": "{{ run_id }}"}}
    hook.refuse = 1
    report = delivered(tmp_path, "notifier", path=path, kwargs=kwargs)
    assert not report["ok"] and "500" in report["output"]
    assert delivered(tmp_path, "notifier", path=path, kwargs=kwargs)["ok"]
    ((place, document, headers),) = hook.documents
    assert place == "/delivered" and headers["X-Run"] == "r"
    assert document["task_id"] == "t" and document["try_number"] == 2 and document["exception"] == "signal 9"


def test_slack_needs_its_connection_and_says_so(tmp_path: Path) -> None:
    path = "airflow.providers.slack.notifications.slack_webhook.SlackWebhookNotifier"
    report = delivered(tmp_path, "notifier", path=path, kwargs={"text": "hi"})
    assert not report["ok"] and "slack_default" in report["output"]


def test_a_class_that_is_no_built_in_notifier_is_never_made_from_a_row(tmp_path: Path) -> None:
    report = delivered(tmp_path, "notifier", path="subprocess.Popen", kwargs={"args": ["true"]})
    assert not report["ok"] and "is not a built-in notifier" in report["output"]
