"""Decides the address that every open page asks for changes: 204 while there are none."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_GET

from accounts.access import access_of
from accounts.roles import Role
from accounts.views import page
from dags_app.models import Dag
from runs.live import Change, News, feed

MOST_TOPICS = 50


@require_GET
@page()
def live(request: HttpRequest) -> HttpResponse:
    """Answer ``?since=<version>&topic=run:<dag>/<run>&topic=dag:<dag>&topic=runs``; without ``since`` with the version alone."""
    asked = request.GET.get("since", "")
    topics = frozenset(request.GET.getlist("topic")[:MOST_TOPICS])
    news = feed.since(int(asked) if asked.isdecimal() and len(asked) < 19 else -1, topics)
    changes = _reached(request, news.changes)
    if not changes and news.complete:
        return _with_version(HttpResponse(status=204), news)
    rows = [[c.id, c.dag_id, c.run_id, c.run, c.task_id, c.map_index, c.try_number, c.state] for c in changes]
    found = sorted({topic for change in changes for topic in change.topics()} & topics)
    return _with_version(JsonResponse({"changes": rows, "topics": found, "complete": news.complete}), news)


def _with_version(response: HttpResponse, news: News) -> HttpResponse:
    response["Live-Version"] = str(news.version)
    response["Live-Next"] = str(news.next_in)
    response["Cache-Control"] = "no-store"
    return response


def _reached(request: HttpRequest, changes: list[Change]) -> list[Change]:
    """Leave out what rules hide from the person; without rules nothing is asked."""
    if not changes or access_of(request.user).scope(Role.VIEWER) is None:
        return changes
    reached = set(Dag.objects.filter(pk__in={c.dag_id for c in changes}).values_list("pk", flat=True))
    return [change for change in changes if change.dag_id in reached]
