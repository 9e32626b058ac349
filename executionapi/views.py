"""Decides how HTTP becomes a call and a reply becomes HTTP.

The views are REST framework views without its parsers, negotiation and serializers: bodies have one format, and the
errors of a wrong one have Airflow's shape.
"""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.request import RawPostDataException, UnreadablePostError
from rest_framework.permissions import AllowAny
from rest_framework.views import APIView

from executionapi import versions
from executionapi.authorisation import bearer_of
from executionapi.batch import answer_batch
from executionapi.calls import Call
from executionapi.dispatch import perform
from executionapi.fields import MISSING
from executionapi.replies import NO_CONTENT, RefusalError, Reply
from executionapi.routing import match
from orchestrator.kernel.faults import fault_point


class ExecutionView(APIView):
    """What both views share: no session, no negotiation, replies as JSON."""

    # Who may ask is decided per operation from the token (executionapi.authorisation), also inside of a batch.
    authentication_classes = ()
    permission_classes = (AllowAny,)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Answer, and name the API version that was asked for."""
        asked = request.headers.get(versions.HEADER)
        try:
            response = http_response(self.answer(request, versions.resolve(asked), **kwargs))
        except RefusalError as refused:
            response = http_response(refused.reply)
        response.headers[versions.HEADER] = asked or versions.HEAD
        if correlation := request.headers.get("correlation-id"):
            response.headers["correlation-id"] = correlation
        return response

    def answer(self, request: HttpRequest, version: str, **kwargs: Any) -> Reply:
        """The reply; may raise RefusalError."""
        raise NotImplementedError


class OperationView(ExecutionView):
    """One request for one operation."""

    def answer(self, request: HttpRequest, version: str, **kwargs: Any) -> Reply:
        """See ``ExecutionView``."""
        operation, args = match(request.method or "", kwargs["path"], version)
        call = Call(
            args=args,
            query=dict(request.GET.lists()),
            body=json_body(request),
            bearer=bearer_of(request.headers.get("Authorization")),
            version=version,
        )
        return perform(operation, [call])[0]


class BatchView(ExecutionView):
    """Many requests, each with its own token."""

    def answer(self, request: HttpRequest, version: str, **kwargs: Any) -> Reply:
        """See ``ExecutionView``."""
        if request.method != "POST":
            raise RefusalError(405, "Method Not Allowed", {"Allow": "POST"})
        fault_point("api.before_batch")
        reply = answer_batch(json_body(request), version)
        fault_point("api.after_batch")
        return reply


def openapi_json(request: HttpRequest) -> HttpResponse:
    """The document of the version that ``?version=`` names, else of the newest; it needs no token."""
    # Only who reads the document loads what writes it.
    from executionapi.openapi.document import document

    asked = request.GET.get("version") or versions.HEAD
    try:
        return http_response(Reply(200, document(asked)))
    except KeyError:
        known = ", ".join(versions.VERSIONS)
        return http_response(Reply(404, {"detail": f"There is no version {asked!r} of this API; the versions are {known}"}))


def json_body(request: HttpRequest) -> Any:
    """The JSON of the body, ``MISSING`` where it is empty. Raises RefusalError 422."""
    try:
        raw = request.body
    except (UnreadablePostError, RawPostDataException):
        raise RefusalError(400, "The request body could not be read") from None
    if not raw:
        return MISSING
    try:
        return json.loads(raw)
    except (ValueError, RecursionError) as error:
        place = ["body", getattr(error, "pos", 0)]
        detail = {"type": "json_invalid", "loc": place, "msg": "JSON decode error", "input": {}, "ctx": {"error": str(error)}}
        raise RefusalError(422, [detail]) from None


def http_response(reply: Reply) -> HttpResponse:
    """The reply as HTTP."""
    if reply.body is NO_CONTENT:
        return HttpResponse(status=reply.status, headers=reply.headers)
    content = json.dumps(reply.body, separators=(",", ":"))
    return HttpResponse(content, status=reply.status, headers=reply.headers, content_type="application/json")
