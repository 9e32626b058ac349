"""Callbacks, alerts and deadlines on the whole platform: real processes, a mail server, kills in between (C09, C27)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.faults.platform import Platform
from tests.receivers import mail_server, web_hook
from tests.waiting import wait_until

DAG = """
import json, os, signal
from datetime import datetime, timedelta
from airflow.providers.smtp.notifications.smtp import SmtpNotifier
from airflow.sdk import DAG, AsyncCallback, DeadlineAlert, DeadlineReference, SyncCallback, task

HERE = {folder!r}

def note(word, context):
    ti = context.get("ti")
    said = {{"word": word, "keys": sorted(context), "reason": context.get("reason"), "error": str(context.get("exception")),
            "task": getattr(ti, "task_id", None), "try": getattr(ti, "try_number", None), "pid": os.getpid(),
            "run": context["dag_run"].run_id if hasattr(context["dag_run"], "run_id") else context["dag_run"]["dag_run_id"]}}
    with open(HERE + "/callbacks", "a") as file:
        file.write(json.dumps(said) + "\\n")

def failed(context):
    note("failed", context)

def retried(context):
    note("retried", context)

def dag_failed(context):
    note("dag_failed", context)

def late(context, word):
    note(word, context)

with DAG("web", schedule=None, is_paused_upon_creation=False, on_failure_callback=dag_failed, deadline=[
        DeadlineAlert(DeadlineReference.FIXED_DATETIME(datetime(2020, 1, 1)), timedelta(0), SyncCallback(late, {{"word": "late"}})),
    ]):

    @task(retries=1, retry_delay=timedelta(0), on_failure_callback=[failed, SmtpNotifier(to="ops@example.com", subject="lost {{{{ ti.task_id }}}}")],
          on_retry_callback=retried, email="me@example.com", email_on_retry=False)
    def killed():
        os.kill(os.getpid(), signal.SIGKILL)

    killed()
"""


def said(folder: Path) -> list[dict[str, Any]]:
    """What the callbacks noted, in order."""
    path = folder / "callbacks"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def trigger(platform: Platform) -> None:
    """Wait until the DAG is there, and start a run."""
    wait_until(lambda: platform.rows("SELECT dag_id FROM dags_app_dag"), 120, what="the DAG")
    done = platform.deployment.run("shell", "-c", TRIGGER)
    assert done.returncode == 0, done.stderr


TRIGGER = (
    "from django.db import transaction; from dags_app.models import Dag; from runs.services import run_trigger\n"
    "with transaction.atomic(): run_trigger(dag=Dag.objects.get(pk='web'))"
)
PENDING = "SELECT COUNT(*) FROM runs_deadline WHERE state = 'pending'"
OPEN = "SELECT COUNT(*) FROM runs_callback WHERE state IN ('pending', 'running')"


def delivered(platform: Platform) -> None:
    """Wait until no delivery is open, nor to come of a deadline; fails with those that are."""
    # Deadlines that are over at the end of a run are looked at after it, in transactions of their own.
    wait_until(lambda: platform.rows(PENDING) == [(0,)], 120, what="the deadlines", interval=0.3)
    try:
        wait_until(lambda: platform.rows(OPEN) == [(0,)], 120, what="the deliveries", interval=0.3)
    except AssertionError as error:
        rows = platform.rows("SELECT kind, state, attempts, next_attempt_at, last_output FROM runs_callback")
        raise AssertionError(f"{error}: {rows}\n{platform.report()}") from None


@pytest.mark.parametrize("faults", ["", "callbacks.after_commit:kill", "callback.after_exit:kill", "callback.before_report:kill"])
def test_what_a_killed_task_leaves_is_delivered_whoever_dies_meanwhile(platform: Platform, faults: str) -> None:
    """C09-b: the scheduler or the supervisor is killed between commit, hand-over and report."""
    with mail_server() as box:
        env = platform.deployment.env
        env |= {"AIRFLOW__SMTP__SMTP_HOST": "127.0.0.1", "AIRFLOW__SMTP__SMTP_PORT": str(box.port)}
        env |= {"AIRFLOW__SMTP__SMTP_STARTTLS": "False", "AIRFLOW__CALLBACKS__CALLBACK_RETRY_DELAY_SECONDS": "0.2"}
        if faults:
            # Only here: where a busy machine outlives this lease, a callback runs a second time.
            env |= {"AIRFLOW__CALLBACKS__CALLBACK_LEASE_SECONDS": "10"}
            platform.arm(faults)
        platform.write_dag(DAG.format(folder=str(platform.folder)))
        platform.standalone()
        trigger(platform)
        platform.wait_finished()
        delivered(platform)
        notes = said(platform.folder)
        mails = {message["Subject"]: to for to, message in box.messages}
    rows = platform.rows("SELECT kind, state, attempts, last_output FROM runs_callback ORDER BY id")
    assert {state for _, state, _, _ in rows} == {"delivered"}, rows
    words = {note["word"] for note in notes}
    assert words == {"retried", "failed", "dag_failed", "late"}, (rows, platform.report())
    assert mails.keys() == {
        "lost killed",
        *[name for name in mails if name.startswith("Airflow alert: <TaskInstance: web.killed")],
    }
    assert len(mails) == 2 and mails["lost killed"] == ["ops@example.com"]
    by_word = {note["word"]: note for note in notes}
    # A supervisor that is killed may take the second try along; exactly the tries that were given back come on top.
    ((given_back,),) = platform.rows("SELECT infra_tries FROM runs_taskinstance")
    assert given_back <= faults.startswith("callback.")
    assert min(note["try"] for note in notes if note["word"] == "retried") == 1
    assert by_word["failed"]["try"] == 2 + given_back
    assert "signal 9" in by_word["failed"]["error"] and by_word["dag_failed"]["reason"] == "task_failure"
    assert {"dag", "ds", "params", "task", "ti", "var", "conn", "macros"} - set(by_word["failed"]["keys"]) <= {"ds"}
    if not faults:
        assert len(notes) == 4 and len(box.messages) == 2, notes
    else:
        assert platform.happened() == {faults.split(":")[0]}


def test_alerts_need_no_dag_file_and_failures_together_are_one_mail(platform: Platform) -> None:
    """C09-d, C09-e: the file is broken by the time the alerts go out; ten failures make one mail and one post."""
    text = """
