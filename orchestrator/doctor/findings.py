"""Decides what a check says: a level, a name, what was found and what to do; a check that breaks is a finding too."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor; ``todo`` is empty where nothing is to be done."""

    level: Level
    check: str
    text: str
    todo: str = ""

    def document(self) -> dict[str, str]:
        """Return the JSON form."""
        return {name: str(value) for name, value in asdict(self).items()}


Check = Callable[[], Iterable[Finding]]


def ok(check: str, text: str) -> Finding:
    """All is well."""
    return Finding(Level.OK, check, text)


def warn(check: str, text: str, todo: str) -> Finding:
    """It works, and a person should look at it."""
    return Finding(Level.WARN, check, text, todo)


def fail(check: str, text: str, todo: str) -> Finding:
    """It does not work."""
    return Finding(Level.FAIL, check, text, todo)


def examined(checks: Iterable[tuple[str, Check]]) -> Iterator[Finding]:
    """Yield what the checks find; one that breaks hinders no other."""
    for name, check in checks:
        try:
            yield from check()
        except Exception as error:
            yield fail(
                name, f"the check itself failed: {type(error).__name__}: {error}", "mend what the error names, then look again"
            )
