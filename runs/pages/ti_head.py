"""Decides what stands above every page of a task instance: its try, its times, what holds it up, and what one may do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import HttpRequest

from accounts.access import Verdict, access_of
from accounts.roles import Role
from orchestrator.ui.texts import markdown
from runs.api.extra_links import stored_links
from runs.explain.instance import explain_instance
from runs.models import AttemptFields, Hold, TaskInstance
from runs.pages.explained import ShownReason, shown_reasons
from runs.pages.rows import elapsed, is_over
from runs.pages.ti_address import ended_tries
from runs.pages.ti_durations import Past, past_of
from runs.pages.ti_facts import TiFacts, facts_of
from runs.pages.ti_roots import Root, roots_of
from runs.states import FINISHED, TaskInstanceState
from runs.task_specs import tasks_of

_WITH_PROCESS = frozenset({TaskInstanceState.RUNNING, TaskInstanceState.RESTARTING})
_FAILED = frozenset({TaskInstanceState.FAILED, TaskInstanceState.UPSTREAM_FAILED})


@dataclass(frozen=True, slots=True)
class Head:
    """Everything that the head shows. ``ti`` is the try that is shown, ``current`` the newest row of the task instance."""

    ti: AttemptFields
    current: TaskInstance
    name: str
    tries: Sequence[AttemptFields]
    duration: float | None
    is_running: bool
    version: int | None
    past: Past
    note: str
    may_act: bool
    is_mapped: bool
    waits: list[ShownReason]
    hold: Hold | None
    links: list[tuple[str, str]]
    counts: dict[str, int]
    roots: list[Root]
    roots_total: int

    @property
    def index_name(self) -> str:
        """What an index is called: the label that the author's template made, or its number."""
        return self.ti.rendered_map_index or self.current.rendered_map_index or str(self.ti.map_index)

    @property
    def difference(self) -> str:
        """How its duration differs from the usual one."""
        return self.past.difference(self.duration)

    @property
    def more_roots(self) -> int:
        """How many failures above are not named."""
        return self.roots_total - len(self.roots)

    @property
    def waits_for_retry(self) -> bool:
        """True while the next try can be had at once or given up."""
        return self.current.state == TaskInstanceState.UP_FOR_RETRY

    @property
    def has_failed(self) -> bool:
        """True where to clear it is what one most likely wants."""
        return self.current.state in _FAILED

    @property
    def may_hold(self) -> bool:
        """True while something of it may still begin."""
        return self.current.state not in FINISHED and self.hold is None


def head_of(request: HttpRequest, ti: AttemptFields, tries: Sequence[AttemptFields]) -> Head:
    """Return the head for a try; a constant number of queries, but for what a wait has to look at."""
    current = tries[-1]
    if not isinstance(current, TaskInstance):
        raise TypeError("the last try is the current one")
    run = current.dag_run
    facts = facts_of(current)
    past = past_of(ti, run, facts.runs)
    note = current.note or ""
    roots, roots_total = roots_of(current)
    return Head(
        ti=ti,
        current=current,
        name=_name(current, facts),
        tries=ended_tries(list(tries)),
        duration=_duration(ti),
        is_running=ti.state in _WITH_PROCESS and ti.end_date is None and ti.start_date is not None,
        version=ti.dag_version.version_number if ti.dag_version is not None else None,
        past=past,
        note=markdown(note) if note else "",
        may_act=access_of(request.user).on_dag(Role.USER, ti.dag_id) is Verdict.GRANTED,
        is_mapped=ti.map_index >= 0,
        waits=shown_reasons(explain_instance(current)) if current.state not in FINISHED | _WITH_PROCESS else [],
        hold=_hold(ti) if facts.is_held else None,
        links=links_of(current),
        roots=roots,
        roots_total=roots_total,
        counts={"Required actions": int(facts.has_questions)},
    )


def _name(current: TaskInstance, facts: TiFacts) -> str:
    """What the author calls the task."""
    return current.task_display_name or facts.first_name or current.task_id


def _hold(ti: AttemptFields) -> Hold | None:
    return Hold.objects.filter(dag_run_id=ti.dag_run_id, task_id=ti.task_id, map_index=ti.map_index).first()


def _duration(ti: AttemptFields) -> float | None:
    """How long it took or takes; nothing for what never began a try."""
    if not ti.try_number or not (is_over(ti) or ti.state in _WITH_PROCESS):
        return None
    return ti.duration if ti.duration is not None else elapsed(ti.start_date, ti.end_date)


def links_of(current: TaskInstance) -> list[tuple[str, str]]:
    """Return the operator's links into other systems that have an address of the web; no other kind is followed."""
    spec = tasks_of([current]).get((current.dag_version_id, current.task_id))
    if spec is None or not spec.extra_link_keys:
        return []
    stored = stored_links(current, list(spec.extra_link_keys.values()))
    found = ((name, stored.get(key) or "") for name, key in sorted(spec.extra_link_keys.items()))
    return [(name, address) for name, address in found if address.startswith(("https://", "http://"))]
