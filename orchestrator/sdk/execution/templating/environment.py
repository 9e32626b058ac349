"""Decides the Jinja environment of a DAG: sandboxed text or native objects, where files come from, what is undefined."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

import jinja2
import jinja2.nativetypes
import jinja2.sandbox

from orchestrator.sdk.execution.templating.filters import FILTERS

EXTENSIONS = ("jinja2.ext.do",)


class _CompileOnce:
    """Keeps compiled templates by their text, because the host renders the same fields attempt after attempt."""

    compiled: dict[str, jinja2.Template]
    compile_freely = False  # True: Jinja's own delimiters, so text without a brace is already rendered
    max_compiled = 2000

    def compile_once(self, source: str) -> jinja2.Template:
        """Return the template of ``source``; the store is emptied when it is full."""
        template = self.compiled.get(source)
        if template is None:
            if len(self.compiled) >= self.max_compiled:
                self.compiled.clear()
            made: jinja2.Template = self.from_string(source)  # type: ignore[attr-defined]
            template = self.compiled[source] = made
        return template

    def is_safe_attribute(self, obj: Any, attr: Any, value: Any) -> bool:
        """Allow names with one leading underscore, never those with two."""
        return not jinja2.sandbox.is_internal_attribute(obj, attr)


class SandboxedEnvironment(_CompileOnce, jinja2.sandbox.SandboxedEnvironment):
    """Renders to text."""

    is_native = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.compiled = {}
        self.filters.update(FILTERS)


class NativeEnvironment(_CompileOnce, jinja2.nativetypes.NativeEnvironment):
    """Renders to Python objects."""

    is_native = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.compiled = {}
        self.filters.update(FILTERS)


_OF_DAG: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()


def environment_of(dag: Any) -> Any:
    """Return the DAG's environment, made once per process and inherited by forks."""
    try:
        environment = _OF_DAG.get(dag)
        if environment is None:
            environment = _OF_DAG[dag] = environment_for(dag)
    except TypeError:  # the DAG object can be neither hashed nor referenced weakly
        environment = environment_for(dag)
    return environment


def environment_for(dag: Any, *, force_sandboxed: bool = False) -> Any:
    """Return a new environment as the DAG's arguments ask for it; files lie beside the DAG file or in the search path."""
    extra = getattr(dag, "template_searchpath", None) or []
    return create_template_env(
        native=bool(dag.render_template_as_native_obj) and not force_sandboxed,
        searchpath=[dag.folder, *([extra] if isinstance(extra, str) else extra)],
        template_undefined=dag.template_undefined,
        jinja_environment_kwargs=dag.jinja_environment_kwargs,
        user_defined_macros=dag.user_defined_macros,
        user_defined_filters=dag.user_defined_filters,
    )


def create_template_env(
    *,
    native: bool = False,
    searchpath: Sequence[str] | str | None = None,
    template_undefined: type[jinja2.Undefined] | None = None,
    jinja_environment_kwargs: dict[str, Any] | None = None,
    user_defined_macros: dict[str, Any] | None = None,
    user_defined_filters: dict[str, Any] | None = None,
) -> SandboxedEnvironment | NativeEnvironment:
    """Return an environment; ``jinja_environment_kwargs`` are Jinja's own arguments and win over the defaults."""
    arguments: dict[str, Any] = {
        "loader": jinja2.FileSystemLoader(searchpath or []),
        "undefined": template_undefined or jinja2.StrictUndefined,
        "extensions": list(EXTENSIONS),
        "cache_size": 0,
    } | (jinja_environment_kwargs or {})
    environment = NativeEnvironment(**arguments) if native else SandboxedEnvironment(**arguments)
    environment.compile_freely = not jinja_environment_kwargs
    environment.globals.update(user_defined_macros or {})
    environment.filters.update(user_defined_filters or {})
    return environment
