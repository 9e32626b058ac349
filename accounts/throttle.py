"""Decides when failed logins make somebody wait: per name at one address, per address, and per name anywhere."""

import hashlib
from datetime import timedelta
from typing import Any

from django.db.models import F
from django.http import HttpRequest

from accounts.models import LoginFailure
from orchestrator.config import conf
from orchestrator.kernel.clock import utcnow

WINDOW = timedelta(minutes=15)
# Guessing from one place ends soon; a name is blocked everywhere only by many, so that nobody can lock others out easily.
LIMITS = {"name_at_address": 10, "address": 100, "name": 200}


def seconds_to_wait(request: HttpRequest, name: str) -> int:
    """Return how long logins as this name from this address are refused; 0 where they are not."""
    keys = _keys(request, name)
    rows = LoginFailure.objects.filter(pk__in=keys, since__gt=utcnow() - WINDOW)
    ends = [row.since + WINDOW for row in rows if row.count >= keys[row.key]]
    return max(1, int((max(ends) - utcnow()).total_seconds())) if ends else 0


def note_failure(request: HttpRequest, name: str) -> None:
    """Count a failed login; old counts go."""
    now = utcnow()
    LoginFailure.objects.filter(since__lte=now - WINDOW).delete()
    for key in _keys(request, name):
        LoginFailure.objects.get_or_create(pk=key, defaults={"since": now})
        LoginFailure.objects.filter(pk=key).update(count=F("count") + 1)


def note_success(request: HttpRequest, name: str) -> None:
    """Forget the failures of this name at this address."""
    LoginFailure.objects.filter(pk=next(iter(_keys(request, name)))).delete()


def address_of(request: HttpRequest) -> str:
    """Return where a request comes from; behind a trusted proxy, what the proxy wrote last."""
    forwarded: Any = request.META.get("HTTP_X_FORWARDED_FOR") if conf.get("api", "proxy_headers") else None
    return str(forwarded or request.META.get("REMOTE_ADDR") or "").split(",")[-1].strip()


def _keys(request: HttpRequest, name: str) -> dict[str, int]:
    """Hashes, the one of name and address first, with their limits."""
    name, address = name.strip().lower(), address_of(request)
    meant = {"name_at_address": f"{name}\n{address}", "address": address, "name": name}
    return {hashlib.sha256(f"{kind}\n{text}".encode()).hexdigest(): LIMITS[kind] for kind, text in meant.items()}
