"""What is called when tasks and runs end: functions, a notifier, and the end of a run. The file ``callbacks.txt`` shows it."""

import os
from datetime import datetime, timedelta
from pathlib import Path

from airflow.sdk import DAG, BaseNotifier, task

NOTES = Path(os.environ.get("AIRFLOW_HOME", ".")) / "callbacks.txt"


def note(text):
    with NOTES.open("a") as file:
        file.write(text + "\n")


def on_retry(context):
    note(f"retry: {context['ti'].task_id} try {context['ti'].try_number}")


def on_failure(context):
    note(f"failure: {context['ti'].task_id}: {context['exception']}")


def on_dag_failure(context):
    note(f"run: {context['dag_run'].run_id} {context['reason']}")


class NoteNotifier(BaseNotifier):
    """Writes a line; its text is a template."""

    template_fields = ("text",)

    def __init__(self, text, **kwargs):
        super().__init__(**kwargs)
        self.text = text

    def notify(self, context):
        note(self.text)


with DAG(
    "example_callbacks",
    start_date=datetime(2026, 1, 1),
    schedule=None,
    tags=["example"],
    on_failure_callback=[on_dag_failure, NoteNotifier("notifier: {{ dag.dag_id }} {{ reason }}")],
    doc_md=__doc__,
):

    @task(on_success_callback=NoteNotifier("success: {{ ti.task_id }}"))
    def succeeds():
        return 1

    # To be told by e-mail: email="you@example.com", with the [smtp] options or the connection smtp_default.
    @task(retries=1, retry_delay=timedelta(0), on_retry_callback=on_retry, on_failure_callback=on_failure)
    def fails(number):
        raise ValueError(f"number {number} is wrong")

    # SIGKILL leaves no process that could call anything: the server has a worker do it.
    @task(on_failure_callback=on_failure)
    def is_killed():
        os.kill(os.getpid(), 9)

    [fails(succeeds()), is_killed()]
