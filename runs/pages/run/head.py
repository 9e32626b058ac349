"""Decides what stands above all pages of a run: what it is, its duration against the usual, its neighbours, what one may do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.urls import NoReverseMatch, reverse

from accounts.access import Verdict, access_of
from accounts.roles import Role
from dags_app.models import DagVersion
from orchestrator.ui.texts import markdown
from runs.clear_selection import deciding_version
from runs.explain.gates import holds_of
from runs.models import DagRun, Hold
from runs.pages.rows import elapsed
from runs.pages.run.given_params import conf_of, short
from runs.pages.run.run_facts import SIBLINGS, RunFacts, facts_of
from runs.pages.usual import deviation, of_successes, usual
from runs.states import DAG_RUN_FINISHED, DagRunState

# Of those that succeeded so many make what is usual.
MEASURED = 20
_LIGHT = ("pk", "dag_id", "run_id", "run_type", "state", "logical_date", "run_after", "start_date", "end_date")


@dataclass(frozen=True, slots=True)
class RunHead:
    """What the head shows. ``earlier``: the runs before this one, newest first; ``deciding``: the version that decides it."""

    run: DagRun
    dag_name: str
    is_dag_there: bool
    version: int | None
    newest_version: int | None
    deciding: DagVersion | None
    earlier: Sequence[DagRun]
    later: Sequence[DagRun]
    seconds: float | None
    usual: float | None
    measured: int
    holds: Sequence[Hold]
    may_act: bool
    note: str
    compare_url: str

    @property
    def older(self) -> DagRun | None:
        """The run before."""
        return self.earlier[0] if self.earlier else None

    @property
    def newer(self) -> DagRun | None:
        """The run after."""
        return self.later[-1] if self.later else None

    @property
    def siblings(self) -> list[DagRun]:
        """The runs around this one, newest first."""
        return [*self.later, self.run, *self.earlier[:SIBLINGS]]

    @property
    def is_over(self) -> bool:
        """Whether the run is finished."""
        return self.run.state in DAG_RUN_FINISHED

    @property
    def is_failed(self) -> bool:
        """Whether the run failed."""
        return self.run.state == DagRunState.FAILED

    @property
    def compared(self) -> str:
        """How the duration differs from the usual one: ``+38 %``; empty where it does not, or nobody knows."""
        if not self.usual or self.seconds is None or not (self.is_over or self.seconds > self.usual):
            return ""
        return deviation(self.seconds, self.usual)

    @property
    def is_slow(self) -> bool:
        """Whether it takes half as long again as usual."""
        return bool(self.usual and self.seconds and self.seconds > 1.5 * self.usual)

    @property
    def hold(self) -> Hold | None:
        """The hold of the whole run."""
        return next((hold for hold in self.holds if not hold.task_id), None)

    @property
    def conf(self) -> list[tuple[str, str]]:
        """The configuration, a short text for each value."""
        return [(str(key), short(value, str(key))) for key, value in conf_of(self.run).items()]

    @property
    def last_success(self) -> DagRun | None:
        """The newest run before this one that succeeded, if it is among those looked at."""
        return next((run for run in self.earlier if run.state == DagRunState.SUCCESS), None)


def head_of(run: DagRun, user: Any) -> RunHead:
    """Return the head of the pages of a run that was read ``with_facts``; made once for each run that a page has loaded."""
    known: RunHead | None = vars(run).get("shown_head")
    if known is None:
        known = vars(run)["shown_head"] = _made(run, user)
    return known


def _made(run: DagRun, user: Any) -> RunHead:
    facts, own = facts_of(run), run.created_dag_version
    newest = facts.newest_version
    earlier, later = _beside(facts)
    durations = of_successes(earlier)[:MEASURED]
    return RunHead(
        run=run,
        dag_name=(facts.dag[0][0] if facts.dag else "") or run.dag_id,
        is_dag_there=bool(facts.dag),
        version=own.version_number if own else None,
        newest_version=newest.version_number if newest else None,
        deciding=deciding_version(run, own, newest),
        earlier=earlier,
        later=later,
        seconds=elapsed(run.start_date, run.end_date),
        usual=usual(durations),
        measured=len(durations),
        holds=holds_of(run) if facts.has_holds and run.state not in DAG_RUN_FINISHED else [],
        may_act=access_of(user).on_dag(Role.USER, run.dag_id) is Verdict.GRANTED,
        note=markdown(run.note) if run.note else "",
        compare_url=_compare_url(run, earlier),
    )


def version_numbers(version_ids: Iterable[Any]) -> dict[Any, int]:
    """Return the numbers of versions by id; their documents are not read."""
    wanted = {version_id for version_id in version_ids if version_id}
    return dict(DagVersion.objects.filter(pk__in=wanted).values_list("pk", "version_number")) if wanted else {}


def _beside(facts: RunFacts) -> tuple[list[DagRun], list[DagRun]]:
    """The runs before and the runs after, newest first, by one query."""
    before = {pk for (pk,) in facts.earlier}
    rows = DagRun.objects.filter(pk__in=[*before, *(pk for (pk,) in facts.later)]).only(*_LIGHT, "created_dag_version_id")
    found = list(rows.order_by("-run_after", "-pk"))
    return [run for run in found if run.pk in before], [run for run in found if run.pk not in before]


def _compare_url(run: DagRun, earlier: Sequence[DagRun]) -> str:
    """Compare with the last run that succeeded, else with the one before."""
    other = next((row for row in earlier if row.state == DagRunState.SUCCESS), earlier[0] if earlier else None)
    if other is None:
        return ""
    path = route("dag_compare", run.dag_id)
    return f"{path}?{urlencode({'a': other.run_id, 'b': run.run_id})}" if path else ""


def route(name: str, *args: Any) -> str:
    """Return the address of a page, empty where there is no such page."""
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""
