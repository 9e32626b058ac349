"""Decides how backfills are ordered, listed, paused and cancelled by hand; the flags are Airflow's."""

import argparse
import json
from datetime import datetime
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import transaction

from orchestrator.management.command import AirflowCommand
from orchestrator.management.local_arguments import add_output
from orchestrator.management.progress import Progress
from orchestrator.management.stored import actor, stored_dag, stored_spec


class Command(AirflowCommand):
    """``manage.py backfill create|list|pause|unpause|cancel``."""

    help = "Order runs for the past and look after the order."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add one parser per action."""
        actions = parser.add_subparsers(dest="action", required=True)
        create = actions.add_parser("create", help="order the runs of a DAG between two dates")
        create.add_argument("--dag-id", required=True)
        create.add_argument("--from-date", required=True, help="first date, inclusive; partition dates for a partitioned DAG")
        create.add_argument("--to-date", required=True, help="last date, inclusive")
        create.add_argument("--dag-run-conf", help="the runs' conf as JSON")
        create.add_argument("--run-backwards", action="store_true", help="newest date first")
        create.add_argument("--max-active-runs", type=int, default=10, help="runs at once, apart from the DAG's own limit")
        create.add_argument("--reprocess-behavior", choices=("none", "completed", "failed"), default="none")
        create.add_argument("--run-on-latest-version", action=argparse.BooleanOptionalAction, default=None)
        create.add_argument("--dry-run", action="store_true", help="say what would happen to each date and change nothing")
        listed = actions.add_parser("list", help="backfills, newest first")
        listed.add_argument("--dag-id", help="only of this DAG")
        add_output(listed)
        for action, text in (
            ("pause", "no run of the backfill begins any more"),
            ("unpause", "its runs begin again"),
            ("cancel", "end it; runs that have not begun are failed"),
        ):
            actions.add_parser(action, help=text).add_argument("backfill_id", type=int)

    def handle(self, *args: Any, **options: Any) -> None:
        """Do one action; a refusal is one sentence and exit code 1."""
        from runs.backfills.refusals import BackfillRefusedError

        try:
            getattr(self, f"_{options['action']}")(options)
        except BackfillRefusedError as error:
            raise CommandError(str(error)) from error

    def _create(self, options: dict[str, Any]) -> None:
        from orchestrator.kernel.clock import utcnow
        from runs.backfills.plan import Order
        from runs.backfills.selectors import foresee_dates, plan_of, runs_on_latest
        from runs.backfills.services import backfill_create

        dag = stored_dag(options["dag_id"])
        stored_spec(dag)
        order = Order(
            from_date=_instant("--from-date", options["from_date"]),
            to_date=_instant("--to-date", options["to_date"]),
            reprocess=options["reprocess_behavior"],
            run_backwards=options["run_backwards"],
            conf=_conf(options["dag_run_conf"]),
            max_active_runs=_positive(options["max_active_runs"]),
            run_on_latest_version=runs_on_latest(dag, options["run_on_latest_version"]),
        )
        if options["dry_run"]:
            for item in plan_of(dag, order, utcnow()):
                date = item.info.partition_key or item.info.logical_date
                state = item.present.state if item.present else "no run"
                self.stdout.write(f"{date}  {state}  {item.action}" + (f" ({item.reason})" if item.reason else ""))
            return
        foresee_dates(dag, order, utcnow())
        with Progress("dates written") as progress, transaction.atomic():
            backfill = backfill_create(dag, order, user_name=actor(), on_written=progress.part)
        self.stdout.write(f"Backfill {backfill.pk} of {dag.pk}: {backfill.entries.count()} dates")

    def _list(self, options: dict[str, Any]) -> None:
        from runs.models import Backfill

        found = Backfill.objects.order_by("-pk")
        rows = []
        for row in found.filter(dag_id=options["dag_id"]) if options["dag_id"] else found[:100]:
            ended = "cancelled" if row.cancelled_at else "completed" if row.completed_at else ""
            state = ended or ("paused" if row.is_paused else "running")
            dates = {name: getattr(row, name).isoformat() for name in ("from_date", "to_date")}
            rows.append({"id": row.pk, "dag_id": row.dag_id, **dates, "state": state})
        self.show(rows, options)

    def _pause(self, options: dict[str, Any]) -> None:
        from runs.backfills.services import backfill_pause

        with transaction.atomic():
            backfill_pause(_backfill(options), True, actor=actor())

    def _unpause(self, options: dict[str, Any]) -> None:
        from runs.backfills.services import backfill_pause

        with transaction.atomic():
            backfill_pause(_backfill(options), False, actor=actor())

    def _cancel(self, options: dict[str, Any]) -> None:
        from runs.backfills.services import backfill_cancel

        with transaction.atomic():
            backfill_cancel(_backfill(options), actor=actor())


def _backfill(options: dict[str, Any]) -> Any:
    from runs.models import Backfill

    found = Backfill.objects.filter(pk=options["backfill_id"]).first()
    if found is None:
        raise CommandError(f"There is no backfill {options['backfill_id']}; see `manage.py backfill list`")
    return found


def _instant(flag: str, text: str) -> datetime:
    from orchestrator.sdk.definitions.timetables.instants import as_utc

    try:
        return as_utc(datetime.fromisoformat(text))
    except ValueError as error:
        raise CommandError(f"{flag} {text!r} is no ISO date such as 2026-01-31 or 2026-01-31T06:00:00+00:00") from error


def _conf(text: str | None) -> dict[str, Any] | None:
    if not text:
        return None
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise CommandError(f"--dag-run-conf is no JSON: {error}") from error
    if not isinstance(value, dict):
        raise CommandError(f"--dag-run-conf must be a JSON object, not {text!r}")
    return value


def _positive(number: int) -> int:
    if number < 1:
        raise CommandError(f"--max-active-runs must be at least 1, not {number}")
    return number
