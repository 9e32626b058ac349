"""Deadlines of a run, a task and a group. The file ``deadlines.txt`` in the home shows which were missed."""

import os
import time
from datetime import datetime, timedelta
from pathlib import Path

from airflow.sdk import DAG, DeadlineAlert, DeadlineReference, SyncCallback, TaskGroup, task
from airflow.sdk.definitions.deadline import HistoryInterval, TaskDeadline


def late(context, what):
    deadline = context["deadline"]
    with (Path(os.environ.get("AIRFLOW_HOME", ".")) / "deadlines.txt").open("a") as file:
        file.write(f"{what} of {context['dag_run']['run_id']}: {deadline['deadline_time']}\n")


# Airflow's own: the run should be over one second after it was queued.
RUN = DeadlineAlert(DeadlineReference.DAGRUN_QUEUED_AT, timedelta(seconds=1), SyncCallback(late, {"what": "run"}))
# An hour after the run began, all of the group should be over.
GROUP = TaskDeadline.not_finished_by(
    DeadlineReference.DAGRUN_STARTED_AT, SyncCallback(late, {"what": "group"}), timedelta(hours=1)
)
# No attempt should run longer than a second, nor, once there is a history, twice as long as usual.
TASK = TaskDeadline.running_longer_than(timedelta(seconds=1), SyncCallback(late, {"what": "task"}))
SLOW = TaskDeadline.running_longer_than(HistoryInterval(percentile=95, factor=2.0), SyncCallback(late, {"what": "slow task"}))

with DAG("example_deadline", start_date=datetime(2026, 1, 1), schedule=None, tags=["example"], deadline=RUN, doc_md=__doc__):

    @task(deadline=[TASK, SLOW])
    def slow():
        time.sleep(3)

    with TaskGroup("report", deadline=GROUP):
        slow()
