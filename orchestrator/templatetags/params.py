"""Decides how the fields of params are written: ids that HTML takes, words for screen readers, Markdown of authors."""

from __future__ import annotations

import re
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import mark_safe

from orchestrator.ui.texts import markdown

register = template.Library()


@register.filter
def slug(name: str) -> str:
    """Return a name as a part of an id: no blanks, and different names stay different."""
    return re.sub(r"[^A-Za-z0-9_-]", lambda found: f".{ord(found.group()):x}.", name)


@register.filter
def describes(item: Any) -> str:
    """Return the attributes that tie a field to its help and its problem."""
    name = slug(item.name)
    wrong = mark_safe(' aria-invalid="true"') if item.problem else ""
    must = mark_safe(' aria-required="true"') if item.is_required else ""
    return format_html(' aria-describedby="h-{0} p-{0}"{1}{2}', name, wrong, must)


@register.filter
def as_markdown(text: str) -> str:
    """Show Markdown of an author."""
    return mark_safe(markdown(text))  # noqa: S308  cleaned by nh3
