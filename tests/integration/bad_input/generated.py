"""Decides which requests schemathesis makes of a document, and what an answer must be: no 5xx, and a 2xx as the document says."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from typing import Any

import schemathesis
from django.db import transaction
from django.test.client import ClientHandler
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.core.failures import FailureGroup
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance

Json = dict[str, Any]
CHECKS = [response_schema_conformance, content_type_conformance]

#: The same requests on every run: a failure can be repeated, and the suite ends in a known time. Who hunts asks for more.
FIXED = settings(
    max_examples=int(os.environ.get("BAD_INPUT_EXAMPLES", "6")),
    derandomize=True,
    database=None,
    deadline=None,
    phases=(Phase.generate,),
    suppress_health_check=list(HealthCheck),
)


def labels(document: Json) -> list[str]:
    """Method and path of each operation."""
    return [f"{method.upper()} {path}" for path, item in document["paths"].items() for method in item]


def site(environ: Json, start_response: Any) -> list[bytes]:
    """The whole site as WSGI; unlike the real one it leaves the connection of the test open."""
    response = ClientHandler(enforce_csrf_checks=False)(environ)
    start_response(f"{response.status_code} {response.reason_phrase}", list(response.items()))
    return [response.getvalue()]


class Requests:
    """Requests that fit a document, and some that do not, against the whole site in this process."""

    def __init__(self, document: Json, prefix: str = "") -> None:
        self.schema = schemathesis.openapi.from_dict(document)
        self.schema.app = site
        self.prefix = prefix
        self.operations = {found.ok().label: found.ok() for found in self.schema.get_all_operations()}

    def try_out(self, label: str, known: Mapping[str, Any], headers: dict[str, str]) -> None:
        """Send some requests for one operation; ``known`` names rows that exist. Every change is rolled back."""
        operation = self.operations[label]
        here = {name: known[name] for name in known if f"{{{name}}}" in label}
        places = st.sampled_from([here, {}]) if here else st.just({})

        @FIXED
        @given(st.data())
        def send(data: st.DataObject) -> None:
            mode = data.draw(st.sampled_from([GenerationMode.POSITIVE, GenerationMode.POSITIVE, GenerationMode.NEGATIVE]))
            case = data.draw(operation.as_strategy(mode))
            case.path_parameters = {**(case.path_parameters or {}), **data.draw(places)}
            with transaction.atomic():
                response = case.call(base_url=f"http://testserver{self.prefix}", headers=headers)
                transaction.set_rollback(True)
            check(case, response)

        send()


def check(case: Any, response: Any) -> None:
    """Fail with the request as a curl command where the answer is a 5xx, or a 2xx that the document does not describe."""
    said = response.text[:600]
    if response.status_code >= 500:
        raise AssertionError(f"{response.status_code}: {said}\n{case.as_curl_command()}")
    # As Airflow's, the answer of `wait` names no media type.
    if response.status_code < 300 and not case.operation.label.endswith("/wait"):
        try:
            case.validate_response(response, checks=CHECKS)
        except FailureGroup as group:
            told = "\n".join(str(error) for error in group.exceptions)
            raise AssertionError(f"{told}\n{said}\n{case.as_curl_command()}") from None
    elif response.status_code >= 400 and case.method != "HEAD":
        assert "detail" in response.text, f"{response.status_code} without a detail: {said}\n{case.as_curl_command()}"


@cache
def requests_of(which: str) -> Requests:
    """The requests of ``rest`` or ``execution``; a document is read once."""
    from tests.integration.bad_input.documents import execution_document, rest_document

    return Requests(rest_document()) if which == "rest" else Requests(execution_document(), "/execution")
