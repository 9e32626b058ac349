"""Decides which span of time the timeline shows, where an instant lies in it, and which hours its axis names."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.http import QueryDict

from orchestrator.templatetags.shown import zone_of, zoned

HOURS = (1, 6, 12, 24)
USUAL_HOURS = 12
# The part of the span that lies ahead, where it goes with the clock.
AHEAD = 0.25
_STEPS = {1: timedelta(minutes=10), 6: timedelta(hours=1), 12: timedelta(hours=2), 24: timedelta(hours=4)}


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark of the axis, in per cent from the left."""

    x: float
    label: str


@dataclass(frozen=True, slots=True)
class Window:
    """The span; ``is_fixed`` where the address names its end, so that it does not go with the clock."""

    begin: datetime
    end: datetime
    now: datetime
    hours: int
    is_fixed: bool

    def x(self, moment: datetime) -> float:
        """Return where an instant lies, in per cent, never outside."""
        share = (moment - self.begin) / (self.end - self.begin)
        return round(min(max(share, 0.0), 1.0) * 100, 2)

    @property
    def now_x(self) -> float | None:
        """Where the present instant lies; None outside of the span."""
        return self.x(self.now) if self.begin <= self.now <= self.end else None

    @property
    def earlier(self) -> str:
        """The end of the span before this one, as the address has it."""
        return _written(self.end - timedelta(hours=self.hours) / 2)

    @property
    def later(self) -> str:
        """The end of the span after this one."""
        return _written(self.end + timedelta(hours=self.hours) / 2)

    def ticks(self) -> list[Tick]:
        """Return the marks of the axis, at full hours of the person's clock."""
        step = _STEPS[self.hours]
        local = zoned(self.begin)
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
        at = midnight + step * -((midnight - local) // step)
        found: list[Tick] = []
        while at < self.end:
            if at >= self.begin:
                shown = zoned(at)
                form = "%b %d %H:%M" if not found or shown.hour == shown.minute == 0 else "%H:%M"
                zone = f" {zone_of(shown)}" if not found else ""
                found.append(Tick(self.x(at), f"{shown.strftime(form)}{zone}"))
            at += step
        return found


def window_of(query: QueryDict, now: datetime) -> Window:
    """Read the span from the address; what cannot be read counts as not given."""
    asked = query.get("hours", "")
    hours = int(asked) if asked in {str(number) for number in HOURS} else USUAL_HOURS
    length = timedelta(hours=hours)
    end = _read(query.get("until", ""), now)
    fixed = end is not None
    end = end or now + length * AHEAD
    return Window(end - length, end, now, hours, fixed)


def _read(text: str, now: datetime) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return moment if abs(moment - now) < timedelta(days=3650) else None


def _written(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}Z"
