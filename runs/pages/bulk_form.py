"""Decides what the form of a bulk action means: which rows, what to do with them, and what that would touch."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any

from django.http import QueryDict

from dags_app.dag_filters import of_person
from dags_app.models import Dag
from orchestrator.json_given import ValueUnreadableError, conf_of_text
from orchestrator.rest.errors import InvalidError, RestError
from orchestrator.ui.lists import Chip, ListSpec, chips_of, read_values, refusal_text
from runs.bulk import dag_selection
from runs.bulk.found import Foreseen
from runs.bulk.kinds import Target, noun_of
from runs.bulk.requests import ANY, Order, read_order
from runs.bulk.selection import foreseen_within
from runs.models import DagRun
from runs.pages.bulk_bar import WORDS, Act
from runs.pages.dags.list_spec import DAGS
from runs.pages.form_times import TimeUnreadableError, instant_given
from runs.pages.instance_list import INSTANCES
from runs.pages.run_list import RUNS

SPECS: dict[str, ListSpec] = {
    Target.DAG_RUNS.value: RUNS,
    Target.TASK_INSTANCES.value: INSTANCES,
    Target.DAGS.value: DAGS,
}
SHOWN_NAMES = 20
# Deleting more than so many is confirmed by typing the number.
TYPED_FROM = 50
_MOST, _MOST_RUNS = 20_000, 500
_LONGEST_INDEX = 10
_NOT_FILTERS = frozenset({"limit", "offset", "cursor", "order_by", "format"})
_SWITCHES = {
    ("dag_runs", "clear"): ("only_failed",),
    ("task_instances", "clear"): ("include_upstream", "include_downstream", "prevent_running_task"),
    ("dags", "trigger"): ("unpause",),
}
CONSEQUENCES = {
    ("", "clear"): "They run again; what runs now is ended and begins anew.",
    ("dag_runs", "mark_success"): "What runs in them is ended; they count as succeeded.",
    ("dag_runs", "mark_failed"): "What runs in them is ended; they count as failed.",
    ("", "mark_success"): "They count as succeeded, and what failed below them runs again.",
    ("", "mark_failed"): "They count as failed; what runs is ended.",
    ("", "mark_skipped"): "They count as skipped, and what failed below them runs again.",
    ("dag_runs", "delete"): "Their task instances and XComs go with them; runs that run now are left. This cannot be undone.",
    ("", "delete"): "Their earlier tries and XComs go with them. This cannot be undone.",
    ("", "queue"): "They go on: what is not done in them is decided again.",
    ("", "stop"): "What runs is ended as failed; what has not begun is skipped; teardowns still run.",
    ("", "hold"): "What runs goes on to its end; nothing else of it begins until it is released.",
    ("", "release"): "What was held goes on.",
    (
        "",
        "trigger",
    ): "Each starts one run now; that of a paused DAG waits. One whose params need other values is not started, and is named.",
    ("", "note"): "Their notes are written over.",
    ("", "retry_now"): "What waits for its retry begins at once; the others are left as they are.",
    ("", "give_up"): "What waits for its retry has failed; the others are left as they are.",
}
# Options that a person gives in the form itself, after the preview: they reach no other rows.
_TYPED = frozenset({"note", "until", "conf", "unpause"})
_CODE = {"own": False, "latest": True}


@dataclass(slots=True)
class BulkForm:
    """What was sent; ``order`` None where it makes no sense, and ``problem`` says why."""

    act: Act
    target: str
    spec: ListSpec
    data: QueryDict
    is_all: bool
    chips: list[Chip]
    lost: int = 0
    order: Order | None = None
    seen: Foreseen | None = None
    is_exact: bool = True
    problem: str = ""
    on: frozenset[str] = field(default=frozenset())

    @property
    def kind(self) -> str:
        """The kind of action."""
        return self.act.kind

    @property
    def noun(self) -> str:
        """What the items are."""
        return noun_of(self.target, self.act.kind)

    @property
    def signature(self) -> str:
        """Tells whether a preview is one of this form."""
        order = self.order
        reach = {name: value for name, value in order.options.items() if name not in _TYPED} if order else None
        told = json.dumps([order.kind, order.selection, reach] if order else None, sort_keys=True)
        return hashlib.sha256(told.encode()).hexdigest()[:16]

    @property
    def total(self) -> str:
        """How many there are, as people write it."""
        number = self.seen.total if self.seen is not None else 0
        return f"{number:,}" if self.is_exact else f"more than {number:,}"

    @property
    def typed(self) -> str:
        """What must be typed to confirm; nothing for small or harmless orders."""
        if self.act.kind != "delete" or self.seen is None or self.seen.total < TYPED_FROM:
            return ""
        return f"delete {self.seen.total}" if self.is_exact else "delete all"

    @property
    def selected(self) -> list[str]:
        """The chosen rows as they were sent."""
        return self.data.getlist("selected")

    @property
    def by_state(self) -> list[tuple[str, int]]:
        """(state, number), the most first."""
        return Counter(self.seen.by_state).most_common() if self.seen is not None else []

    @property
    def names(self) -> list[str]:
        """The first of the DAGs that are meant; no names where runs or task instances are."""
        if self.target != Target.DAGS or self.order is None:
            return []
        return list(dag_selection.rows(self.order).values_list("dag_id", flat=True)[:SHOWN_NAMES])

    @property
    def unnamed(self) -> int:
        """How many DAGs are meant beside those that are named."""
        return max(0, (self.seen.total if self.seen is not None else 0) - SHOWN_NAMES)

    @property
    def consequence(self) -> str:
        """What happens, in a sentence."""
        return CONSEQUENCES.get((self.target, self.kind)) or CONSEQUENCES["", self.kind]

    @property
    def asks(self) -> frozenset[str]:
        """Which further fields there are."""
        more = {"note": {"note"}, "hold": {"until"}, "clear": {"code"}, "trigger": {"conf", "note"}}.get(self.act.kind, set())
        return frozenset(more | set(_SWITCHES.get((self.target, self.act.kind), ())))


def read_form(data: QueryDict, user_name: str) -> BulkForm | None:
    """Return what a form of a person means, with what it would touch; None for a kind of action that does not exist."""
    target, kind = data.get("target", ""), data.get("kind", "")
    act = WORDS.get((target, kind))
    if act is None:
        return None
    query, is_all = QueryDict(data.get("query", "")), data.get("all") == "yes"
    spec = SPECS[target]
    on = frozenset(name for name in (*_SWITCHES.get((target, kind), ()),) if data.get(name) == "on")
    form = BulkForm(act, target, spec, data, is_all, chips_of(spec, query) if is_all else [], on=on)
    try:
        _read(form, query, user_name)
    except (TimeUnreadableError, ValueUnreadableError) as error:
        form.problem = str(error)
    except (RestError, InvalidError) as refusal:
        form.problem = refusal_text(refusal, spec)
    return form


def _read(form: BulkForm, query: QueryDict, user_name: str) -> None:
    filters = filters_of(form, query, user_name) if form.is_all else None
    items = None if form.is_all else _items(form)
    if items == []:
        form.problem = "Nothing is chosen that you may change. Go back and tick some rows."
        return
    form.order = read_order(form.target, form.act.kind, filters, items, _options(form))
    form.seen, form.is_exact = foreseen_within(form.order, _MOST, _MOST_RUNS)
    if not form.seen.total:
        form.problem = "Nothing there is left to change."


def filters_of(form: BulkForm, query: QueryDict, user_name: str) -> dict[str, Any]:
    """Return the filters of a list as an order takes them; none of them means everything."""
    known = {param.name: param for param in form.spec.params.items if param.name not in _NOT_FILTERS}
    found: dict[str, Any] = {
        name: values if known[name].many else values[-1] for name, values in query.lists() if name in known and any(values)
    }
    for name in ("dag_id", "dag_run_id"):
        if form.data.get(name):
            found[name] = form.data[name]
    if found.pop("is_favorite", None) is not None:
        # Who carries the order out has no favourites: they are named as they are now.
        marked = of_person(Dag.objects.all(), read_values(form.spec, query), user_name)
        found["dag_ids"] = list(marked.order_by("dag_id").values_list("dag_id", flat=True)) or [""]
    return found or {"dag_id": ANY}


def _items(form: BulkForm) -> list[dict[str, Any]]:
    """Return the chosen rows by their names; what is gone or hidden from the person is left out."""
    if form.target == Target.DAGS:
        return _dags(form)
    places = [value.split(":", 1) for value in form.data.getlist("selected")]
    runs = {str(run.pk): run for run in _runs(place[0] for place in places)}
    found = []
    for run_pk, *rest in places:
        named = _named(runs.get(run_pk), rest, form.target)
        if named is not None:
            found.append(named)
    form.lost = len(places) - len(found)
    return found


def _dags(form: BulkForm) -> list[dict[str, Any]]:
    wanted = set(form.selected)
    there = Dag.objects.filter(pk__in=wanted).order_by("dag_id").values_list("dag_id", flat=True)
    found = [{"dag_id": dag_id} for dag_id in there]
    form.lost = len(wanted) - len(found)
    return found


def _runs(keys: Iterable[str]) -> Any:
    pks = {int(key) for key in keys if key.isdecimal() and len(key) < 19}
    return DagRun.objects.filter(pk__in=pks).only("pk", "dag_id", "run_id")


def _named(run: DagRun | None, rest: list[str], target: str) -> dict[str, Any] | None:
    if run is None:
        return None
    item: dict[str, Any] = {"dag_id": run.dag_id, "dag_run_id": run.run_id}
    if target == Target.DAG_RUNS:
        return item
    task_id, _, index = (rest[0] if rest else "").rpartition(":")
    is_place = bool(task_id) and index.removeprefix("-").isdecimal() and len(index) <= _LONGEST_INDEX
    return item | {"task_id": task_id, "map_index": int(index)} if is_place else None


def _options(form: BulkForm) -> dict[str, Any]:
    options: dict[str, Any] = dict.fromkeys(sorted(form.on), True)
    data, asks = form.data, form.asks
    if "code" in asks and (is_latest := _CODE.get(data.get("code", ""))) is not None:
        options["run_on_latest_version"] = is_latest
    if "note" in asks and (data.get("note") or form.kind == "note"):
        options["note"] = data.get("note", "")
    if "conf" in asks and (conf := conf_of_text(data.get("conf", ""))):
        options["conf"] = conf
    if "until" in asks and (until := instant_given(data.get("until", ""))) is not None:
        options["until"] = until.astimezone(UTC).isoformat()
    return options
