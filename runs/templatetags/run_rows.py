"""Decides how the rows of a run's tasks draw bars: as SVG in per cent, so that they need no style attribute."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe

from runs.pages.run.head import route
from runs.pages.run.task_rows import TaskRow
from runs.pages.run.timeline import Segment, Timeline

register = template.Library()


@register.simple_tag
def mapped_url(row: TaskRow) -> str:
    """Return the address of the page of a mapped task's instances, empty for other tasks and where there is no such page."""
    return route("ti_mapped", row.run.dag_id, row.run.run_id, row.task_id) if row.is_expanded and not row.is_group else ""


@register.simple_tag
def task_bar(timeline: Timeline | None, row: TaskRow) -> str:
    """Show when a task ran on the time axis of its run."""
    bar = timeline.bars.get(row.task_id) if timeline else None
    if bar is None or not bar.segments:
        return mark_safe('<svg class="task-bar" width="100%" height="14" aria-hidden="true"></svg>')
    name = "; ".join(segment.text for segment in bar.segments)
    pieces = format_html_join("", "{}", ((_rect(segment),) for segment in bar.segments))
    return format_html('<svg class="task-bar" width="100%" height="14" role="img" aria-label="{}">{}</svg>', name, pieces)


def _rect(segment: Segment) -> str:
    kind = "bar-wait" if segment.is_wait else f"bar {segment.family}{' grows' if segment.is_running else ''}"
    form = '<rect class="{}" x="{}%" width="{}%" y="1" height="12"><title>{}</title></rect>'
    return format_html(form, kind, segment.at, segment.width, segment.text)


@register.filter
def unlocal(value: Any) -> str:
    """Write a number as SVG reads it."""
    return f"{value:g}"
