"""Decides how a token is got: ``/auth/token`` and ``/auth/token/cli``, with Airflow's answers."""

import json
from typing import Any

from django.contrib.auth import authenticate
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from accounts.tokens import is_open_access, open_access_user, token_for
from orchestrator.config import conf
from orchestrator.rest.answers import json_response

_FIELDS = ("username", "password")
_DOCS = "https://errors.pydantic.dev/2.14/v/"


@method_decorator(csrf_exempt, name="dispatch")
class TokenView(View):
    """``lifetime`` names the option with the token's life in seconds."""

    lifetime = "jwt_expiration_time"
    http_method_names = ["get", "post", "head", "options"]

    def get(self, request: HttpRequest) -> HttpResponse:
        """Give a token to everybody under open access."""
        if not is_open_access():
            why = "This method is only allowed if ``[core] simple_auth_manager_all_admins`` is True"
            return json_response({"detail": why}, 403)
        return self._token(open_access_user())

    def post(self, request: HttpRequest) -> HttpResponse:
        """Give a token for a user name and a password."""
        body, refusal = _login_body(request.body)
        if refusal is not None:
            return json_response({"detail": refusal}, 422)
        if is_open_access():
            return self._token(open_access_user())
        user = authenticate(request, **body)
        if user is None and (wait := getattr(request, "login_wait", 0)):
            return json_response(
                {"detail": f"Too many failed logins; try again in {wait} seconds"}, 429, {"Retry-After": str(wait)}
            )
        if user is None:
            return json_response({"detail": "Invalid credentials"}, 401)
        return self._token(user)

    def _token(self, user: Any) -> HttpResponse:
        token = token_for(user, lifetime_seconds=conf.get("api_auth", self.lifetime))
        return json_response({"access_token": token}, 201)


def _login_body(raw: bytes) -> tuple[dict[str, str], str | None]:
    """Return the body, or the text of the refusal in the words of Airflow's own validation."""
    try:
        body = json.loads(raw or b"{}")
    except ValueError:
        body = None
    if not isinstance(body, dict):
        return {}, "1 validation error for LoginBody\n  The body is no JSON object with username and password"
    faults = [_fault(name, "Field required", "missing", body, "dict") for name in _FIELDS if name not in body]
    faults += [_text_fault(name, body[name]) for name in _FIELDS if name in body and not isinstance(body[name], str)]
    faults += [
        _fault(name, "Extra inputs are not permitted", "extra_forbidden", value, type(value).__name__)
        for name, value in body.items()
        if name not in _FIELDS
    ]
    if not faults:
        return {name: body[name] for name in _FIELDS}, None
    return {}, f"{len(faults)} validation error{'s' if len(faults) > 1 else ''} for LoginBody\n" + "\n".join(faults)


def _text_fault(name: str, value: Any) -> str:
    return _fault(name, "Input should be a valid string", "string_type", value, type(value).__name__)


def _fault(name: str, message: str, kind: str, value: Any, type_name: str) -> str:
    shown = repr({k: "***" if k == "password" else v for k, v in value.items()}) if isinstance(value, dict) else repr(value)
    where = f"[type={kind}, input_value={shown}, input_type={type_name}]"
    return f"{name}\n  {message} {where}\n    For further information visit {_DOCS}{kind}"
