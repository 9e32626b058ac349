"""Decides how states, instants and durations look on a page: a glyph and a word beside each colour, a zone beside each time."""

import re
from datetime import UTC, datetime
from typing import Any

from django import template
from django.utils.html import format_html

register = template.Library()

# state -> (glyph, family of colours); the families are in static/css/app.css
STATES = {
    "success": ("✓", "ok"),
    "failed": ("✕", "failed"),
    "upstream_failed": ("↑", "failed-outline"),
    "running": ("▶", "running"),
    "restarting": ("↻", "running-outline"),
    "up_for_retry": ("↻", "retry"),
    "queued": ("…", "waiting"),
    "scheduled": ("◷", "waiting-outline"),
    "skipped": ("»", "waiting-tint"),
    "removed": ("⌀", "waiting-tint"),
    "deferred": ("‖", "deferred"),
    "up_for_reschedule": ("↺", "deferred-outline"),
    "awaiting_input": ("!", "input"),
    None: ("○", "none"),
}
_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


@register.simple_tag
def state(value: str | None) -> str:
    """Show a state as a chip: glyph, word and colour."""
    glyph, family = STATES.get(value or None, STATES[None])
    word = (value or "no state").replace("_", " ")
    return format_html('<span class="state {}"><span aria-hidden="true">{}</span> {}</span>', family, glyph, word)


@register.simple_tag
def dot(value: str | None, label: str) -> str:
    """Show a state as a small mark with a name for screen readers."""
    glyph, family = STATES.get(value or None, STATES[None])
    text = f"{(value or 'no state').replace('_', ' ')}, {label}"
    return format_html('<span class="dot {}" role="img" aria-label="{}" title="{}">{}</span>', family, text, text, glyph)


@register.filter
def moment(value: datetime | None) -> str:
    """Show an instant in UTC, to the second, with its zone."""
    if value is None:
        return "-"
    utc = value.astimezone(UTC)
    return format_html('<time datetime="{}">{} UTC</time>', utc.isoformat(), utc.strftime("%Y-%m-%d %H:%M:%S"))


@register.filter
def stamp(value: Any) -> str:
    """Show the timestamp of a log record: the time of day to the millisecond, in UTC."""
    try:
        utc = datetime.fromisoformat(str(value)).astimezone(UTC)
    except ValueError:
        return str(value or "")
    text = utc.strftime("%H:%M:%S.") + f"{utc.microsecond // 1000:03d}Z"
    return format_html('<time datetime="{}" title="{}">{}</time>', utc.isoformat(), f"{utc:%Y-%m-%d %H:%M:%S} UTC", text)


@register.filter
def seconds(value: float | None) -> str:
    """Show a duration: 0.8 s, 59 s, 1 m 04 s, 2 h 05 m."""
    if value is None:
        return "-"
    if value < 10:
        return f"{value:.1f} s"
    if value < 60:
        return f"{value:.0f} s"
    minutes, rest = divmod(int(value), 60)
    if minutes < 60:
        return f"{minutes} m {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} m"


@register.filter
def plain(value: Any) -> str:
    """Return a text without terminal escape sequences and control characters."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", _ANSI.sub("", str(value)))
