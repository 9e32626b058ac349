"""Decides what an operation of the REST API is: a function with its method, path, role, parameters and body."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rest_framework.request import Request

from accounts.roles import Role
from orchestrator.rest.bodies import Body, Values
from orchestrator.rest.params import Params
from orchestrator.rest.scalars import Parser


@dataclass(frozen=True, slots=True)
class Call:
    """One request to an operation, read and checked."""

    request: Request
    path: Mapping[str, Any]
    query: Mapping[str, Any]
    body: Values

    @property
    def user_name(self) -> str:
        """The name under which the caller acts."""
        return str(self.request.user.username)

    @property
    def door(self) -> str:
        """Where the request comes from, in the word in which runs name what triggered them: ``ui`` or ``rest_api``."""
        return "ui" if self.request.headers.get("Referer") else "rest_api"


Handler = Callable[[Call], Any]


@dataclass(frozen=True, slots=True)
class Operation:
    """One row of the contract. ``role`` None means that nobody need sign in."""

    method: str
    path: str
    operation_id: str
    handler: Handler
    role: Role | None
    params: Params
    body: Body | None
    path_types: Mapping[str, Parser]
    status: int


class Operations:
    """The operations of one module; a module makes one and decorates its functions with it."""

    def __init__(self, tag: str) -> None:
        self.tag = tag
        self.items: list[Operation] = []

    def add(
        self,
        method: str,
        path: str,
        operation_id: str,
        *,
        role: Role | None = Role.VIEWER,
        params: Params | None = None,
        body: Body | None = None,
        types: Mapping[str, Parser] | None = None,
        status: int = 200,
    ) -> Callable[[Handler], Handler]:
        """Declare a function as the operation; it returns JSON types, a Django response, or None for an empty answer."""

        def register(handler: Handler) -> Handler:
            asked = params or Params()
            operation = Operation(method, path, operation_id, handler, role, asked, body, types or {}, status)
            self.items.append(operation)
            return handler

        return register
