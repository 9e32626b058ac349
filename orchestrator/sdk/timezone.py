"""Decides how an author's date becomes an instant: everything naive is in the default time zone, UTC unless configured."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pendulum

utc = dt.UTC


def default_timezone() -> Any:
    """Return the zone of naive dates, from ``AIRFLOW__CORE__DEFAULT_TIMEZONE`` or the configuration."""
    import pendulum

    from orchestrator.sdk.configuration_defaults import default

    name = str(default("core", "default_timezone", "utc"))
    return pendulum.local_timezone() if name == "system" else pendulum.timezone("UTC" if name == "utc" else name)


def utcnow() -> pendulum.DateTime:
    """Return the present instant."""
    import pendulum

    return pendulum.now("UTC")


def is_localized(value: dt.datetime) -> bool:
    """Return whether the datetime has a UTC offset."""
    return value.utcoffset() is not None


def is_naive(value: dt.datetime) -> bool:
    """Return whether the datetime has no UTC offset."""
    return value.utcoffset() is None


def make_aware(value: dt.datetime, timezone: Any = None) -> pendulum.DateTime:
    """Return a naive datetime in ``timezone`` (default: the configured one); raises ``ValueError`` if it is aware."""
    import pendulum

    if is_localized(value):
        raise ValueError(f"make_aware expects a naive datetime, got {value!r}")
    return pendulum.instance(value, tz=timezone or default_timezone())


def make_naive(value: dt.datetime, timezone: Any = None) -> dt.datetime:
    """Return an aware datetime as wall clock time of ``timezone``; raises ``ValueError`` if it is naive."""
    if is_naive(value):
        raise ValueError(f"make_naive expects an aware datetime, got {value!r}")
    local = value.astimezone(timezone or default_timezone())
    return dt.datetime(
        local.year, local.month, local.day, local.hour, local.minute, local.second, local.microsecond, fold=local.fold
    )


def convert_to_utc(value: dt.datetime | None) -> pendulum.DateTime | None:
    """Return the instant in UTC; a naive datetime is in the default time zone."""
    if value is None:
        return None
    import pendulum

    if is_naive(value):
        value = make_aware(value)
    return pendulum.instance(value.astimezone(pendulum.UTC))


def coerce_datetime(value: dt.datetime | None, tz: Any = None) -> pendulum.DateTime | None:
    """Return an aware pendulum datetime: naive becomes ``tz`` or the default zone, aware keeps its own."""
    if value is None:
        return None
    import pendulum

    return make_aware(value, tz) if is_naive(value) else pendulum.instance(value)


def datetime(*args: Any, **kwargs: Any) -> dt.datetime:
    """Return a datetime as the standard constructor does, in the default zone if no ``tzinfo`` is given."""
    kwargs.setdefault("tzinfo", default_timezone())
    return dt.datetime(*args, **kwargs)


def parse(string: str, timezone: Any = None, *, strict: bool = False) -> pendulum.DateTime:
    """Return the instant written in ``string``; raises pendulum's ``ParserError`` if it is none."""
    import pendulum

    return pendulum.parse(string, tz=timezone or default_timezone(), strict=strict)  # type: ignore[return-value]


def from_timestamp(timestamp: float, tz: Any = None) -> pendulum.DateTime:
    """Return the instant of a POSIX timestamp in seconds."""
    import pendulum

    return pendulum.from_timestamp(timestamp, tz=tz or "UTC")


def parse_timezone(name: str | int) -> Any:
    """Return the zone of a name (``Europe/Oslo``) or of an offset in seconds."""
    import pendulum

    return pendulum.timezone(name)


def local_timezone() -> Any:
    """Return the zone of this machine."""
    import pendulum

    return pendulum.local_timezone()


def zone_of_date(value: dt.datetime | None) -> Any:
    """Return the zone that an author's date is in as pendulum has it, None for a naive one or none.

    A zone without a name, such as ``datetime.timezone(timedelta(hours=3))``, becomes the offset that it has at that date.
    """
    import pendulum

    return pendulum.instance(value).timezone if value is not None and value.tzinfo else None


def as_datetime(value: Any, what: str) -> dt.datetime | None:
    """Return an author's date (datetime, date or text) as datetime; raises ``ValueError`` that names ``what``."""
    if value is None or isinstance(value, dt.datetime):
        return value
    if isinstance(value, dt.date):
        return dt.datetime(value.year, value.month, value.day)
    if isinstance(value, str):
        try:
            return parse(value)
        except ValueError as error:
            raise ValueError(f"{what} is {value!r}, which is no date: {error}") from error
    raise ValueError(f"{what} must be a datetime, not {type(value).__name__} {value!r}")
