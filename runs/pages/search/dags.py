"""Decides which DAGs, tags and owners the search finds."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from urllib.parse import urlencode

from django.db.models import Count, Q, QuerySet

from accounts.access import Access
from accounts.roles import Role
from dags_app.models import Dag, DagFavorite, DagTag
from runs.pages.search.hits import Asked, Hit, best_first, having, link
from runs.pages.search.names import Kind, Name

MOST = 8
SHORTEST_FUZZY = 3
# What one may say of a DAG: the word, the page with the form, and its icon; for all of them one must be a User of the DAG.
ACTIONS = (("trigger", "dag_trigger", "player-play"), ("backfill", "dag_backfill", "calendar"))
_COLUMNS = ("dag_id", "dag_display_name", "is_paused", "owners", "description")


def found_dags(asked: Asked) -> list[Dag]:
    """Return the DAGs that hold every word; where none does, those that hold its letters in this order."""
    dags = Dag.objects.active().only(*_COLUMNS)
    found = list(best_first(dags.filter(having(asked.words, "dag_id", "dag_display_name")), "dag_id", asked.text)[:MOST])
    letters = [letter for letter in asked.text if not letter.isspace()]
    if found or len(letters) < SHORTEST_FUZZY:
        return found
    pattern = ".*".join(re.sub(r"([^\w])", r"\\\1", letter) for letter in letters[:40])
    return list(dags.filter(Q(dag_id__iregex=pattern) | Q(dag_display_name__iregex=pattern)).order_by("dag_id")[:MOST])


def favourites(user_name: str) -> list[Dag]:
    """Return the DAGs that somebody marked."""
    marked = DagFavorite.objects.filter(user_name=user_name).values("dag_id")
    return list(Dag.objects.active().only(*_COLUMNS).filter(pk__in=marked).order_by("dag_id")[:MOST])


def hit_of(dag: Dag) -> Hit:
    """Show a DAG."""
    name = dag.dag_display_name or dag.dag_id
    notes = [dag.dag_id if name != dag.dag_id else "", "paused" if dag.is_paused else ""]
    return Hit("DAG", "sitemap", name, link("dag_detail", dag.dag_id), " · ".join(note for note in notes if note))


def tag_kind(asked: Asked) -> Kind:
    """Return how tags are looked for, each with the number of its DAGs."""
    rows = DagTag.objects.filter(having(asked.words, "name"), dag__is_stale=False).order_by().values("name")
    return Kind("Tag", rows.annotate(dags=Count("dag")), "name", MOST, ("dags",))


def tag_hits(asked: Asked, tags: Sequence[Name]) -> Iterator[Hit]:
    """Yield tags that were found, each leading to its DAGs; where one tag is meant, its DAGs as well."""
    for tag in tags:
        yield Hit("Tag", "tag", tag.label, f"{link('dag_list')}?{_query('tags', tag.label)}", _dags(*tag.more))
    if asked.text and len(tags) == 1:
        yield from _dags_of(Dag.objects.filter(tags__name=tags[0].label))


def owner_hits(asked: Asked) -> Iterator[Hit]:
    """Yield owners, each leading to his DAGs; the column holds several names with commas between them."""
    counts: Counter[str] = Counter()
    for owners in Dag.objects.active().exclude(owners="").filter(having(asked.words, "owners")).values_list("owners", flat=True):
        counts.update({name.strip() for name in owners.split(",")})
    wanted = [(name, n) for name, n in counts.most_common() if all(word.lower() in name.lower() for word in asked.words)]
    for name, number in wanted[:MOST]:
        yield Hit("Owner", "user", name, f"{link('dag_list')}?{_query('owners', name)}", _dags(number))


def action_hits(asked: Asked, access: Access) -> Iterator[Hit]:
    """Yield forms of DAGs, as in ``trigger sales``; on a page of a DAG without naming it."""
    first = asked.words[0].lower() if asked.words else ""
    verbs = [action for action in ACTIONS if action[0].startswith(first)]
    if not verbs or (access.best() or Role.VIEWER) < Role.USER:
        return
    rest, scope = asked.words[1:], access.scope(Role.USER)
    dags = Dag.objects.active().only(*_COLUMNS).filter(having(rest, "dag_id", "dag_display_name"))
    dags = dags if scope is None else dags.filter(scope.dags)
    for dag in best_first(dags if rest else dags.filter(pk=asked.dag_id), "dag_id", " ".join(rest))[:MOST]:
        name = dag.dag_display_name or dag.dag_id
        for verb, route, icon in verbs:
            yield Hit("Action", icon, f"{verb.title()} {name}", link(route, dag.dag_id), opens="dialog")


def _dags_of(dags: QuerySet[Dag]) -> list[Hit]:
    return [hit_of(dag) for dag in dags.filter(is_stale=False).only(*_COLUMNS).order_by("dag_id")[:MOST]]


def _dags(number: int) -> str:
    return f"{number} DAG{'' if number == 1 else 's'}"


def _query(name: str, value: str) -> str:
    return urlencode({name: value})
