"""Decides how pages say when a DAG runs."""

from __future__ import annotations

from dags_app.models import Dag

BY_HAND = "by hand"
# What Airflow's timetables say of themselves, and what people call it.
_WORDS = {"Never, external triggers only": BY_HAND, "Triggered by assets": "by assets"}


def schedule_words(dag: Dag) -> str:
    """Return the schedule in a few words; the summary, which is the cron expression, where nobody described it."""
    text = dag.timetable_description or dag.timetable_summary or BY_HAND
    return _WORDS.get(text, text)
