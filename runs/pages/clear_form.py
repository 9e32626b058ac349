"""Decides what the form of a clear offers, what it means, and what it shows before anything is changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.http import QueryDict

from dags_app.models import DagVersion
from runs.clear_everywhere import foreseen_of, reached_by
from runs.clear_markers import Reached
from runs.clear_selection import ClearRequest, version_for_run
from runs.models import DagRun
from runs.pages.affected import MOST_BOXES, Affected, AffectedRun, tasks_of
from runs.pages.places import Place
from runs.rerun_versions import VersionUnavailableError, preview, runs_on_latest, version_chosen
from runs.services_clear import ClearOptions

REACH = ("past", "future", "upstream", "downstream", "only_failed", "recursive")
MODES = ("existing", "failed", "new")


@dataclass(frozen=True, slots=True)
class ClearForm:
    """What is ticked. ``mode`` counts for a whole run: its tasks, those that failed, or only tasks that it does not have yet."""

    on: frozenset[str]
    mode: str
    latest: bool
    guard: bool
    note: str = ""

    @property
    def signature(self) -> str:
        """Tells whether a preview is one of this form."""
        return " ".join([*sorted(self.on), self.mode, "latest" if self.latest else "own"])


def read_form(data: QueryDict, place: Place) -> ClearForm:
    """Return what the form or a link says; at first a task is cleared with what is below it."""
    named = {name for name in REACH if is_on(data, name)}
    is_first = "asked" not in data and not any(name in data for name in (*REACH, "mode"))
    if is_first and place.kind != "run":
        named = {"downstream"}
    if place.run.logical_date is None:
        named -= {"past", "future"}
    mode = data.get("mode", "")
    if place.kind == "run" and mode not in MODES:
        mode = "failed" if "only_failed" in named else "existing"
    version = data.get("version", "")
    latest = version == "latest" if version else runs_on_latest(place.run.dag, None)
    guard = is_on(data, "guard") if "asked" in data else True
    return ClearForm(frozenset(named), mode, latest, guard, data.get("note", "").strip())


def is_on(data: QueryDict, name: str) -> bool:
    """Return whether a box is ticked, also by a link."""
    return data.get(name, "").lower() in ("on", "1", "true", "yes")


def reached(place: Place, form: ClearForm) -> list[Reached]:
    """Return what the form reaches. Raises ``MarkerError`` or ``RecursionDepthError``."""
    if form.mode == "new":
        return []
    has = form.on.__contains__
    request = ClearRequest(
        run=place.run,
        markers=place.markers,
        upstream=has("upstream"),
        downstream=has("downstream"),
        future=has("future"),
        past=has("past"),
        only_failed=has("only_failed") or form.mode == "failed",
    )
    return reached_by(place.run.dag_id, place.spec, request, recursive=has("recursive"))


def options(form: ClearForm, actor: str, *, note: str | None = None) -> ClearOptions:
    """Return how it is cleared."""
    return ClearOptions(actor, prevent_running=form.guard, latest=form.latest, note=note)


def affected(place: Place, form: ClearForm, found: Sequence[Reached]) -> Affected:
    """Return what the person sees of it; the versions are looked up for the run of the form alone."""
    shown, left = [], MOST_BOXES
    for item in found:
        rows = item.rows[:left]
        left -= len(rows)
        if rows:
            shown.append(AffectedRun(item.run, tasks_of(rows), item.by))
    own = next((number for number, run in enumerate(shown) if run.run == place.run), None)
    if own is not None:
        shown[own] = _with_version(shown[own], form, place)
    return Affected(shown, sum(len(item.rows) for item in found), len({item.run.pk for item in found}))


def _with_version(shown: AffectedRun, form: ClearForm, place: Place) -> AffectedRun:
    change = foreseen_of(Reached(shown.run, []), options(form, ""), place.run.dag_id)
    facts = {"version": change.version.version_number, "new_tasks": change.new_tasks, "removed_tasks": change.removed_tasks}
    return replace(shown, **facts)  # type: ignore[arg-type]


def new_tasks(run: DagRun) -> tuple[str, ...]:
    """Return the tasks that the newest version has and the run does not. Raises ``VersionUnavailableError``."""
    return preview(run, version_chosen(run.dag, run, latest=True)).new_tasks


@dataclass(frozen=True, slots=True)
class Versions:
    """The version that decides a run, and the newest; ``may_choose`` where both can run and differ."""

    own: int | None
    newest: int | None
    may_choose: bool


def versions_of(run: DagRun) -> Versions:
    """Return between which versions one may choose."""
    ids = {"own": version_for_run(run), "newest": run.dag.latest_version_id}
    numbers = dict(DagVersion.objects.filter(pk__in=[key for key in ids.values() if key]).values_list("pk", "version_number"))
    own, newest = (numbers.get(ids[name]) if ids[name] else None for name in ("own", "newest"))  # type: ignore[arg-type]
    try:
        version_chosen(run.dag, run)
    except VersionUnavailableError:
        return Versions(own, newest, may_choose=False)
    return Versions(own, newest, may_choose=own != newest)
