"""Decides the shape of one DAG by the name of this file, `<shape>_<size>.py`, so that a process parses only what it needs.

The benchmark copies this file, once for each DAG. It uses only names that Airflow has too.
"""

from datetime import datetime
from pathlib import Path

from airflow.sdk import DAG, chain, task

MARK = "unchanged"
NAME = Path(__file__).stem
SHAPE, SIZE = NAME.rsplit("_", 1)


@task
def noop(number=0):
    return None


@task(do_xcom_push=True)
def numbers():
    return list(range(int(SIZE)))


def tasks():
    return [noop.override(task_id=f"task_{number}")() for number in range(int(SIZE))]


with DAG(NAME, schedule="@once" if SHAPE == "once" else None, start_date=datetime(2024, 1, 1), catchup=False, description=MARK):
    if SHAPE == "chain":
        chain(*tasks())
    elif SHAPE == "fan":
        noop.override(task_id="first")() >> tasks() >> noop.override(task_id="last")()
    elif SHAPE == "mapped":
        noop.override(task_id="mapped").expand(number=list(range(int(SIZE))))
    elif SHAPE == "expand":
        noop.override(task_id="mapped", max_active_tis_per_dagrun=1).expand(number=numbers())
    else:
        tasks()

if SHAPE == "expand":
    with DAG(f"{NAME}_beside", schedule=None, start_date=datetime(2024, 1, 1), catchup=False):
        chain(*[noop.override(task_id=f"task_{number}")() for number in range(100)])
