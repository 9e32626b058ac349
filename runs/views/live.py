"""Decides the address that every open page asks for changes: 204 while there are none."""

from __future__ import annotations

from collections.abc import Iterable

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_GET

from accounts.access import access_of
from accounts.roles import Role
from accounts.views import page
from dags_app.models import Dag
from runs.live import Change, Happened, News, Version, feed
from runs.models import AssetEvent

MOST_TOPICS = 50
# A page that only counts needs no more than that something happened; some ids tell news from what it has heard of.
MOST_MARKS = 20


@require_GET
@page()
def live(request: HttpRequest) -> HttpResponse:
    """Answer ``?since=<version>&topic=…``; without ``since`` with the version alone.

    Topics: ``run:<dag>/<run>``, ``dag:<dag>`` and ``runs`` get the changes themselves; ``tasks``, ``questions``, ``assets`` and
    ``asset:<id>`` get ``marks``, the topic with an id for each thing that happened.
    """
    topics = frozenset(request.GET.getlist("topic")[:MOST_TOPICS])
    news = feed.since(Version.read(request.GET.get("since", "")), topics)
    changes, events = _reached(request, news)
    shown = [change for change in changes if not topics.isdisjoint(change.places())]
    marks = _marks([*changes, *events], topics)
    if not shown and not marks and news.complete:
        return _with_version(HttpResponse(status=204), news)
    rows = [[c.id, c.dag_id, c.run_id, c.run, c.task_id, c.map_index, c.try_number, c.state] for c in shown]
    found = sorted({topic for change in shown for topic in change.places()} & topics)
    return _with_version(JsonResponse({"changes": rows, "topics": found, "marks": marks, "complete": news.complete}), news)


def _marks(happened: Iterable[Change | Happened], topics: frozenset[str]) -> list[tuple[str, int]]:
    """Return (topic, id) of what happened, for each topic the newest."""
    found: dict[str, list[int]] = {}
    for item in happened:
        for topic in topics.intersection(item.signals()):
            found.setdefault(topic, []).append(item.id)
    return [(topic, number) for topic, ids in sorted(found.items()) for number in sorted(ids)[-MOST_MARKS:]]


def _with_version(response: HttpResponse, news: News) -> HttpResponse:
    response["Live-Version"] = str(news.version)
    response["Live-Next"] = str(news.next_in)
    response["Cache-Control"] = "no-store"
    return response


def _reached(request: HttpRequest, news: News) -> tuple[list[Change], list[Happened]]:
    """Leave out what rules hide from the person; without rules nothing is asked."""
    changes, events = news.changes, news.events
    if not (changes or events) or access_of(request.user).scope(Role.VIEWER) is None:
        return changes, events
    dags = set(Dag.objects.filter(pk__in={c.dag_id for c in changes}).values_list("pk", flat=True))
    known = set(AssetEvent.objects.filter(pk__in=[e.id for e in events]).values_list("pk", flat=True))
    return [change for change in changes if change.dag_id in dags], [event for event in events if event.id in known]
