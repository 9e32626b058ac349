"""Decides which lists of the REST API are measured on a database with a long history, and how they are shown."""

from __future__ import annotations

from django.test import Client

from benchmarks.measures.asking import Figures, asked


def measure(repeat: int) -> list[Figures]:
    """Ask for each list ``repeat`` times in this process, without a network; milliseconds and number of queries."""
    from accounts.models import User
    from accounts.tokens import token_for

    admin = User.objects.filter(username="bench").first() or User.objects.create_superuser("bench", password="bench-only")
    client = Client(headers={"Authorization": f"Bearer {token_for(admin, lifetime_seconds=3600)}"}, SERVER_NAME="localhost")
    return [_one(client, name, path, repeat) for name, path in _lists().items()]


def as_markdown(rows: list[Figures]) -> str:
    """The table for the README, with the number of rows of the database."""
    from runs.models import DagRun, TaskInstance

    head = f"{DagRun.objects.count():,} runs, {TaskInstance.objects.count():,} task instances\n\n"
    lines = ["| list | p50 | p95 | queries | rows |", "| --- | --- | --- | --- | --- |"]
    lines += [f"| {r['name']} | {r['p50_ms']:.1f} ms | {r['p95_ms']:.1f} ms | {r['queries']} | {r['rows']} |" for r in rows]
    return head + "\n".join(lines)


def _lists() -> dict[str, str]:
    from runs.models import DagRun

    middle = DagRun.objects.order_by("-run_after")[DagRun.objects.count() // 2]
    dag, everything, run = middle.dag_id, "dags/~/dagRuns", f"dags/{middle.dag_id}/dagRuns/{middle.run_id}"
    instances = "dags/~/dagRuns/~/taskInstances"
    day = middle.run_after.strftime("%Y-%m-%dT00:00:00Z")
    return {
        "DAGs": "dags?limit=100",
        "DAGs by a tag": "dags?limit=100&tags=tag_3",
        "DAGs by a pattern": "dags?limit=100&dag_id_pattern=%25_00%25",
        "DAGs by the state of their last run": "dags?limit=100&last_dag_run_state=failed",
        "DAGs by the start of their last run": "dags?limit=100&order_by=-last_run_start_date",
        "runs of a DAG": f"dags/{dag}/dagRuns?limit=100",
        "runs of a DAG, newest first": f"dags/{dag}/dagRuns?limit=100&order_by=-run_after",
        "runs of a DAG that failed": f"dags/{dag}/dagRuns?limit=100&state=failed&order_by=-start_date",
        "all runs": f"{everything}?limit=100",
        "all runs, newest first": f"{everything}?limit=100&order_by=-run_after",
        "all runs, by start": f"{everything}?limit=100&order_by=-start_date",
        "all runs that failed, newest first": f"{everything}?limit=100&state=failed&order_by=-run_after",
        "all runs that run": f"{everything}?limit=100&state=running",
        "all runs after a day": f"{everything}?limit=100&run_after_gte={day}&order_by=run_after",
        "all runs, an id pattern": f"{everything}?limit=100&run_id_pattern=scheduled__2026-02-1%25",
        "task instances of a run": f"{run}/taskInstances?limit=100",
        "task instances of a DAG, newest first": f"dags/{dag}/dagRuns/~/taskInstances?limit=100&order_by=-start_date",
        "all task instances": f"{instances}?limit=100",
        "all task instances, newest first": f"{instances}?limit=100&order_by=-start_date",
        "all task instances that failed": f"{instances}?limit=100&state=failed",
        "all task instances that failed, newest first": f"{instances}?limit=100&state=failed&order_by=-start_date",
        "all task instances that run": f"{instances}?limit=100&state=running",
        "all task instances, the first keyset page": f"{instances}?limit=100&cursor=",
        "all task instances of a pool": f"{instances}?limit=100&pool=pool_3",
        "all task instances of a task": f"{instances}?limit=100&task_id=task_07",
        "all task instances after a day": f"{instances}?limit=100&run_after_gte={day}",
        "all task instances, by the time of their run": f"{instances}?limit=100&order_by=-run_after",
        "event log": "eventLogs?limit=100",
    }


def _one(client: Client, name: str, path: str, repeat: int) -> Figures:
    answer, figures = asked(client, name, f"/api/v2/{path.replace('+', '%2B')}", repeat)
    rows = max((len(value) for value in answer.json().values() if isinstance(value, list)), default=0)
    return figures | {"rows": rows}
