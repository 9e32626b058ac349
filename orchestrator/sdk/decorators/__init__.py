"""Decides what ``@task`` and its forms (``@task.bash``, ``@task.branch``…) are."""

from __future__ import annotations

from typing import Any

from orchestrator.sdk.definitions.conditions import run_if, skip_if

#: Name of the form -> module and class of its operator.
_FORMS = {
    "python": ("python", "_PythonDecoratedOperator"),
    "branch": ("python", "_BranchPythonDecoratedOperator"),
    "short_circuit": ("python", "_ShortCircuitDecoratedOperator"),
    "bash": ("bash", "_BashDecoratedOperator"),
    "sensor": ("sensor", "DecoratedSensorOperator"),
    "virtualenv": ("virtualenv", "_PythonVirtualenvDecoratedOperator"),
    "external_python": ("virtualenv", "_PythonExternalDecoratedOperator"),
    "branch_virtualenv": ("virtualenv", "_BranchPythonVirtualenvDecoratedOperator"),
    "branch_external_python": ("virtualenv", "_BranchExternalPythonDecoratedOperator"),
    "stub": ("stub", "_StubOperator"),
}


class TaskDecoratorCollection:
    """``@task`` itself, with its forms as attributes."""

    def __call__(self, python_callable: Any = None, **kwargs: Any) -> Any:
        """Make a Python task of a function: ``@task`` or ``@task(retries=2)``."""
        return self.python(python_callable, **kwargs)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name not in _FORMS:
            raise AttributeError(f"task decorator {name!r} not found; known ones are {', '.join(sorted(_FORMS))}")
        form = _form(name)
        setattr(self, name, form)
        return form

    run_if = staticmethod(run_if)
    skip_if = staticmethod(skip_if)


def _form(name: str) -> Any:
    import importlib

    from orchestrator.sdk.definitions.decorated import task_decorator_factory

    module, class_name = _FORMS[name]
    operator = getattr(importlib.import_module(f"orchestrator.sdk.decorators.{module}"), class_name)

    def decorate(python_callable: Any = None, multiple_outputs: bool | None = None, **kwargs: Any) -> Any:
        if name == "external_python" and isinstance(python_callable, str):
            # The first positional argument of this form is the interpreter.
            kwargs["python"], python_callable = python_callable, None
        if multiple_outputs is None and not operator.infers_multiple_outputs:
            multiple_outputs = False
        return task_decorator_factory(
            python_callable, multiple_outputs=multiple_outputs, decorated_operator_class=operator, **kwargs
        )

    decorate.__name__ = decorate.__qualname__ = name
    return decorate


task = TaskDecoratorCollection()


def setup(func: Any) -> Any:
    """Make a setup task of a function, of a ``@task`` function, or of a ``@task_group``."""
    from orchestrator.sdk.definitions.setup_teardown_decorators import setup_task

    return setup_task(func)


def teardown(_func: Any = None, *, on_failure_fail_dagrun: bool = False) -> Any:
    """Make a teardown task of a function or of a ``@task`` function."""
    from orchestrator.sdk.definitions.setup_teardown_decorators import teardown_task

    return teardown_task(_func, on_failure_fail_dagrun=on_failure_fail_dagrun)


def result(decorated: Any) -> Any:
    """Mark a ``@task`` as the one whose output is the result of a run."""
    decorated.returns_dag_result = True
    return decorated
