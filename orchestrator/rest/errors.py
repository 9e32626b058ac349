"""Decides how the REST API says no: the exceptions that operations raise and their bodies, in Airflow's shapes."""

from typing import Any, Self


class RestError(Exception):
    """An answer with a status other than 2xx; ``detail`` is the value of the body's ``detail``."""

    def __init__(self, status: int, detail: Any, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = headers or {}


class NotFoundError(RestError):
    """404: what was asked for does not exist."""

    def __init__(self, detail: Any) -> None:
        super().__init__(404, detail)


class ConflictError(RestError):
    """409 for a unique key that is taken; the text names no statement, as in Airflow."""

    def __init__(self, request_id: str) -> None:
        super().__init__(409, database_refusal("Unique constraint violation", request_id))


class InvalidError(RestError):
    """422: a list of what is wrong with the parameters or the body."""

    def __init__(self, problems: list[dict[str, Any]]) -> None:
        super().__init__(422, problems)


def database_refusal(reason: str, request_id: str) -> dict[str, str]:
    """Return the detail of an answer to a request that the database refused."""
    message = "Serious error when handling your request. Check logs for more details - "
    message += f"you will find it in api server when you look for ID {request_id}"
    return {"reason": reason, "statement": "hidden", "orig_error": "hidden", "message": message}


class ProblemError(ValueError):
    """One value is wrong; the parser of the value knows what, its caller knows where."""

    def __init__(self, kind: str, message: str, context: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.context = context
        self.inside: tuple[tuple[str | int, ...], Any] | None = None

    def within(self, where: str | int, value: Any) -> Self:
        """Say in which part of a value the problem is, and what stands there."""
        path, innermost = self.inside or ((), value)
        self.inside = ((where, *path), innermost)
        return self

    def at(self, location: list[str | int], value: Any) -> dict[str, Any]:
        """Return the entry for the list of an ``InvalidError``."""
        path, found = self.inside or ((), value)
        entry = {"type": self.kind, "loc": [*location, *path], "msg": self.message, "input": found}
        return entry | ({"ctx": self.context} if self.context else {})


MISSING = ProblemError("missing", "Field required")
EXTRA = ProblemError("extra_forbidden", "Extra inputs are not permitted")
