"""Decides what becomes of the items of one part: done, refused or left as they are, each for itself (I4)."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import InterfaceError, OperationalError, transaction

from accounts.access import Access
from accounts.later import may_change
from accounts.models import AuditLog
from accounts.services import audit_row, audit_write_all
from dags_app.selectors import SpecUnreadableError
from orchestrator.database import for_update
from runs.bulk.acts import ACTS, THE_ITEM, GoneError, Job, Place
from runs.bulk.dag_acts import DAG_ACTS
from runs.bulk.kinds import Kind, Target
from runs.bulk.requests import kind_of, options_of
from runs.models import BulkAction, BulkFailure, BulkPart, DagRun, Hold, StateChange
from runs.rerun_versions import VersionUnavailableError
from runs.retry_orders import NotWaitingError
from runs.services import DagUnavailableError, ParamsInvalidError, RunExistsError
from runs.services_clear import RunningTaskError
from runs.services_delete import RunUnfinishedError
from runs.services_hold import HoldRefusedError, hold_place, hold_release
from runs.states import DAG_RUN_FINISHED

log = logging.getLogger(__name__)

LONGEST_ERROR = 2000


class _WholeRunError(Exception):
    """Nothing of the run can be done, whatever the item."""


# What the services say in a sentence for people; anything else is a fault of ours and is logged as such.
_REFUSALS = (
    DagUnavailableError,
    GoneError,
    HoldRefusedError,
    NotWaitingError,
    ParamsInvalidError,
    RunExistsError,
    RunningTaskError,
    RunUnfinishedError,
    SpecUnreadableError,
    VersionUnavailableError,
    _WholeRunError,
)


@dataclass(slots=True)
class Tally:
    """What came of a part."""

    done: int = 0
    changed: int = 0
    failures: list[BulkFailure] = field(default_factory=list)
    audit: list[AuditLog] = field(default_factory=list)


def carry_out(action: BulkAction, part: BulkPart, access: Access | None, now: datetime) -> Tally:
    """Do one part in the caller's transaction; a transaction that is broken raises, whatever else goes wrong is counted."""
    crew = _Crew(action, part, now)
    allowed = may_change(access, {run["dag_id"] for run in part.runs})
    for run in part.runs:  # by primary key, DAGs by id: the order in which they are locked
        places = [Place(*item) for item in run["items"]]
        if run["dag_id"] in allowed:
            crew.work(run, places)
        else:
            crew.refuse(run, places, f"{action.actor} may not change DAG {run['dag_id']!r} any more")
    audit_write_all(crew.tally.audit)
    return crew.tally


class _Crew:
    """Goes through the runs of one part."""

    def __init__(self, action: BulkAction, part: BulkPart, now: datetime) -> None:
        self.action, self.part, self.now = action, part, now
        self.kind: Kind = kind_of(action)
        is_first = part.run_part == 1
        self.job = Job(action.actor, action.reason, options_of(action), now, is_first, action.pk, action.door)
        self.tally = Tally()

    def work(self, run: dict[str, Any], places: Sequence[Place]) -> None:
        """Do the items of a run together; where one of them cannot be done, each alone, so that the others are."""
        error = self._try(run, places)
        if isinstance(error, _WholeRunError) or (error is not None and len(places) <= 1):
            self.refuse(run, places, _said(error))
        elif error is not None:
            for place in places:
                if (single := self._try(run, [place])) is not None:
                    self.refuse(run, [place], _said(single))
        if self.part.run_parts > 1 and self.kind.keeps_still:
            self._keep_still(run["pk"])

    def refuse(self, run: dict[str, Any], places: Sequence[Place], error: str) -> None:
        """Count items as failed, each with the reason."""
        for place in places or [THE_ITEM]:
            names = {"dag_id": run["dag_id"], "run_id": run["run_id"], "task_id": place.task_id, "map_index": place.map_index}
            failure = BulkFailure(action=self.action, error=error[:LONGEST_ERROR], at=self.now, **names)
            self.tally.failures.append(failure)
            self.tally.done += 1

    def _try(self, run: dict[str, Any], places: Sequence[Place]) -> Exception | None:
        """Return why it could not be done; nothing of it is left in the database then."""
        try:
            with transaction.atomic():
                changed = self._act(run, places)
        except (OperationalError, InterfaceError):
            raise  # the transaction is lost, not the item
        except Exception as error:
            if len(places) <= 1 and not isinstance(error, _REFUSALS):
                log.exception("%s: %s of run %s cannot be done", self.action, places or "all", run["run_id"])
            return error
        self.tally.done += len(places) or 1
        self.tally.changed += len(changed)
        self.tally.audit += self._audit(run, changed)
        return None

    def _act(self, run: dict[str, Any], places: Sequence[Place]) -> set[Place]:
        if self.action.target == Target.DAGS:
            return DAG_ACTS[self.action.kind](self.job, run["dag_id"])
        return ACTS[self.action.target, self.action.kind](self.job, self._locked(run["pk"]), places)

    def _locked(self, run_pk: int) -> DagRun:
        """Lock the run and refuse to open one that somebody ended since the order (C21-b)."""
        run = for_update(DagRun.objects.filter(pk=run_pk)).first()
        if run is None:
            raise _WholeRunError("the run was deleted meanwhile")
        if self.kind.reopens and run.state in DAG_RUN_FINISHED:
            ends = StateChange.objects.filter(dag_run=run, task_id="", at__gt=self.action.created_at, to_state=run.state)
            if (end := ends.exclude(actor="").order_by("-pk").first()) is not None:
                raise _WholeRunError(f"the run was ended by {end.actor} after this was ordered, so it stays ended")
        return run

    def _audit(self, run: dict[str, Any], changed: Collection[Place]) -> Iterator[AuditLog]:
        """One row per item that changed, as the single action writes it."""
        if not self.kind.event:
            return
        extra = {"bulk_action": self.action.pk, "kind": self.action.kind, **self.action.options}
        for place in sorted(changed):
            ids: dict[str, Any] = {"dag_id": run["dag_id"], "run_id": run["run_id"]}
            if place.task_id:
                ids |= {"task_id": place.task_id, "map_index": place.map_index}
            yield audit_row(self.kind.event, actor=self.action.actor, extra=extra, **ids)

    def _keep_still(self, run_pk: int) -> None:
        """Hold a run that is not done with this part; with its last part it goes on."""
        run = DagRun.objects.filter(pk=run_pk).exclude(state__in=list(DAG_RUN_FINISHED)).first()
        if self.part.run_part == self.part.run_parts:
            holds_end(self.action, run_pk)
        elif run is not None and not Hold.objects.filter(dag_run=run, task_id="").exists():
            why = f"bulk action {self.action.pk} ({self.action.kind}) changes its task instances"
            hold_place(run, by=self.action.actor, now=self.now, reason=why, bulk_action=self.action)


def _said(error: Exception) -> str:
    return str(error) if isinstance(error, _REFUSALS) else f"{type(error).__name__}: {error}"


def holds_end(action: BulkAction, run_pk: int | None = None) -> None:
    """Let the runs go on that the action still holds, or one of them."""
    holds = Hold.objects.filter(bulk_action=action)
    for hold in (holds.filter(dag_run_id=run_pk) if run_pk is not None else holds).order_by("dag_run_id"):
        hold_release(hold)
