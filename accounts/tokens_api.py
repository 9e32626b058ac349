"""Decides the REST operations on API tokens and on the caller's own password; additions to Airflow's API."""

from typing import Any

from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet

from accounts.access import access_of
from accounts.models import ApiToken, User
from accounts.named_tokens import TokenRefusedError, token_create, token_note, token_revoke
from accounts.roles import Role
from accounts.services import audit_write
from orchestrator.rest import scalars
from orchestrator.rest.bodies import Body, Field
from orchestrator.rest.errors import NotFoundError, ProblemError, RestError
from orchestrator.rest.lists import list_body
from orchestrator.rest.operations import Call, Operations
from orchestrator.rest.ordering import ordering
from orchestrator.rest.params import Param, by, order_param, page_params, params
from orchestrator.rest.schemas import Schema

operations = Operations("Token")

_ROLES = tuple(role.name.title() for role in Role)
LIST = params(Param("user_name", apply=by("user__username")), page_params(), order_param())
ORDER = ordering("id", "name", "created_at", "expires_at", "last_used_at", default=["id"])
TOKEN = Schema(
    "ApiToken",
    "id", "name", "hint", "created_at", "expires_at", "revoked_at", "last_used_at",
    user_name="user.username",
    role=lambda row: Role(row.role).name.title(),
)  # fmt: skip


def _name(value: Any) -> str:
    text = scalars.text(value)
    if not 0 < len(text.strip()) <= 100:
        raise ProblemError("string_length", "A name has 1 to 100 characters")
    return text.strip()


CREATE = Body(
    "ApiTokenPost",
    {
        "name": Field(_name, required=True, null=False),
        "role": Field(scalars.choice(*_ROLES)),
        "expires_at": Field(scalars.instant),
        "user_name": Field(scalars.text),
    },
)
PASSWORD = Body(
    "PasswordPost",
    {name: Field(scalars.text, required=True, null=False) for name in ("old_password", "new_password")},
)
_ID = {"token_id": scalars.at_least(0)}


@operations.add("GET", "/tokens", "get_api_tokens", params=LIST)
def get_api_tokens(call: Call) -> dict[str, Any]:
    """Return the caller's tokens, an admin's view of all."""
    return list_body(_visible(call), call.query, params=LIST, order=ORDER, schema=TOKEN, key="tokens")


@operations.add("POST", "/tokens", "post_api_token", body=CREATE, status=201)
def post_api_token(call: Call) -> dict[str, Any]:
    """Make a token and return it with its text, this once; without a role it has the owner's."""
    _refuse_tokens(call)
    owner = _owner(call)
    best = access_of(owner).best()
    role = Role[call.body["role"].upper()] if call.body["role"] else best or Role.VIEWER
    try:
        with transaction.atomic():
            row, text = token_create(owner, call.body["name"], role, call.body["expires_at"])
            token_note("create_api_token", row, actor=call.user_name)
    except TokenRefusedError as error:
        raise RestError(409 if "already" in str(error) else 422, str(error)) from error
    return {**TOKEN.of(row), "token": text}


@operations.add("DELETE", "/tokens/{token_id}", "delete_api_token", types=_ID)
def delete_api_token(call: Call) -> None:
    """Revoke a token; the row stays, so that the audit log can be read."""
    row = _visible(call).filter(pk=call.path["token_id"]).first()
    if row is None:
        raise NotFoundError(f"The API token with id: `{call.path['token_id']}` was not found")
    with transaction.atomic():
        if token_revoke(row):
            token_note("revoke_api_token", row, actor=call.user_name)


@operations.add("POST", "/auth/password", "post_password", body=PASSWORD)
def post_password(call: Call) -> None:
    """Change the caller's password; signed tokens and other sessions end with it."""
    _refuse_tokens(call)
    user = call.request.user
    if not user.pk or not user.check_password(call.body["old_password"]):
        raise RestError(403, "The old password is wrong")
    try:
        validate_password(call.body["new_password"], user)
    except ValidationError as error:
        raise RestError(422, "; ".join(error.messages)) from error
    with transaction.atomic():
        user.set_password(call.body["new_password"])
        user.save(update_fields=["password", "tokens_valid_from"])
        audit_write("change_password", actor=call.user_name)
    if getattr(call.request._request, "user", None) == user:
        update_session_auth_hash(call.request._request, user)


def _visible(call: Call) -> QuerySet[ApiToken]:
    rows = ApiToken.objects.select_related("user")
    return rows if access_of(call.request.user).role == Role.ADMIN else rows.filter(user__username=call.user_name)


def _owner(call: Call) -> User:
    name, caller = call.body["user_name"], call.request.user
    if name in (None, caller.username) and caller.pk:
        return caller
    if access_of(caller).role != Role.ADMIN:
        raise RestError(403, "Only an admin makes tokens for others")
    found = User.objects.filter(username=name, is_active=True).first()
    if found is None:
        raise NotFoundError(f"There is no active user {name!r}; name one in user_name")
    return found


def _refuse_tokens(call: Call) -> None:
    """A token that leaks must not be able to make itself permanent."""
    if getattr(call.request.user, "acting_token", None) is not None:
        raise RestError(403, "An API token cannot do this; sign in instead")
