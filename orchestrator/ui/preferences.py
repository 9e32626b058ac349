"""Decides how a person wants the pages to look, which choices there are, and where they are kept."""

from __future__ import annotations

import zoneinfo
from dataclasses import asdict, dataclass, field, fields
from functools import cache
from typing import Any

from django.http import HttpRequest

from accounts.models import User

KEY = "preferences"
CHOICES: dict[str, tuple[str, ...]] = {
    "theme": ("system", "light", "dark"),
    "colours": ("default", "contrast", "classic"),
    "density": ("normal", "compact", "cosy"),
    "sidebar": ("open", "closed"),
}
RUNS_SHOWN = (10, 25, 50, 100, 200)


class PreferenceError(ValueError):
    """A preference that does not exist, or a value that it cannot have; the text says which ones there are."""


@dataclass(frozen=True, slots=True)
class Preferences:
    """What a person chose. ``columns``: list page → names of the columns that are hidden there."""

    theme: str = "system"
    colours: str = "default"
    density: str = "normal"
    sidebar: str = "open"
    timezone: str = "UTC"
    runs: int = 25
    columns: dict[str, list[str]] = field(default_factory=dict)


@cache
def zones() -> tuple[str, ...]:
    """Return the names of all time zones, sorted."""
    return tuple(sorted(zoneinfo.available_timezones()))


def preferences_of(request: HttpRequest) -> Preferences:
    """Return the preferences of whoever asks; what is stored and no longer allowed counts as not chosen."""
    known: Preferences | None = getattr(request, "_preferences", None)
    if known is None:
        known = request._preferences = _read(_stored(request))  # type: ignore[attr-defined]
    return known


def preferences_change(request: HttpRequest, chosen: dict[str, Any]) -> Preferences:
    """Keep some preferences: with the user, or in the session of somebody who is no row. Raises ``PreferenceError``."""
    values = {name: checked(name, value) for name, value in chosen.items()}
    stored = {**_stored(request), **values}
    if (user := _row(request)) is not None:
        User.objects.filter(pk=user.pk).update(preferences=stored)
        user.preferences = stored
    else:
        request.session[KEY] = stored
    known = request._preferences = _read(stored)  # type: ignore[attr-defined]
    return known


def checked(name: str, value: Any) -> Any:
    """Return the value as it is stored. Raises ``PreferenceError``."""
    if name in CHOICES:
        return _one_of(name, value, CHOICES[name])
    if name == "timezone":
        if value not in zones():
            raise PreferenceError(f"{value} is no time zone; write one like Europe/Berlin or UTC")
        return value
    if name == "runs":
        return int(_one_of(name, str(value), tuple(str(number) for number in RUNS_SHOWN)))
    if name == "columns":
        return _columns(value)
    raise PreferenceError(f"There is no preference {name}; there are {', '.join(item.name for item in fields(Preferences))}")


def _one_of(name: str, value: Any, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise PreferenceError(f"{name} cannot be {value}; it is one of {', '.join(allowed)}")
    return str(value)


def _columns(value: Any) -> dict[str, list[str]]:
    is_good = isinstance(value, dict) and len(value) <= 50
    if not is_good or not all(isinstance(names, list) and len(names) <= 50 for names in value.values()):
        raise PreferenceError("columns is an object of lists: the hidden columns by list page")
    return {str(page)[:60]: [str(name)[:60] for name in names] for page, names in value.items()}


def _read(stored: dict[str, Any]) -> Preferences:
    values = asdict(Preferences())
    for name in values.keys() & stored.keys():
        try:
            values[name] = checked(name, stored[name])
        except PreferenceError:
            continue
    return Preferences(**values)


def _stored(request: HttpRequest) -> dict[str, Any]:
    user = _row(request)
    found = user.preferences if user is not None else request.session.get(KEY)
    return found if isinstance(found, dict) else {}


def _row(request: HttpRequest) -> User | None:
    """The user, where it is one of the database: open access has none, and nobody has signed in on the login page."""
    return request.user if isinstance(request.user, User) and request.user.pk is not None else None
