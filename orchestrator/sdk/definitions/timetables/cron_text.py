"""Decides how a cron expression reads in English."""

from __future__ import annotations

import re

_RANGE = re.compile(r"\d+-\d+")
_WEEK = {name: str(index) for index, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"))}
_WEEK_DAY = re.compile("|".join(_WEEK), re.IGNORECASE)
_STEPPED_RANGE = re.compile(r"(\d+)-(\d+)/(\d+)")


def describe(expression: str) -> str:
    """Return the sentence for a cron expression; empty where it has seconds or years, or cannot be read."""
    from croniter import croniter
    from croniter.croniter import CroniterBadCronError

    try:
        if len(croniter(expression).expanded) > 5:
            return ""
    except CroniterBadCronError:
        return ""
    return _either_day(expression)


def _either_day(expression: str) -> str:
    """Cron fires when day of month *or* day of week matches, so both are described."""
    columns = expression.split()
    if len(columns) < 5 or "*" in (columns[2], columns[4]):
        return _sentence(expression)
    by_month_day = [*columns[:4], "*", *columns[5:]]
    by_week_day = [*columns[:2], "*", *columns[3:]]
    first, second = _sentence(" ".join(by_month_day)), _sentence(" ".join(by_week_day))
    return f"{first} (or) {second}" if first and second else ""


def _sentence(expression: str) -> str:
    from cron_descriptor import CasingTypeEnum, ExpressionDescriptor, FormatException, MissingFieldException

    try:
        descriptor = ExpressionDescriptor(expression, casing_type=CasingTypeEnum.Sentence, use_24hour_time_format=True)
        text = str(descriptor.get_description())
    except (FormatException, MissingFieldException):
        return ""
    return _as_airflow_says(expression.split(), text)


def _as_airflow_says(columns: list[str], text: str) -> str:
    """Airflow uses cron-descriptor 2; the version that django-celery-beat allows words two cases otherwise."""
    if len(columns) < 5:
        return text
    if columns[0] == "0" and _RANGE.fullmatch(columns[1]) and text.startswith("Between"):
        text = f"At 0 minutes past the hour, b{text[1:]}"
    stepped = _STEPPED_RANGE.fullmatch(_WEEK_DAY.sub(lambda name: _WEEK[name[0].upper()], columns[4]))
    if stepped and int(stepped[3]) > int(stepped[2]) - int(stepped[1]):
        text = text.replace(" days of the week", " weeks")
        if stepped[2] == "6":
            text = re.sub(r", (\w+) through Saturday", r", only on \1", text)
    return text
