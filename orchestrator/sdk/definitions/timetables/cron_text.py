"""Decides how a cron expression reads in English."""

from __future__ import annotations

import re

_RANGE = re.compile(r"\d+-\d+")
_WEEK = {name: str(index) for index, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"))}
_WEEK_DAY = re.compile("|".join(_WEEK), re.IGNORECASE)
_STEP = re.compile(r"([^/]+)/(\d+)")
_WIDE = {3: (12, "months"), 4: (6, "days of the week")}
"""Columns where cron-descriptor reads the step as a month or weekday too: the greatest it knows, and the unit it says."""
_READABLE_STEP = 5
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

    readable, worded = _readable(expression)
    try:
        descriptor = ExpressionDescriptor(readable, casing_type=CasingTypeEnum.Sentence, use_24hour_time_format=True)
        text = str(descriptor.get_description())
    except (FormatException, MissingFieldException):
        return ""
    for said, meant in worded.items():
        text = text.replace(said, meant)
    return _as_airflow_says(expression.split(), text)


def _readable(expression: str) -> tuple[str, dict[str, str]]:
    """Give months and weekdays a step that can be read; with the words to put right afterwards."""
    columns, worded = expression.split(), {}
    for place, (greatest, unit) in _WIDE.items():
        step = _STEP.fullmatch(columns[place]) if place < len(columns) else None
        if step and int(step[2]) > greatest:
            columns[place] = f"{step[1]}/{_READABLE_STEP}"
            worded[f"every {_READABLE_STEP} {unit}"] = f"every {int(step[2])} {unit}"
    return (" ".join(columns), worded) if worded else (expression, worded)


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
