"""Decides the command ``state-store``: values of tasks that have expired go now, not with the scheduler's next look."""

from __future__ import annotations

from argparse import ArgumentParser

from orchestrator.management.command import Action, AirflowCommand, Options
from orchestrator.management.progress import Progress


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--dry-run", action="store_true", help="only say what would go")


def _clean(command: AirflowCommand, options: Options) -> None:
    from django.db import transaction

    from orchestrator.kernel.clock import utcnow
    from runs.models import TaskState
    from runs.stores import DELETED_AT_ONCE, task_values_expire

    now = utcnow()
    expired = TaskState.objects.filter(expires_at__lte=now)
    number = expired.count()
    if not number:
        command.stdout.write("Nothing to delete.")
    elif options["dry_run"]:
        command.stdout.write(f"Would delete {number} task state store row(s):")
        for row in expired.select_related("dag_run").order_by("expires_at").iterator():
            place = f"Dag {row.dag_run.dag_id!r}, run {row.dag_run.run_id!r}, task {row.task_id!r}, map_index {row.map_index!r}"
            command.stdout.write(f"  {place}, key {row.key!r}")
    else:
        gone, more = 0, DELETED_AT_ONCE
        with Progress("values deleted", number) as progress:
            while more == DELETED_AT_ONCE:
                with transaction.atomic():
                    more = task_values_expire(now)
                gone += more
                progress.add(more)
        command.stdout.write(f"Deleted {gone} task state store row(s).")


class Command(AirflowCommand):
    """With Airflow's flags."""

    help = "Look after the values that tasks keep."
    actions = (Action("clean", "delete values that have expired", _clean, _arguments),)
