"""Decides how a cron expression reads in English."""

from __future__ import annotations


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
        return str(descriptor.get_description())
    except (FormatException, MissingFieldException):
        return ""