from airflow.sdk import DAG, task
from orchestrator.sdk.notifiers.webhook import WebhookNotifier

with DAG("web", schedule=None, is_paused_upon_creation=False):
    @task(email="me@example.com", on_failure_callback=WebhookNotifier(url={url!r}))
    def fails(number):
        import time
        from pathlib import Path
        while not Path({gate!r}).exists():
            time.sleep(0.05)
        raise ValueError(f"number {{number}}")
    fails.expand(number=list(range(10)))
"""
    gate = platform.folder / "gate"
    with mail_server() as box, web_hook() as hook:
        env = platform.deployment.env
        env |= {"AIRFLOW__SMTP__SMTP_HOST": "127.0.0.1", "AIRFLOW__SMTP__SMTP_PORT": str(box.port)}
        env |= {"AIRFLOW__SMTP__SMTP_STARTTLS": "False"}
        platform.write_dag(text.format(url=hook.url + "/alert", gate=str(gate)))
        platform.standalone()
        trigger(platform)
        wait_until(lambda: platform.states().get("running", 0) == 10, 120, what="the tasks to run")
        platform.write_dag("this is no Python")
        gate.touch()
        platform.wait_finished()
        delivered(platform)
        assert [message["Subject"] for _, message in box.messages] == [
            f"Airflow alert: 10 task instances of web {platform.rows('SELECT run_id FROM runs_dagrun')[0][0]}"
        ]
        ((_, document, _),) = hook.documents
    assert document["count"] == 10 and document["dag_id"] == "web" and document["event"] == "on_failure_callback"
    assert "ValueError" in document["exception"]


def test_a_callback_that_runs_too_long_is_ended_and_its_log_says_so(platform: Platform) -> None:
    """C09-b: own timeout, log and retries."""
    text = """
import os, threading
from airflow.sdk import DAG, task

def endless(context):
    print("begun", flush=True)
    threading.Event().wait()

with DAG("web", schedule=None, is_paused_upon_creation=False):
    @task(on_failure_callback=endless)
    def killed():
        os.kill(os.getpid(), 9)
    killed()
"""
    # Long enough for a busy machine to begin the callback in.
    limits = {"CALLBACK_EXECUTION_TIMEOUT": "10", "CALLBACK_RETRIES": "1", "CALLBACK_RETRY_DELAY_SECONDS": "0.1"}
    platform.deployment.env |= {f"AIRFLOW__CALLBACKS__{name}": value for name, value in limits.items()}
    platform.write_dag(text)
    platform.standalone()
    trigger(platform)
    platform.wait_finished()
    delivered(platform)
    ((state, attempts, output),) = platform.rows("SELECT state, attempts, last_output FROM runs_callback")
    assert (state, attempts) == ("failed", 2) and "ran longer than 10 s" in output
    (log,) = platform.deployment.home.glob("logs/executor_callbacks/web/*/*")
    assert log.read_text().count('"event":"begun"') == 2
