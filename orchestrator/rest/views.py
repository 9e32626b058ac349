"""Decides the course of every REST request: who asks, may they, what do they ask, the answer or the error."""

import logging
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from django.db import DataError, IntegrityError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from rest_framework import exceptions
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.reach import reaching
from orchestrator.rest.answers import json_response
from orchestrator.rest.auth import AUTHENTICATION, admit
from orchestrator.rest.bodies import Values
from orchestrator.rest.errors import ConflictError, InvalidError, ProblemError, RestError, database_refusal
from orchestrator.rest.operations import Call, Operation

logger = logging.getLogger(__name__)


class AnyAccept(BaseContentNegotiation):
    """Every client gets JSON, whatever it says that it accepts; an operation with other types decides itself."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        """Return the only parser."""
        return parsers[0]

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> tuple[Any, str]:
        """Return JSON."""
        return renderers[0], "application/json"


class OperationView(APIView):
    """One path; ``operations`` maps each of its methods to the operation."""

    operations: Mapping[str, Operation] = {}
    authentication_classes = AUTHENTICATION
    permission_classes = []
    renderer_classes = [JSONRenderer]
    content_negotiation_class = AnyAccept

    def dispatch(self, request: HttpRequest, *args: Any, **path: Any) -> HttpResponseBase:
        """Answer one request."""
        drf_request = self.initialize_request(request)
        try:
            return self._answer(drf_request, path)
        except Exception as error:
            return self._refusal(error, request)

    def _answer(self, request: Request, path: dict[str, Any]) -> HttpResponseBase:
        operation = self.operations.get(str(request.method)) or self.operations.get("GET" if request.method == "HEAD" else "")
        if operation is None:
            raise RestError(405, "Method Not Allowed", {"Allow": ", ".join(self.operations)})
        scope = admit(request.user if operation.role is not None else None, operation, path)
        with reaching(scope):
            answer = operation.handler(_call(operation, request, path))
        if isinstance(answer, HttpResponseBase):
            return answer
        return (
            HttpResponse(status=204, content_type="application/json")
            if answer is None
            else json_response(answer, operation.status)
        )

    def _refusal(self, error: Exception, request: HttpRequest) -> HttpResponse:
        """The one place that turns an exception into an answer."""
        if isinstance(error, RestError):
            return json_response({"detail": error.detail}, error.status, error.headers)
        if isinstance(error, exceptions.APIException):
            return json_response({"detail": str(error.detail)}, error.status_code)
        return _unexpected(error, request)


def _call(operation: Operation, request: Request, path: dict[str, Any]) -> Call:
    """Read path, query and body. Raises ``InvalidError`` with what is wrong in any of them."""
    problems: list[dict[str, Any]] = []
    typed = {name: _path_value(operation, name, value, problems) for name, value in path.items()}
    query, body = operation.params, operation.body
    read_query = _collect(lambda: query.read(request._request.GET), problems)
    read_body = (
        _collect(lambda: body.read(request._request.body, request._request.content_type or ""), problems) if body else Values()
    )
    if problems:
        raise InvalidError(problems)
    return Call(request, typed, read_query, read_body)


def _path_value(operation: Operation, name: str, value: str, problems: list[dict[str, Any]]) -> Any:
    parse = operation.path_types.get(name)
    try:
        return parse(value) if parse else value
    except ProblemError as problem:
        problems.append(problem.at(["path", name], value))
        return None


def _collect(read: Callable[[], Any], problems: list[dict[str, Any]]) -> Any:
    try:
        return read()
    except InvalidError as error:
        problems += error.detail
        return None


def _unexpected(error: Exception, request: HttpRequest) -> HttpResponse:
    request_id = uuid.uuid4().hex[:8]
    if isinstance(error, IntegrityError):
        logger.warning("%s %s refused by the database [%s]: %s", request.method, request.path, request_id, error)
        return json_response({"detail": ConflictError(request_id).detail}, 409)
    if isinstance(error, DataError):
        return json_response({"detail": database_refusal("Value rejected by database", request_id)}, 422)
    if isinstance(error, OperationalError):
        logger.error("%s %s: the database is not available [%s]: %s", request.method, request.path, request_id, error)
        return json_response({"detail": {"reason": "database_unavailable"}}, 503, {"Retry-After": "1"})
    logger.exception("%s %s failed [%s]", request.method, request.path, request_id)
    return json_response({"detail": f"Internal Server Error, look for {request_id} in the log of the API server"}, 500)
