"""Decides what the form that starts a run holds at first, what it means when it is sent, and what is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.http import QueryDict

from orchestrator.json_given import ValueUnreadableError, conf_of_text, json_given
from orchestrator.sdk.definitions.timetables import AirflowTimetableInvalid, decode_timetable
from orchestrator.sdk.serialization.spec import DagSpec
from runs.models import DagRun
from runs.pages.form_times import TimeUnreadableError, instant_given
from runs.pages.param_fields import Section, fields_of, sections_of
from runs.pages.param_values import problems_of, read_fields
from runs.run_ids import LONGEST_RUN_ID, run_id_problem

RECENT = 10
_LOOKED_AT = 60
TEXTS = ("run_id", "logical_date", "run_after", "interval_start", "interval_end", "partition_key", "note")


@dataclass(slots=True)
class TriggerForm:
    """What the form holds. ``problems``: by name of the field; of a param under its own name, in ``param_problems``."""

    params: Mapping[str, Any]
    conf: dict[str, Any]
    conf_text: str
    texts: dict[str, str]
    unpause: bool = True
    problems: dict[str, str] = field(default_factory=dict)
    param_problems: dict[str, str] = field(default_factory=dict)
    raw: dict[str, str] = field(default_factory=dict)

    @property
    def sections(self) -> list[Section]:
        """The fields of the params."""
        return sections_of(fields_of(self.params, self.conf, self.param_problems, self.raw))

    @property
    def is_wrong(self) -> bool:
        """True where it cannot be sent so."""
        return bool(self.problems or self.param_problems)


def pretty(conf: Mapping[str, Any]) -> str:
    """Return a configuration as people read it."""
    return json.dumps(conf, indent=2, ensure_ascii=False)


def first_form(spec: DagSpec, query: QueryDict) -> TriggerForm:
    """Return the form as a link opens it: defaults, ``?conf=``, or what the run ``?run_id=`` was given."""
    texts = {name: query.get(name, "") for name in TEXTS} | {"run_id": query.get("dag_run_id", "")}
    form = TriggerForm(spec.params, {}, "", texts)
    try:
        given = conf_of_text(query.get("conf", "")) or _conf_of_run(spec.dag_id, query.get("run_id", ""), form)
    except ValueUnreadableError as error:
        given, form.problems["conf"] = {}, str(error)
    given |= {name: _loose(str(query[name])) for name in spec.params if name in query and name not in TEXTS}
    form.conf = _defaults(spec.params) | given
    form.conf_text = pretty(form.conf)
    if given:
        form.param_problems = problems_of(spec.params, form.conf)
    return form


def _conf_of_run(dag_id: str, run_id: str, form: TriggerForm) -> dict[str, Any]:
    if not run_id:
        return {}
    run = DagRun.objects.filter(dag_id=dag_id, run_id=run_id).only("conf", "partition_key").first()
    if run is None:
        form.problems["conf"] = f"There is no run {run_id} whose configuration could be taken."
        return {}
    form.texts["partition_key"] = form.texts["partition_key"] or run.partition_key or ""
    return dict(run.conf or {})


def _loose(text: str) -> Any:
    try:
        return json_given(text)
    except (ValueError, RecursionError):
        return text


def _defaults(params: Mapping[str, Any]) -> dict[str, Any]:
    fixed = {name: (param.get("schema") or {}).get("const", param.get("value")) for name, param in params.items()}
    return {name: value for name, value in fixed.items() if value is not None or _has_null_default(params[name])}


def _has_null_default(param: Mapping[str, Any]) -> bool:
    kinds = (param.get("schema") or {}).get("type", [])
    return "null" in ([kinds] if isinstance(kinds, str) else kinds)


def sent_form(spec: DagSpec, data: QueryDict) -> TriggerForm:
    """Return what was sent, with everything that is wrong with it."""
    texts = {name: data.get(name, "").strip() for name in TEXTS}
    form = TriggerForm(spec.params, {}, data.get("conf", ""), texts, unpause=data.get("unpause") == "on")
    read_conf(form, data)
    if texts["run_id"] and (problem := run_id_problem(texts["run_id"])):
        form.problems["run_id"] = problem
    elif len(texts["run_id"]) > LONGEST_RUN_ID:
        form.problems["run_id"] = f"A run id has at most {LONGEST_RUN_ID} characters."
    if len(texts["note"]) > 1000:
        form.problems["note"] = "A note has at most 1000 characters."
    return form


def read_conf(form: TriggerForm, data: QueryDict) -> None:
    """Read the configuration from the fields, or from the JSON beside them where that was written last."""
    try:
        written = conf_of_text(form.conf_text)
    except ValueUnreadableError as error:
        form.problems["conf"] = str(error)
        written = {}
    if data.get("source") == "json" or not form.params:
        form.conf = written
        if "conf" not in form.problems:
            form.param_problems = problems_of(form.params, written)
        return
    read = read_fields(form.params, data)
    values, form.param_problems, form.raw = read.conf, read.problems, read.raw
    extra = {name: value for name, value in written.items() if name not in form.params}
    form.conf = values | extra
    if not form.problems:
        form.conf_text = pretty(form.conf)


@dataclass(frozen=True, slots=True)
class Times:
    """The times of a form."""

    logical_date: datetime | None
    run_after: datetime | None
    data_interval: tuple[datetime, datetime] | None


def times_of(form: TriggerForm) -> Times:
    """Read the times; what is wrong becomes a problem of the form."""
    found: dict[str, datetime | None] = {}
    for name in ("logical_date", "run_after", "interval_start", "interval_end"):
        try:
            found[name] = instant_given(form.texts[name])
        except TimeUnreadableError as error:
            found[name], form.problems[name] = None, str(error)
    start, end = found["interval_start"], found["interval_end"]
    if (start is None) != (end is None):
        form.problems.setdefault("interval_end", "Give both ends of the data interval, or neither.")
    interval = (start, end) if start is not None and end is not None else None
    return Times(found["logical_date"], found["run_after"], interval)


@dataclass(frozen=True, slots=True)
class RecentConf:
    """A configuration that a run was given, with that run."""

    run: DagRun
    text: str
    line: str


def recent_confs(dag_id: str) -> list[RecentConf]:
    """Return the newest different configurations; a bounded number of runs is looked at."""
    runs = DagRun.objects.filter(dag_id=dag_id).order_by("-run_after")
    runs = runs.only("dag_id", "run_id", "conf", "run_after", "run_type", "logical_date")
    found: dict[str, RecentConf] = {}
    for run in runs[:_LOOKED_AT]:
        if run.conf:
            text = json.dumps(run.conf, ensure_ascii=False)
            found.setdefault(json.dumps(run.conf, sort_keys=True), RecentConf(run, pretty(run.conf), text))
        if len(found) == RECENT:
            break
    return list(found.values())


def is_partitioned(spec: DagSpec) -> bool:
    """Return whether runs take a partition key."""
    try:
        return spec.timetable.get("type") == "PartitionedAtRuntime" or bool(decode_timetable(spec.timetable).partitioned)
    except AirflowTimetableInvalid:
        return False
