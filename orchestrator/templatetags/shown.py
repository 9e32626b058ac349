"""Decides how states, times and icons look on a page: a glyph and a word beside each colour, each time with its zone."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from django import template
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import mark_safe

from orchestrator.kernel.clock import utcnow

register = template.Library()
NOTHING = "\N{EN DASH}"

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


def look_of(value: str | None) -> tuple[str, str, str]:
    """Return (glyph, family, word) of a state."""
    glyph, family = STATES.get(value or None, STATES[None])
    return glyph, family, (value or "no state").replace("_", " ")


@register.simple_tag
def state(value: str | None, key: str = "") -> str:
    """Show a state as a chip: glyph, word and colour; ``key`` names it for live changes (see ``ti_key``)."""
    glyph, family, word = look_of(value)
    live = format_html(' data-state-of="{}"', key) if key else ""
    return format_html('<span class="state {}"{}><span aria-hidden="true">{}</span> {}</span>', family, live, glyph, word)


@register.simple_tag
def dot(value: str | None, label: str, key: str = "") -> str:
    """Show a state as a small mark with a name for screen readers."""
    glyph, family, word = look_of(value)
    text = f"{word}, {label}" if label else word
    live = format_html(' data-dot-of="{}" data-label="{}"', key, label) if key else ""
    return format_html('<span class="dot {}" role="img" aria-label="{}" title="{}"{}>{}</span>', family, text, text, live, glyph)


@register.filter
def ti_key(ti: Any) -> str:
    """Name a task instance over all its tries, for live changes: a retry or a clear changes its id."""
    return f"{ti.dag_run_id}:{ti.task_id}:{ti.map_index}"


@register.simple_tag
def icon(name: str, label: str = "") -> str:
    """Show an icon of static/vendor/icons.svg; without a label it says nothing to screen readers."""
    hidden = format_html('role="img" aria-label="{}"', label) if label else mark_safe('aria-hidden="true"')
    return format_html('<svg class="icon" {}><use href="{}#{}"/></svg>', hidden, static("vendor/icons.svg"), name)


def zoned(value: datetime) -> datetime:
    """Return an instant on the clock of the zone that the person chose; as it is at the ends of the calendar."""
    try:
        return timezone.localtime(value)
    except OverflowError:
        return value


def zone_of(local: datetime) -> str:
    """Return the short name of the zone at that instant, such as CET or UTC."""
    return local.tzname() or "UTC"


@register.filter
def moment(value: datetime | None) -> str:
    """Show an instant in the person's zone, to the second, with its zone; the exact one in UTC on hover."""
    if value is None:
        return NOTHING
    local = zoned(value)
    return _time(value, f"{local:%Y-%m-%d %H:%M:%S} {zone_of(local)}")


@register.filter
def short_moment(value: datetime | None) -> str:
    """Show an instant as people say it: ``16:19:47 CET`` today, ``Nov 22 16:19 CET`` this year, else with the year."""
    if value is None:
        return NOTHING
    local, now = zoned(value), zoned(utcnow())
    form = "%H:%M:%S" if local.date() == now.date() else "%b %d %H:%M" if local.year == now.year else "%Y-%m-%d %H:%M"
    return _time(value, f"{local.strftime(form)} {zone_of(local)}")


@register.filter
def ago(value: datetime | None) -> str:
    """Show how long ago an instant was, or in how long it comes; the page goes on counting."""
    if value is None:
        return NOTHING
    return _time(value, distance(value - utcnow()), counts=True)


@register.filter
def ends(value: datetime) -> str:
    """Show when the time for something is over, or since when it was."""
    return format_html("{} {}", "time was over" if value <= utcnow() else "ends", ago(value))


def distance(delta: timedelta) -> str:
    """``-125 s`` → ``2 m ago``; ``+3 h`` → ``in 3 h``."""
    whole = int(abs(delta.total_seconds()))
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if whole >= size:
            text = f"{whole // size} {unit}"
            break
    else:
        text = f"{whole} s"
    return f"{text} ago" if delta.total_seconds() < 0 else f"in {text}"


def _time(value: datetime, text: str, counts: bool = False) -> str:
    utc = value.astimezone(UTC)
    title = f"{zoned(value):%Y-%m-%d %H:%M:%S %Z} · {utc:%Y-%m-%d %H:%M:%S.%f} UTC"
    form = '<time datetime="{}" title="{}" data-ago>{}</time>' if counts else '<time datetime="{}" title="{}">{}</time>'
    return format_html(form, utc.isoformat(), title, text)


@register.filter
def stamp(value: Any) -> str:
    """Show the timestamp of a log record: the time of day to the millisecond, in the person's zone."""
    try:
        given = datetime.fromisoformat(str(value))
    except ValueError:
        return str(value or "")
    local = zoned(given if given.tzinfo else given.replace(tzinfo=UTC))
    text = local.strftime("%H:%M:%S.") + f"{local.microsecond // 1000:03d}"
    title = f"{local:%Y-%m-%d %H:%M:%S} {zone_of(local)}"
    return format_html('<time datetime="{}" title="{}">{}</time>', local.isoformat(), title, text)


@register.filter
def seconds(value: float | None) -> str:
    """Show a duration: 0.8 s, 59 s, 1 m 04 s, 2 h 05 m."""
    if value is None:
        return NOTHING
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


@register.filter
def words(value: Any) -> str:
    """Show an identifier with its underscores as spaces."""
    return str(value or "").replace("_", " ")


@register.filter
def middle(value: Any, longest: int = 40) -> str:
    """Shorten a text in its middle, where ids differ least."""
    text = str(value)
    if len(text) <= longest:
        return text
    tail = longest // 3
    return f"{text[: longest - tail - 1]}…{text[-tail:]}"


@register.filter
def run_title(run: Any) -> str:
    """Show a run as people name it: its date and its type; the id stands beside it."""
    local = zoned(run.logical_date or run.run_after)
    return f"{local:%b %d %H:%M:%S} {zone_of(local)} · {words(run.run_type)}"


@register.simple_tag(takes_context=True)
def shows(context: Any, name: str) -> bool:
    """Return whether the list of the page shows a column."""
    return bool(context["list"].shows(name))


@register.simple_tag(takes_context=True)
def with_query(context: Any, **given: Any) -> str:
    """Return the address of the page with other parameters; an empty value takes one away."""
    from orchestrator.ui.lists import changed

    return changed(context["request"].GET, **given)
