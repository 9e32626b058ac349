"""Decides what the head of a DAG's pages tells: schedule, last and next run, open runs, owners, tags, version, what is wrong."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from accounts.access import Access, Verdict, access_of
from accounts.roles import Role
from dags_app.models import Dag
from dags_app.selectors import SpecUnreadableError, spec_of_loaded
from orchestrator.sdk.serialization.spec import DagSpec
from runs.pages.dag_facts import DagFacts, facts_of
from runs.pages.dags.schedule import schedule_words


@dataclass(frozen=True, slots=True)
class Owner:
    """An owner with the address that the author gave for him; empty where a browser would run it instead of going there."""

    name: str
    link: str


@dataclass(frozen=True, slots=True)
class LastRun:
    """The newest run."""

    run_id: str
    state: str
    run_after: datetime


@dataclass(frozen=True, slots=True)
class DagHead:
    """The head of a DAG's pages; ``may_act`` and ``may_administer`` decide which buttons are there."""

    dag: Dag
    last: LastRun | None
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
    """Return the head of a DAG that was read ``with_facts``, as a person sees it; no query without rules."""
    access, facts = access_of(user), facts_of(dag)
    return DagHead(
        dag=dag,
        last=LastRun(facts.last_run_id, facts.last_state, facts.last_run_after) if facts.last_run_id else None,
        running=facts.running,
        queued=facts.queued,
        owners=_owners(dag, facts),
        tags=[name for (name,) in facts.tags],
        version=dag.latest_version.version_number if dag.latest_version is not None else None,
        has_docs=bool(spec.doc_md) if (spec := spec_or_none(dag)) else False,
        is_favorite=facts.is_favorite,
        import_error=_import_error(dag, facts),
        warnings=[message for (message,) in facts.warnings],
        questions=facts.questions,
        may_act=may(access, Role.USER, dag.pk),
        may_administer=may(access, Role.OP, dag.pk),
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


def _owners(dag: Dag, facts: DagFacts) -> list[Owner]:
    links = {owner: link for owner, link in facts.owner_links if not _runs(link)}
    names = [name.strip() for name in dag.owners.split(",") if name.strip()]
    return [Owner(name, links.get(name, "")) for name in names]


def _runs(link: str) -> bool:
    """A browser leaves out spaces and control characters before it reads the scheme."""
    return re.sub(r"[\x00-\x20]", "", link).lower().startswith(("javascript:", "data:", "vbscript:"))


def _import_error(dag: Dag, facts: DagFacts) -> str:
    """The last line of the error of the DAG's file, for as long as the DAG counts as broken."""
    if not dag.has_import_errors:
        return ""
    lines = (facts.import_error or "").strip().splitlines()
    return lines[-1] if lines else "its reason is on the page of import errors"
