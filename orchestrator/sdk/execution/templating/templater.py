"""Decides what everything with template fields can do; the rules of rendering are in ``rendering``, loaded at the first use."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from orchestrator.sdk.definitions.dependency import ResolveMixin

if TYPE_CHECKING:
    import jinja2


class Templater:
    """Mixin of operators, mapped operators and notifiers."""

    template_fields: Collection[str] = ()
    template_ext: Sequence[str] = ()

    def get_dag(self) -> Any:
        """Return the DAG whose environment is used, or None."""
        return getattr(self, "dag", None)

    def get_template_env(self, dag: Any = None) -> jinja2.Environment:
        """Return the Jinja environment of the DAG, a plain one for something without a DAG."""
        from orchestrator.sdk.execution.templating.environment import create_template_env, environment_of

        owner = dag if dag is not None else self.get_dag()
        return environment_of(owner) if owner is not None else create_template_env()

    def prepare_template(self) -> None:
        """Hook for authors: change template fields after their files are read and before they are rendered."""

    def resolve_template_files(self) -> None:
        """Replace template fields that name a file (``template_ext``) by the text of the file."""
        from orchestrator.sdk.execution.templating.files import resolve_template_files

        resolve_template_files(self)

    def render_template_fields(self, context: Mapping[str, Any], jinja_env: jinja2.Environment | None = None) -> Any:
        """Render all template fields in place; raises what Jinja raises, after logging the field's name."""
        self._do_render_template_fields(self, self.template_fields, context, jinja_env or self.get_template_env(), set())

    def render_template(
        self,
        content: Any,
        context: Mapping[str, Any],
        jinja_env: jinja2.Environment | None = None,
        oids: set[int] | None = None,
    ) -> Any:
        """Return ``content`` with all templates in it rendered, nested lists and values of dicts included."""
        from orchestrator.sdk.execution.templating.rendering import render_template

        return render_template(content, context, jinja_env or self.get_template_env(), owner=self, seen_oids=oids)

    def _do_render_template_fields(
        self,
        parent: Any,
        template_fields: Iterable[str],
        context: Mapping[str, Any],
        jinja_env: jinja2.Environment,
        seen_oids: set[int],
    ) -> None:
        from orchestrator.sdk.execution.templating.rendering import render_fields

        render_fields(self, parent, template_fields, context, jinja_env, seen_oids)


class LiteralValue(ResolveMixin):
    """A value that is not taken for a template."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def iter_references(self) -> tuple[()]:
        """Return nothing: a literal needs no task."""
        return ()

    def resolve(self, context: Mapping[str, Any]) -> Any:
        """Return the value."""
        return self.value

    def __repr__(self) -> str:
        return f"literal({self.value!r})"


def literal(value: Any) -> LiteralValue:
    """Return ``value`` wrapped so that it is used as it is, never rendered."""
    return LiteralValue(value)
