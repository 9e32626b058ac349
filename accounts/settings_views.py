"""Decides the page on which somebody chooses how the pages look, and keeps his own API tokens."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from accounts.access import access_of
from accounts.models import ApiToken, SavedView, User
from accounts.named_tokens import TokenRefusedError, token_create, token_note, token_revoke
from accounts.token_form import LIFETIMES, TokenForm, read_token_form
from accounts.views import page
from orchestrator.kernel.clock import utcnow
from orchestrator.ui.preferences import CHOICES, RUNS_SHOWN, zones

TOKENS_SHOWN = 100
SAMPLES = ("success", "failed", "running", "up_for_retry", "queued", "deferred", "awaiting_input")


@require_GET
@page()
def settings(request: HttpRequest) -> HttpResponse:
    """Show the choices, the tokens and the keys."""
    return _show(request, TokenForm())


@require_POST
@never_cache
@page()
def token_add(request: HttpRequest) -> HttpResponse:
    """Make a token for whoever asks and show its text, this once: it is in no other answer and is not kept."""
    owner, form = _person(request), read_token_form(request.POST)
    if owner is None:
        form.problem = "Only somebody who signed in makes tokens: a token cannot make another."
    if form.problem or owner is None:
        return _show(request, form, status=422)
    try:
        with transaction.atomic():
            row, text = token_create(owner, form.name, form.role, form.expires_at(utcnow()))
            token_note("create_api_token", row, actor=owner.get_username())
    except TokenRefusedError as refusal:
        form.problem = str(refusal)
        return _show(request, form, status=422)
    return _show(request, TokenForm(), {"made": row, "made_text": text})


@require_POST
@page()
def token_end(request: HttpRequest, token_id: int) -> HttpResponse:
    """Revoke a token of one's own."""
    row = _tokens(request).filter(pk=token_id).select_related("user").first()
    if row is None:
        raise Http404("There is no such token of yours")
    with transaction.atomic():
        if token_revoke(row):
            token_note("revoke_api_token", row, actor=request.user.get_username())
    messages.success(request, f"The token {row.name} is revoked: whoever uses it is refused from now on.")
    return redirect("settings")


def _show(request: HttpRequest, form: TokenForm, more: dict[str, Any] | None = None, status: int = 200) -> HttpResponse:
    best = access_of(request.user).best()
    now = utcnow()
    context = {
        "choices": CHOICES,
        "runs_shown": RUNS_SHOWN,
        "zones": zones(),
        "samples": SAMPLES,
        "now": now,
        "role": best.name.title() if best else "no role",
        "may_have_tokens": _person(request) is not None,
        "tokens": [(row, _word(row, now)) for row in _tokens(request).order_by("-pk")[:TOKENS_SHOWN]],
        "views": SavedView.objects.filter(user=_row(request)).order_by("page", "name"),
        "form": form,
        "roles": form.roles_up_to(best),
        "lifetimes": LIFETIMES,
        **(more or {}),
    }
    return render(request, "accounts/settings.html", context, status=status)


def _row(request: HttpRequest) -> User | None:
    """The user, where it is one of the database; open access has none."""
    return request.user if isinstance(request.user, User) and request.user.pk is not None else None


def _person(request: HttpRequest) -> User | None:
    """The user, where it is a person who signed in and no token."""
    return None if getattr(request.user, "acting_token", None) is not None else _row(request)


def _tokens(request: HttpRequest) -> Any:
    return ApiToken.objects.filter(user=_row(request))


def _word(row: ApiToken, now: Any) -> str:
    if row.revoked_at is not None:
        return "revoked"
    return "valid" if row.is_valid(now) else "expired"
