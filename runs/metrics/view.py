"""Decides what ``/metrics`` answers, and to whom."""

from __future__ import annotations

import hmac
import json
from typing import Any

from django.http import HttpRequest, HttpResponse
from rest_framework.request import Request

from orchestrator.config import conf
from orchestrator.kernel import telemetry
from orchestrator.kernel.clock import utcnow
from orchestrator.kernel.telemetry import Series
from orchestrator.metrics.prometheus import CONTENT_TYPE, Timing, text
from orchestrator.metrics.report import configured_names
from orchestrator.processes.models import Process
from orchestrator.rest.auth import AUTHENTICATION
from orchestrator.rest.errors import RestError
from runs.metrics.gauges import gauges


def metrics(request: HttpRequest) -> HttpResponse:
    """Return gauges as they are now, and the counters of the schedulers where ``[metrics] prometheus_on`` is set."""
    if not _may_read(request):
        answer = HttpResponse("Not authenticated: send a bearer token, see [metrics] prometheus_token.\n", status=401)
        answer["WWW-Authenticate"] = "Bearer"
        return answer
    names = configured_names()
    counters, own, timings = _published()
    shown = text(
        [(series, value) for series, value in counters.items() if series[0] in names],
        [(series, value) for series, value in {**gauges(utcnow()), **own}.items() if series[0] in names],
        [(series, value) for series, value in timings.items() if series[0] in names],
        prefix=str(conf.get("metrics", "statsd_prefix") or "airflow"),
    )
    return HttpResponse(shown, content_type=CONTENT_TYPE)


def _may_read(request: HttpRequest) -> bool:
    if conf.get("metrics", "prometheus_open"):
        return True
    token = str(conf.get("metrics", "prometheus_token") or "")
    given = request.headers.get("Authorization", "").partition(" ")[2].strip()
    if token and hmac.compare_digest(token.encode(), given.encode()):
        return True
    try:
        user = Request(request, authenticators=[kind() for kind in AUTHENTICATION]).user
    except RestError:
        return False
    return bool(user and user.is_authenticated)


def _published() -> tuple[dict[Series, float], dict[Series, float], dict[Series, Timing]]:
    """Counters, gauges and times of all processes that live; a counter begins anew with its process, as Prometheus expects."""
    counters: dict[Series, float] = {}
    own: dict[Series, float] = {}
    timings: dict[Series, Timing] = {}
    for detail in Process.objects.filter(ended_at=None).values_list("detail", flat=True):
        document: dict[str, Any] = (detail or {}).get("metrics") or {}
        for into, values in ((counters, document.get("counters", {})), (own, document.get("gauges", {}))):
            for key, value in values.items():
                into[_series(key)] = into.get(_series(key), 0) + value
        for key, (number, total) in document.get("timings", {}).items():
            before = timings.get(_series(key), (0, 0.0, 0.0))
            timings[_series(key)] = before[0] + number, before[1] + total, 0.0
    return counters, own, timings


def _series(key: str) -> telemetry.Series:
    name, tags = json.loads(key)
    return name, tuple((tag, value) for tag, value in tags)
