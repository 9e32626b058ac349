"""Decides how a form writes and reads times: on the clock of the zone that the person chose, or with an offset of their own."""

from __future__ import annotations

from datetime import UTC, datetime

from django.utils import timezone

from orchestrator.templatetags.shown import zoned


class TimeUnreadableError(ValueError):
    """A text that is no time; the text says what would be one."""


def instant_given(text: str) -> datetime | None:
    """Return the instant that a field means, None for an empty one. Raises ``TimeUnreadableError``."""
    text = text.strip()
    if not text:
        return None
    try:
        given = datetime.fromisoformat(text)
        return (given if given.tzinfo else timezone.make_aware(given)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise TimeUnreadableError(f"“{text}” is no time; write one like 2026-01-31T12:00 or 2026-01-31T12:00:00Z") from error


def field_text(value: datetime | None) -> str:
    """Return an instant as a ``datetime-local`` field takes it, on the person's clock."""
    if value is None:
        return ""
    local = zoned(value)
    form = "%Y-%m-%dT%H:%M:%S" if local.second else "%Y-%m-%dT%H:%M"
    return local.strftime(form)
