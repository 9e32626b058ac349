"""Decides in which order the search asks its sources, each bounded, and what it shows before anything is typed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import HttpRequest

from accounts.access import access_of
from accounts.roles import Role
from orchestrator.listing import ask_once
from runs.models import DagRun
from runs.pages.search import dags, near, runs, things
from runs.pages.search.hits import Asked, Hit, read
from runs.pages.search.names import names_of, nearest


@dataclass(frozen=True, slots=True)
class Found:
    """The results, in the order of their kinds."""

    asked: Asked
    hits: Sequence[Hit]

    @property
    def groups(self) -> list[tuple[str, list[Hit]]]:
        """The results by kind."""
        kinds = dict.fromkeys(hit.kind for hit in self.hits)
        return [(kind, [hit for hit in self.hits if hit.kind == kind]) for kind in kinds]


def search(request: HttpRequest) -> Found:
    """Answer what ``q`` asks; ``from`` is the path of the page on which it was typed."""
    dag_id, run_id = near.place_of(request.GET.get("from", ""))
    asked = read(request.GET.get("q", ""), dag_id)
    access = access_of(request.user)
    best = access.best() or Role.VIEWER
    if asked.prefix == ">":
        actions = [*near.run_action_hits(asked, run_id, access), *dags.action_hits(asked, access)]
        return Found(asked, [*actions, *things.page_hits(asked, best)])
    if asked.prefix == "#":
        return Found(asked, _tags(asked))
    if asked.prefix == "@":
        return Found(asked, list(dags.owner_hits(asked)))
    found = _everything(asked, best) if asked.words else _before(request, asked, best)
    return Found(asked, list({(hit.kind, hit.url): hit for hit in reversed(found)}.values())[::-1])


def _everything(asked: Asked, best: Role) -> list[Hit]:
    found = dags.found_dags(asked)
    meant = [dag.pk for dag in found] or ([dag.pk for dag in dags.found_dags(read(asked.words[0]))] if asked.words[1:] else [])
    about = [*meant, *([asked.dag_id] if asked.dag_id else [])]
    kinds = things.kinds(asked, best)
    answer = ask_once(**runs.look(about), **nearest(kinds, asked.text))
    looked = runs.looked(answer)
    pages = [*near.tab_hits(asked, about), *things.page_hits(asked, best)]
    return [
        *(dags.hit_of(dag) for dag in found),
        *runs.run_hits(asked, about, looked),
        *runs.task_hits(asked, looked),
        *things.named_hits(asked, names_of(kinds, answer)),
        *pages,
    ]


def _tags(asked: Asked) -> list[Hit]:
    kinds = [dags.tag_kind(asked)]
    return list(dags.tag_hits(asked, names_of(kinds, ask_once(**nearest(kinds, asked.text)))))


def _before(request: HttpRequest, asked: Asked, best: Role) -> list[Hit]:
    """Show what is near: the newest runs of the page's DAG, the DAGs that one marked, the pages."""
    newest = DagRun.objects.filter(dag_id=asked.dag_id).order_by("-run_after", "-id") if asked.dag_id else DagRun.objects.none()
    own = [runs.hit_of(run) for run in newest.only(*runs.COLUMNS)[:3]]
    marked = [dags.hit_of(dag) for dag in dags.favourites(request.user.get_username())]
    return [*own, *marked, *things.page_hits(asked, best)]
