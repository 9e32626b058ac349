"""Decides what the head of a DAG's pages tells: schedule, last and next run, open runs, owners, tags, version, what is wrong."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, OuterRef, Subquery
from django.db.models.functions import Coalesce

from accounts.access import Access, Verdict, access_of
from accounts.roles import Role
from dags_app.models import Dag, DagFavorite, DagWarning, ParseImportError
from dags_app.selectors import SpecUnreadableError, spec_of_loaded
from orchestrator.sdk.serialization.spec import DagSpec
from runs.hitl.selectors import questions
from runs.models import DagRun
from runs.pages.dags.schedule import schedule_words

_OF_LAST_RUN = ("id", "dag_id", "run_id", "state", "run_type", "logical_date", "run_after", "start_date", "end_date")


@dataclass(frozen=True, slots=True)
class Owner:
    """An owner with the address that the author gave for him; empty where a browser would run it instead of going there."""

    name: str
    link: str


@dataclass(frozen=True, slots=True)
class DagHead:
    """The head of a DAG's pages; ``may_act`` and ``may_administer`` decide which buttons are there."""

    dag: Dag
    last: DagRun | None
    running: int
    queued: int
    owners: list[Owner]
    tags: list[str]
    version: int | None
    has_docs: bool
    is_favorite: bool
    import_error: str
    warnings: list[str]
    questions: int
    may_act: bool
    may_administer: bool

    @property
    def schedule(self) -> str:
        """The schedule in words."""
        return schedule_words(self.dag)

    @property
    def counts(self) -> dict[str, int]:
        """Numbers beside the words of tabs."""
        return {"Required actions": self.questions}


def head_of(dag: Dag, user: Any) -> DagHead:
    """Return the head of a DAG as a person sees it; as many queries for every DAG, and one more for each thing that is wrong."""
    access = access_of(user)
    return DagHead(
        dag=dag,
        last=DagRun.objects.filter(dag_id=dag.pk).only(*_OF_LAST_RUN).order_by("-run_after", "-id").first(),
        owners=_owners(dag),
        tags=[tag.name for tag in dag.tags.all()],
        version=dag.latest_version.version_number if dag.latest_version is not None else None,
        has_docs=bool(spec.doc_md) if (spec := spec_or_none(dag)) else False,
        import_error=_import_error(dag),
        warnings=list(DagWarning.objects.filter(dag_id=dag.pk).order_by("warning_type").values_list("message", flat=True)),
        may_act=may(access, Role.USER, dag.pk),
        may_administer=may(access, Role.OP, dag.pk),
        **_counted(dag, user.get_username()),
    )


def spec_or_none(dag: Dag) -> DagSpec | None:
    """Return a DAG as its newest version describes it; None where there is no version or it cannot be read."""
    if dag.latest_version is None:
        return None
    try:
        return spec_of_loaded(dag.latest_version)
    except SpecUnreadableError:
        return None


def may(access: Access, least: Role, dag_id: str) -> bool:
    """Return whether somebody has at least a role on a DAG."""
    return access.on_dag(least, dag_id) is Verdict.GRANTED


def _counted(dag: Dag, user_name: str) -> dict[str, Any]:
    """Return the numbers of the head by one query."""
    runs = DagRun.objects.filter(dag_id=OuterRef("pk")).order_by().values("dag_id").annotate(number=Count("pk")).values("number")
    asked = questions(None, None).filter(responded_at=None, dag_run__dag_id=OuterRef("pk")).order_by()
    found = Dag.objects.filter(pk=dag.pk).values(
        running=Coalesce(Subquery(runs.filter(state="running")), 0),
        queued=Coalesce(Subquery(runs.filter(state="queued")), 0),
        questions=Coalesce(Subquery(asked.values("dag_run__dag_id").annotate(number=Count("pk")).values("number")), 0),
        is_favorite=Exists(DagFavorite.objects.filter(dag_id=OuterRef("pk"), user_name=user_name)),
    )
    return dict(found.get())


def _owners(dag: Dag) -> list[Owner]:
    links = {owner: link for owner, link in dag.owner_links.values_list("owner", "link") if not _runs(link)}
    names = [name.strip() for name in dag.owners.split(",") if name.strip()]
    return [Owner(name, links.get(name, "")) for name in names]


def _runs(link: str) -> bool:
    """A browser leaves out spaces and control characters before it reads the scheme."""
    return re.sub(r"[\x00-\x20]", "", link).lower().startswith(("javascript:", "data:", "vbscript:"))


def _import_error(dag: Dag) -> str:
    if not dag.has_import_errors:
        return ""
    rows = ParseImportError.objects.filter(bundle_id=dag.bundle_id, filename=dag.relative_fileloc)
    text = rows.values_list("stacktrace", flat=True).first() or ""
    lines = text.strip().splitlines()
    return lines[-1] if lines else "its reason is on the page of import errors"
