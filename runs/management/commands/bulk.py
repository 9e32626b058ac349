"""Decides the command ``manage.py bulk``: order something for many task instances, runs or DAGs, and follow it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandError, CommandParser
from django.db import transaction

from orchestrator.management.command import AirflowCommand
from orchestrator.management.local_arguments import add_output
from orchestrator.management.stored import actor

if TYPE_CHECKING:
    from runs.bulk.requests import Order
    from runs.models import BulkAction

LOOK_EVERY_SECONDS = 0.5
SHOWN = 100


class Command(AirflowCommand):
    """``manage.py bulk order|list|show|follow|failures|cancel``."""

    help = "Clear, mark, hold, stop … many task instances or runs, trigger many DAGs; a scheduler carries it out."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add one parser per action."""
        actions = parser.add_subparsers(dest="action", required=True)
        order = actions.add_parser("order", help="order something, for all that filters choose")
        order.add_argument("target", choices=("task_instances", "dag_runs", "dags"))
        order.add_argument("kind", help="clear, mark_success, hold, note, delete, trigger …: docs/bulk_actions.md")
        order.add_argument(
            *("-f", "--filter"), action="append", default=[], metavar="NAME=VALUE", help="as in the REST lists; repeatable"
        )
        order.add_argument("--option", action="append", default=[], metavar="NAME=VALUE", help="of the kind; repeatable")
        order.add_argument("--reason", default="", help="kept in the audit log")
        order.add_argument("--dry-run", action="store_true", help="count by state and change nothing")
        order.add_argument("--follow", action="store_true", help="wait for the end, with a line of progress")
        listed = actions.add_parser("list", help="orders, newest first")
        add_output(listed)
        listed.add_argument("--open", action="store_true", help="only those that are not over")
        for name, text in (
            ("show", "how far an order is"),
            ("follow", "wait for its end"),
            ("cancel", "begin nothing more of it"),
        ):
            actions.add_parser(name, help=text).add_argument("id", type=int)
        failures = actions.add_parser("failures", help="what could not be done, and why")
        failures.add_argument("id", type=int)
        add_output(failures)

    def handle(self, *args: Any, **options: Any) -> None:
        """Do one action; a refusal is one sentence and exit code 1."""
        getattr(self, f"_{options['action']}")(options)

    def _order(self, options: dict[str, Any]) -> None:
        from accounts.later import Authority, Giver
        from accounts.services import audit_write
        from orchestrator.kernel.clock import utcnow
        from runs.bulk.services import bulk_order

        order, who = _read(options), actor()
        if options["dry_run"]:
            self.stdout.write(_told(order))
            return
        with transaction.atomic():
            action = bulk_order(order, Giver(who, Authority.COMMAND_LINE), door="cli", now=utcnow(), reason=options["reason"])
            extra = {"target": order.target, "kind": order.kind, **order.selection, "options": order.options}
            audit_write("create_bulk_action", actor=who, extra=extra | {"bulk_action": action.pk}, reason=action.reason)
        self.stdout.write(f"Ordered as bulk action {action.pk}.")
        self._say_who_works()
        if options["follow"]:
            self._wait(action)

    def _say_who_works(self) -> None:
        from orchestrator.kernel.clock import utcnow
        from orchestrator.processes.selectors import processes_alive

        if not list(processes_alive("scheduler", utcnow())):
            self.stderr.write("No scheduler is alive: it begins when one is started.")

    def _list(self, options: dict[str, Any]) -> None:
        from runs.models import BulkAction

        rows = BulkAction.objects.order_by("-pk")
        rows = rows.filter(state__in=("queued", "running")) if options["open"] else rows
        self.show([_row(row) for row in rows[:SHOWN]], options)

    def _show(self, options: dict[str, Any]) -> None:
        from runs.bulk.progress import line

        action = _found(options["id"])
        self.stdout.write(f"{action}\n{line(action)}")

    def _follow(self, options: dict[str, Any]) -> None:
        self._wait(_found(options["id"]))

    def _wait(self, action: BulkAction) -> None:
        """Write a line of progress until the end, over itself on a terminal; exit code 1 unless it is done without failures."""
        from threading import Event

        from runs.bulk.progress import line

        is_terminal, said = self.stdout.isatty(), ""
        while True:
            action.refresh_from_db()
            if (text := line(action)) != said:
                self.stdout.write(f"\r\x1b[K{text}" if is_terminal else text, ending="" if is_terminal else "\n")
                self.stdout.flush()
                said = text
            if not action.is_open:
                break
            Event().wait(LOOK_EVERY_SECONDS)
        if is_terminal:
            self.stdout.write("")
        if action.state != "done" or action.failed:
            raise SystemExit(1)

    def _failures(self, options: dict[str, Any]) -> None:
        rows = _found(options["id"]).failures.order_by("pk")
        names = ("dag_id", "run_id", "task_id", "map_index", "error")
        self.show([{name: getattr(row, name) for name in names} for row in rows], options)

    def _cancel(self, options: dict[str, Any]) -> None:
        from accounts.services import audit_write
        from orchestrator.kernel.clock import utcnow
        from runs.bulk.services import NotOpenError, bulk_cancel

        found = _found(options["id"])
        try:
            with transaction.atomic():
                action = bulk_cancel(found, now=utcnow())
                audit_write("cancel_bulk_action", actor=actor(), extra={"bulk_action": action.pk, "done": action.done})
        except NotOpenError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Bulk action {action.pk} is cancelled; {action.done:,} of {action.total:,} were done.")


def _read(options: dict[str, Any]) -> Any:
    from orchestrator.rest.errors import InvalidError, RestError
    from runs.bulk.requests import read_order

    filters = {name: values if len(values) > 1 else values[0] for name, values in _pairs("--filter", options["filter"]).items()}
    given = {name: values[-1] for name, values in _pairs("--option", options["option"]).items()}
    try:
        return read_order(options["target"], options["kind"], filters, None, given)
    except InvalidError as error:
        told = (f"{'.'.join(str(part) for part in item['loc'][1:])}: {item['msg']}" for item in error.detail)
        raise CommandError("; ".join(told)) from error
    except RestError as error:
        raise CommandError(str(error.detail)) from error


def _told(order: Order) -> str:
    """Return in a line what an order would touch; each DAG gets a run of its own, so that only the others are "in" runs."""
    from runs.bulk.kinds import Target
    from runs.bulk.selection import foreseen

    found = foreseen(order)
    states = ", ".join(f"{number:,} {state}" for state, number in sorted(found.by_state.items()))
    where = f"{found.total:,} DAGs" if order.target == Target.DAGS else f"{found.total:,} in {found.runs:,} runs"
    return f"{where}: {states}" if states else where


def _pairs(flag: str, words: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for word in words:
        name, sign, value = word.partition("=")
        if not sign or not name:
            raise CommandError(f"{flag} {word!r} is no NAME=VALUE")
        found.setdefault(name, []).append(value)
    return found


def _found(number: int) -> BulkAction:
    from runs.models import BulkAction

    action = BulkAction.objects.filter(pk=number).first()
    if action is None:
        raise CommandError(f"There is no bulk action {number}; see `bulk list`.")
    return action


def _row(action: BulkAction) -> dict[str, Any]:
    names = ("id", "kind", "target", "actor", "state", "total", "done", "changed", "failed")
    moments = {name: getattr(action, name) for name in ("created_at", "ended_at")}
    return {name: getattr(action, name) for name in names} | {
        name: moment.isoformat(timespec="seconds") if moment else None for name, moment in moments.items()
    }
