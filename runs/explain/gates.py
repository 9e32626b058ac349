"""Decides what holds back everything of a run: its DAG, a hold, an error, a scheduler that is not there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from dags_app.models import Dag, ParseImportError
from runs.explain.answer import Blocker, Explanation, of_dag, of_hold, of_part, said
from runs.explain.platform import Platform
from runs.explain.reasons import Reason
from runs.models import DagRun, Hold


def of_schedulers(parts: Platform) -> Iterator[Explanation]:
    """No scheduler lives."""
    if not parts.alive("scheduler"):
        seen = max((row.heartbeat_at for row in parts.rows if row.kind == "scheduler"), default=None)
        last = f"the last heartbeat was at {said(seen)}" if seen else "there is none"
        yield Explanation(
            Reason.SCHEDULER_DOWN, f"No scheduler is alive ({last}): start `manage.py scheduler`.", (of_part("scheduler"),), seen
        )


def of_dag_row(dag: Dag | None, dag_id: str) -> Iterator[Explanation]:
    """The DAG is gone, without a version, stale or paused."""
    if dag is None:
        yield Explanation(
            Reason.DAG_GONE, f"DAG {dag_id} was deleted: nothing of it begins any more.", (of_dag(dag_id, "deleted"),)
        )
        return
    if dag.is_stale:
        yield _stale(dag)
    if dag.latest_version_id is None:
        text = f"DAG {dag_id} has no version yet: the DAG processor has not read its file {dag.relative_fileloc}."
        yield Explanation(Reason.NO_VERSION, text, (of_dag(dag_id, "no version"),))
    if dag.is_paused:
        yield Explanation(Reason.DAG_PAUSED, f"DAG {dag_id} is paused: switch it on.", (of_dag(dag_id, "paused"),))


def _stale(dag: Dag) -> Explanation:
    error = ParseImportError.objects.filter(bundle_id=dag.bundle_id, filename=dag.relative_fileloc).first()
    if error is None:
        text = f"The file {dag.relative_fileloc} does not define DAG {dag.pk} any more."
        return Explanation(Reason.DAG_STALE, text, (of_dag(dag.pk, "stale"),), dag.last_parsed_time)
    return import_error(dag, error)


def import_error(dag: Dag, error: ParseImportError) -> Explanation:
    """The file cannot be read; the last line of the traceback says why."""
    why = (error.stacktrace.strip().splitlines() or ["unknown"])[-1]
    link = f"/api/v2/importErrors/{error.pk}"
    blocker = Blocker("import_error", str(error.pk), error.filename, "failed", link)
    return Explanation(Reason.IMPORT_ERROR, f"The file of DAG {dag.pk} cannot be imported: {why}", (blocker,), error.timestamp)


def of_errors(run: DagRun | None, dag: Dag | None, now: datetime) -> Iterator[Explanation]:
    """The scheduler could not handle the run or the DAG, and tries again later."""
    for row, blocker in ((run, None), (dag, of_dag(dag.pk, "set aside") if dag else None)):
        if row is not None and row.scheduling_error and row.scheduling_retry_at and row.scheduling_retry_at > now:
            text = (
                f"The scheduler could not handle it ({row.scheduling_error}) and tries again at {said(row.scheduling_retry_at)}."
            )
            yield Explanation(Reason.SET_ASIDE, text, (blocker,) if blocker else (), None, row.scheduling_retry_at)
            return


def of_holds(run: DagRun, holds: Sequence[Hold], task_id: str = "", map_index: int = -1) -> Iterator[Explanation]:
    """A person holds the run, the task or the index."""
    for hold in holds:
        if hold.task_id not in ("", task_id) or hold.map_index not in (-1, map_index):
            continue
        own = "until that is done" if hold.bulk_action_id else "until somebody lets it go on"
        until = f"until {said(hold.until)}" if hold.until else own
        what = f"Task {hold.task_id}" if hold.task_id else f"Run {run.run_id}"
        why = f": {hold.reason}" if hold.reason else ""
        text = f"{what} is held by {hold.held_by} {until}{why}."
        yield Explanation(Reason.HELD, text, (of_hold(run, hold.held_by),), hold.created_at, hold.until)


def holds_of(run: DagRun) -> list[Hold]:
    """Return what is held of a run."""
    return holds_of_all([run])[run.pk]


def holds_of_all(runs: Sequence[DagRun]) -> dict[int, list[Hold]]:
    """Return what is held of each of some runs."""
    found: dict[int, list[Hold]] = {run.pk: [] for run in runs}
    for hold in Hold.objects.filter(dag_run__in=list(found)).order_by("task_id", "map_index") if found else ():
        found[hold.dag_run_id].append(hold)
    return found
