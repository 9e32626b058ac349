"""Decides small words of the pages over all DAGs."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from django import template
from django.urls import reverse
from django.utils.html import escape
from django.utils.safestring import mark_safe

from runs.pages.dags.schedule import schedule_words
from runs.pages.dags.spark import STEP, Bar
from runs.run_paths import in_path

register = template.Library()


@register.filter
def last_line(text: Any) -> str:
    """Return the last line of a traceback: the error itself."""
    lines = [line.strip() for line in str(text or "").splitlines() if line.strip()]
    return lines[-1] if lines else ""


register.filter("schedule", schedule_words)


@register.simple_tag
def spark(bars: Sequence[Bar], dag_id: str) -> str:
    """Draw the newest runs of a DAG as bars; here and not in a template, because a page has hundreds of them."""
    if not bars:
        return ""
    below = reverse("run_detail", args=[dag_id, "r"])[:-1]
    drawn = "".join(_drawn(bar, below) for bar in bars)
    width, name = max(bar.x for bar in bars) + STEP, escape(f"Newest runs of {dag_id}")
    head = f'<svg class="spark" width="{width}" height="28" role="group" aria-label="{name}">'
    return mark_safe(f"{head}{drawn}</svg>")  # noqa: S308  every text in it is escaped


def _drawn(bar: Bar, below: str) -> str:
    title, url = escape(bar.title), f"{below}{quote(in_path(bar.run.run_id), safe='~:@+')}"
    sign = f'<text x="{bar.x}" y="27" class="{bar.family}">{bar.glyph}</text>' if bar.glyph else ""
    shape = f'<rect class="{bar.family}" x="{bar.x}" y="{bar.y}" width="8" height="{bar.height}" rx="1.5"/>'
    space = f'<rect class="all" x="{bar.x}" width="{STEP}" height="28"/>'
    return f'<a href="{url}" aria-label="{title}"><title>{title}</title>{space}{shape}{sign}</a>'
