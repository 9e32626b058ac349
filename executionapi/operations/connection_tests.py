"""Decides how the worker that tests a connection gets its parts and reports the result."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from executionapi.calls import Call, Operation, one_by_one
from executionapi.fields import Field, InvalidError, one_of, optional, read_object, read_value, text
from executionapi.fields import uuid as read_uuid
from executionapi.replies import RefusalError, Reply, refusal
from vault.connection_tests import MOST_CHARACTERS, TestRefusedError, test_end, test_fetch
from vault.keys import UndecryptableError

_SINCE: Final = "2026-06-30"


def _message(value: Any) -> str:
    found = text(value)
    if len(found) > MOST_CHARACTERS:
        sentence = f"String should have at most {MOST_CHARACTERS} characters"
        raise InvalidError("string_too_long", sentence, max_length=MOST_CHARACTERS)
    return found


_RESULT: Final = (
    Field("state", one_of("pending", "queued", "running", "success", "failed")),
    Field("result_message", optional(_message), required=False),
)


def read_result(call: Call) -> dict[str, Any]:
    """State and sentence of a report."""
    _own(call)
    return read_object(call.body, _RESULT)


def patch_test(call: Call) -> Reply:
    """Take a report."""
    try:
        test_end(_own(call), call.value["state"], call.value["result_message"])
    except TestRefusedError as error:
        raise _refused(error) from None
    return Reply(204)


def get_connection(call: Call) -> Reply:
    """The parts of the connection with its secrets, once."""
    try:
        return Reply(200, test_fetch(_own(call)))
    except TestRefusedError as error:
        raise _refused(error) from None
    except UndecryptableError as error:
        raise refusal(422, "unreadable", f"The connection cannot be read: {error}") from None


def _own(call: Call) -> UUID:
    found: UUID = read_value(call.args["connection_test_id"], read_uuid, ("path", "connection_test_id"))
    if call.subject.lower() != str(found):
        raise RefusalError(403, "Token subject does not match connection test ID")
    return found


def _refused(error: TestRefusedError) -> RefusalError:
    missing = error.reason == "missing"
    return refusal(404 if missing else 409, "not_found" if missing else "conflict", str(error))


_PATH = "connection-tests/{connection_test_id}"

OPERATIONS: Final = (
    Operation("PATCH", _PATH, one_by_one(patch_test), read_result, scopes=("workload",), writes=True, since=_SINCE),
    Operation("GET", f"{_PATH}/connection", one_by_one(get_connection), scopes=("workload",), writes=True, since=_SINCE),
)
