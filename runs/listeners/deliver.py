"""Decides when listeners are told: a duty of the scheduler hands waiting events to a parse process, in order.

Each event is told at least once; one whose process dies or ends late is told again, three times at most.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.db import transaction

from dags_app.plugins import hooks_heard
from orchestrator.config import conf
from orchestrator.database import for_update
from orchestrator.kernel.clock import monotonic, utcnow
from orchestrator.kernel.ids import new_id
from orchestrator.kernel.service import Result
from orchestrator.sdk.parsing.protocol import ParseRequest, ParseResponse
from runs.listeners.outbox import KIND
from runs.models import Callback

log = logging.getLogger(__name__)

TIMEOUT_SECONDS = 60.0
LEASE = timedelta(seconds=TIMEOUT_SECONDS + 30)
BATCH = 100
MOST_ATTEMPTS = 3
POLL_SECONDS = 0.2
State = Callback.State


class TellListeners:
    """Owns the process in which listeners run. Where no plugin listens it neither asks the database nor starts one."""

    name = "tell_listeners"

    def __init__(self) -> None:
        self._client: Any = None
        self._told: dict[int, list[int]] = {}
        self._dispatch = new_id()
        self._look_at = 0.0

    def run_once(self, limit: int) -> Result:
        """Take answers, then hand over what waits; one batch at a time keeps the order of events."""
        done = self._take()
        if not hooks_heard() and not self._told:
            self._rest()
            return Result(done=done)
        if not self._told and monotonic() >= self._look_at:
            self._look_at = monotonic() + POLL_SECONDS  # a busy scheduler goes round by the hundred a second
            done += self._hand_over(utcnow())
        self._rest()
        return Result(done=done, next_in=POLL_SECONDS)

    def close(self) -> None:
        """End the process."""
        if self._client is not None:
            self._client.close()

    def _hand_over(self, now: datetime) -> int:
        with transaction.atomic():
            rows = _claim(now, self._dispatch)
        if rows:
            events = [row.payload for row in rows]
            self._told[self._parse_client().submit(_request(events))] = [row.pk for row in rows]
        return len(rows)

    def _take(self) -> int:
        if self._client is None:
            return 0
        responses = self._client.collect()
        for response in responses:
            with transaction.atomic():
                _finish(self._told.pop(response.id, []), response, self._dispatch)
        return len(responses)

    def _parse_client(self) -> Any:
        if self._client is None:
            from dags_app.processor.parse_client import ParseClient

            self._client = ParseClient()
        return self._client

    def _rest(self) -> None:
        if self._client is not None:
            self._client.close_if_idle()


def _claim(now: datetime, dispatch: Any) -> list[Callback]:
    mine = Callback.objects.filter(kind=KIND)
    mine.filter(state=State.RUNNING, lease_until__lt=now).update(state=State.PENDING, dispatch_id=None)
    if mine.filter(state=State.RUNNING).exists():
        return []  # another scheduler tells events now; these come after them
    rows = list(for_update(mine.filter(state=State.PENDING).order_by("pk"))[:BATCH])
    ids = [row.pk for row in rows]
    if ids:
        mine.filter(pk__in=ids).update(state=State.RUNNING, dispatch_id=dispatch, lease_until=now + LEASE)
    return rows


def _finish(ids: list[int], response: ParseResponse, dispatch: Any) -> None:
    rows = Callback.objects.filter(pk__in=ids, state=State.RUNNING, dispatch_id=dispatch)
    now = utcnow()
    if not response.import_error:
        rows.update(state=State.DELIVERED, delivered_at=now, lease_until=None)
        return
    log.warning("Listeners could not be told of %d events: %s", len(ids), response.import_error)
    for row in rows:
        ended = row.attempts + 1 >= MOST_ATTEMPTS
        row.state, row.attempts = State.FAILED if ended else State.PENDING, row.attempts + 1
        row.last_output, row.lease_until, row.dispatch_id = response.import_error[:10_000], None, None
        row.save(update_fields=["state", "attempts", "last_output", "lease_until", "dispatch_id"])


def _request(events: list[dict[str, Any]]) -> ParseRequest:
    from dags_app.processor.plugin_reports import example_plugins_folder

    folder = Path(conf.get("logging", "dag_processor_child_process_log_directory"))
    return ParseRequest(
        id=0,
        path="",
        relative_fileloc="listeners",
        bundle_path="",
        timeout_seconds=TIMEOUT_SECONDS,
        log_path=str(folder / utcnow().strftime("%Y-%m-%d") / "listeners.log"),
        sys_path=[str(conf.home / "config"), str(conf.get("core", "plugins_folder")), str(conf.get("core", "dags_folder"))],
        plugins_folder=str(conf.get("core", "plugins_folder")),
        examples_folder=example_plugins_folder(),
        ignore_syntax=conf.get("core", "dag_ignore_file_syntax"),
        kind="events",
        events=events,
    )
