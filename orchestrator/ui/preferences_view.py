"""Decides the address that keeps preferences: by a form of the settings page, or one at a time by a script."""

from __future__ import annotations

import json

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from accounts.views import page
from orchestrator.ui.preferences import PreferenceError, preferences_change


@require_POST
@page()
def preferences_set(request: HttpRequest) -> HttpResponse:
    """Keep what was sent: JSON from a script (204), or a form (leads back to the settings)."""
    is_script = request.content_type == "application/json"
    try:
        sent = json.loads(request.body) if is_script else request.POST.dict()
        chosen = {name: value for name, value in sent.items() if name != "csrfmiddlewaretoken"}
        preferences_change(request, chosen)
    except (PreferenceError, ValueError, AttributeError) as error:
        if is_script:
            return JsonResponse({"detail": str(error)}, status=422)
        messages.error(request, str(error))
        return redirect("settings")
    if is_script:
        return HttpResponse(status=204)
    messages.success(request, "Your settings are saved.")
    return redirect("settings")
