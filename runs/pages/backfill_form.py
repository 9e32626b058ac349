"""Decides what the form of a backfill means, and which dates it shows before anything is ordered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.http import QueryDict

from dags_app.models import Dag
from dags_app.selectors import SpecUnreadableError
from orchestrator.kernel.clock import utcnow
from orchestrator.sdk.definitions.timetables import AirflowTimetableInvalid
from orchestrator.sdk.serialization.spec import DagSpec
from runs.backfills.plan import Order, PlannedRun
from runs.backfills.refusals import BackfillRefusedError
from runs.backfills.selectors import plan_of, runs_on_latest
from runs.models import Backfill
from runs.pages.form_times import TimeUnreadableError, instant_given
from runs.pages.trigger_form import TriggerForm, first_form, read_conf

SHOWN = 200
REFUSALS = (BackfillRefusedError, SpecUnreadableError, AirflowTimetableInvalid)
_PLANNED = ("from_date", "to_date", "reprocess", "run_backwards")


@dataclass(slots=True)
class BackfillForm:
    """What the form holds; ``order`` None where it is not complete or not right."""

    texts: dict[str, str]
    run_backwards: bool
    latest: bool
    gives_conf: bool
    conf: TriggerForm
    order: Order | None = None
    problems: dict[str, str] = field(default_factory=dict)

    @property
    def signature(self) -> str:
        """Tells whether a preview is one of this form."""
        return " ".join([*(self.texts.get(name, "") for name in _PLANNED), str(self.run_backwards)])


@dataclass(frozen=True, slots=True)
class Foreseen:
    """The dates of an order, the first of them listed, with how often what happens."""

    dates: list[PlannedRun]
    total: int
    counts: Mapping[str, int]

    @property
    def runs(self) -> int:
        """How many runs there will be."""
        return self.counts.get("create", 0) + self.counts.get("rerun", 0)


def read_form(dag: Dag, spec: DagSpec, data: QueryDict) -> BackfillForm:
    """Return what the form says; at first, what a link says."""
    texts = {name: data.get(name, "").strip() for name in ("from_date", "to_date", "max_active_runs")}
    texts["max_active_runs"] = texts["max_active_runs"] or "10"
    reprocess = data.get("reprocess", "")
    texts["reprocess"] = reprocess if reprocess in Backfill.Reprocess.values else Backfill.Reprocess.NONE.value
    is_sent = "asked" in data
    latest = data.get("latest") == "on" if is_sent else runs_on_latest(dag, None)
    form = BackfillForm(
        texts, data.get("run_backwards") == "on", latest, data.get("gives_conf") == "on", _conf_form(spec, data, is_sent)
    )
    form.order = _order(form)
    return form


def _conf_form(spec: DagSpec, data: QueryDict, is_sent: bool) -> TriggerForm:
    if not is_sent:
        return first_form(spec, QueryDict())
    form = TriggerForm(spec.params, {}, data.get("conf", ""), {})
    read_conf(form, data)
    return form


def _order(form: BackfillForm) -> Order | None:
    dates: dict[str, Any] = {}
    for name in ("from_date", "to_date"):
        try:
            dates[name] = instant_given(form.texts[name])
        except TimeUnreadableError as error:
            form.problems[name] = str(error)
    most = form.texts["max_active_runs"]
    if not most.isdecimal() or not 0 < int(most) < 100_000:
        form.problems["max_active_runs"] = "How many runs may go on at once is a whole number from 1."
    if form.gives_conf and form.conf.is_wrong:
        form.problems["conf"] = "The configuration does not fit the params of the DAG."
    if form.problems or dates["from_date"] is None or dates["to_date"] is None:
        return None
    return Order(
        from_date=dates["from_date"],
        to_date=dates["to_date"],
        reprocess=form.texts["reprocess"],
        run_backwards=form.run_backwards,
        conf=form.conf.conf if form.gives_conf else None,
        max_active_runs=int(most),
        run_on_latest_version=form.latest,
    )


def foresee(dag: Dag, form: BackfillForm) -> Foreseen | None:
    """Return what an order would do; None without one, and where it is refused, which the form then says."""
    if form.order is None:
        return None
    try:
        plan = plan_of(dag, form.order, utcnow())
    except REFUSALS as error:
        form.problems["all"] = str(error)
        return None
    return Foreseen(plan[:SHOWN], len(plan), Counter(item.action for item in plan))
