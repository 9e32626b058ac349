"""Decides what a host imports before it forks, so that a task process imports nothing of the platform."""

from __future__ import annotations

import importlib
from typing import Any

MODULES = (
    "dateutil.parser",
    "jinja2.ext",
    "jinja2.nativetypes",
    "jinja2.sandbox",
    "jsonschema",
    "pendulum",
    "orchestrator.sdk.definitions.mapped",
    "orchestrator.sdk.execution.task_runner",
    "orchestrator.sdk.execution.trigger_run",
    "orchestrator.sdk.execution.masking",
    "orchestrator.sdk.execution.templating.rendering",
    "orchestrator.sdk.execution.templating.files",
    "orchestrator.sdk.operators.bash",
    "orchestrator.sdk.operators.python",
)


def preload() -> None:
    """Import everything that running a task needs and read the options that it reads; calling it again costs nothing."""
    from orchestrator.sdk.configuration import conf

    for name in MODULES:
        importlib.import_module(name)
    importlib.import_module("encodings.idna")
    for section, key in (("logging", "logging_level"), ("core", "max_templated_field_length"), ("api", "base_url")):
        conf.get(section, key, fallback=None)


def warm(dag: Any, limit: int = 1000) -> None:
    """Find what is the same for every attempt of the DAG, so that forks inherit it: Jinja's environment, the templates of
    at most ``limit`` fields compiled, the tasks that others map over.

    A template that does not compile is left: rendering it says what is wrong, in the task's log.
    """
    import jinja2

    from orchestrator.sdk.execution.mapped_over import tasks_mapped_over
    from orchestrator.sdk.execution.templating.environment import environment_of

    environment = environment_of(dag)
    tasks_mapped_over(dag)
    for task in dag.tasks:
        for name in task.template_fields:
            value = getattr(task, name, None)
            if isinstance(value, str) and "{" in value and limit > 0 and not value.endswith(tuple(task.template_ext)):
                limit -= 1
                try:
                    environment.compile_once(value)
                except jinja2.TemplateError:
                    continue
