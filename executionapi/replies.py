"""Decides what an answer of the Execution API is: status, JSON body, headers; and the bodies of its refusals."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

NO_CONTENT = object()


@dataclass(slots=True)
class Reply:
    """One answer; ``body`` is anything JSON can say, or ``NO_CONTENT``."""

    status: int
    body: Any = NO_CONTENT
    headers: dict[str, str] = field(default_factory=dict)


class RefusalError(Exception):
    """A request that is not granted; ``detail`` is what stands under that name in the body."""

    def __init__(self, status: int, detail: Any, headers: dict[str, str] | None = None) -> None:
        super().__init__(f"{status}: {detail}")
        self.reply = Reply(status, {"detail": detail}, headers or {})


def refusal(status: int, reason: str, message: str, **more: Any) -> RefusalError:
    """A refusal with Airflow's ``{"reason", "message", …}``."""
    return RefusalError(status, {"reason": reason, "message": message, **more})


def not_found(message: str) -> RefusalError:
    """404 with the reason ``not_found``."""
    return refusal(404, "not_found", message)


def unknown_path() -> RefusalError:
    """404 for a path that is no operation (of the API version asked for)."""
    return RefusalError(404, "Not Found")


def attempt_not_found(ti_id: Any) -> RefusalError:
    """404 for an attempt that never was."""
    return not_found(f"No task instance has the id {ti_id}")


def attempt_gone(ti_id: Any) -> RefusalError:
    """410 for an attempt that another one followed."""
    return refusal(410, "not_found", f"The attempt {ti_id} is over and only its history is kept")
