"""Decides what one measurement hands over to the report."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Figure:
    """One number with its name and unit; ``digits`` after the point."""

    name: str
    value: float
    unit: str
    digits: int = 0


@dataclass
class Outcome:
    """What one measurement of one platform on one database gave.

    ``failures`` counts tasks that did not succeed and ``errors`` answers of the REST API that were no good.
    ``processor`` holds milliseconds per task by process, ``memory`` (processes, MB) by process.
    ``load`` is the one-minute load before it, ``others`` the share in per cent of all cores that strangers used meanwhile.
    """

    figures: list[Figure]
    failures: int = 0
    errors: int = 0
    processor: dict[str, float] = field(default_factory=dict)
    memory: dict[str, tuple[int, float]] = field(default_factory=dict)
    problem: str = ""
    platform: str = ""
    database: str = ""
    measure: str = ""
    load: float = 0.0
    others: float = 0.0
