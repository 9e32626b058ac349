"""Decides how template fields are rendered: which values, how deep, and in what type."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import jinja2

log = logging.getLogger("airflow.task")

Context = Mapping[str, Any]


def render_fields(
    owner: Any, parent: Any, names: Iterable[str], context: Context, environment: jinja2.Environment, seen_oids: set[int]
) -> None:
    """Render the fields ``names`` of ``parent`` in place; raises what Jinja raises, after logging the field's name."""
    _Rendering(owner, context, environment, seen_oids).fields(parent, names)


def render_template(
    content: Any, context: Context, environment: jinja2.Environment, *, owner: Any = None, seen_oids: set[int] | None = None
) -> Any:
    """Return ``content`` rendered: text, lists, tuples, sets, values of dicts, XComArgs, objects with template fields.

    Keys of dicts are left alone. ``seen_oids`` holds the ids of objects being rendered, so that a circle ends.
    """
    return _Rendering(owner, context, environment, set() if seen_oids is None else seen_oids).value(content)


class _Rendering:
    """One pass over the fields of one owner."""

    def __init__(self, owner: Any, context: Context, environment: jinja2.Environment, seen: set[int]) -> None:
        self.endings = tuple(getattr(owner, "template_ext", None) or ())
        self.context, self.environment, self.seen = context, environment, seen

    def fields(self, parent: Any, names: Iterable[str]) -> None:
        for name in names:
            value = _field(parent, name)
            if _is_empty(value):
                continue
            try:
                rendered = self.called(value) if callable(value) else self.value(value)
            except Exception:
                task = getattr(parent, "task_id", type(parent).__name__)
                log.exception("Exception rendering Jinja template for task '%s', field '%s'.", task, name)
                raise
            setattr(parent, name, rendered)

    def called(self, function: Callable[..., Any]) -> Any:
        """Return what the author's function makes of the context; its result is no template any more."""
        return function(context=self.context, jinja_env=self.environment)

    def value(self, content: Any) -> Any:
        if id(content) in self.seen:
            return content
        if isinstance(content, str):
            return self.text(content)
        if hasattr(content, "iter_references") and hasattr(content, "resolve"):
            return content.resolve(self.context)
        if isinstance(content, tuple):
            items = [self.value(item) for item in content]
            return tuple(items) if type(content) is tuple else type(content)(*items)
        if isinstance(content, list):
            return [self.value(item) for item in content]
        if isinstance(content, dict):
            return {key: self.value(item) for key, item in content.items()}
        if isinstance(content, set):
            return {self.value(item) for item in content}
        return self.nested(content)

    def nested(self, content: Any) -> Any:
        if type(content).__name__ == "ObjectStoragePath":
            return type(content)(self.text(str(content)))
        names = None if isinstance(content, type) else getattr(content, "template_fields", None)
        if names and not callable(names):
            self.seen.add(id(content))
            self.fields(content, names)
        return content

    def text(self, content: str) -> Any:
        if self.endings and content.endswith(self.endings):
            return self.environment.get_template(content).render(self.context)
        content = str(content)  # a member of an enum of texts is rendered as Jinja writes it: "Size.SMALL"
        compile_once = getattr(self.environment, "compile_once", None)
        if compile_once is None:
            return self.environment.from_string(content).render(self.context)
        if "{" not in content and _same_when_rendered(content, self.environment):
            return content
        return compile_once(content).render(self.context)


def _field(parent: Any, name: str) -> Any:
    try:
        return getattr(parent, name)
    except AttributeError:
        raise AttributeError(
            f"{name!r} is configured as a template field but {type(parent).__name__} has no such attribute. "
            "Set it in __init__ under that name, or take it out of template_fields."
        ) from None


def _is_empty(value: Any) -> bool:
    try:
        return not value and value != 0
    except Exception:  # a table of data, say, which is neither true nor false
        return False


def _same_when_rendered(content: str, environment: Any) -> bool:
    """Tell whether Jinja gives the text back as it is: no native types, no own delimiters, no newline to normalise."""
    if environment.is_native or not environment.compile_freely:
        return False
    return "\r" not in content and not content.endswith("\n")
