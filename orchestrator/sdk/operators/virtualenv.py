"""Decides how a Python function runs in another interpreter: in a virtual environment made for it, or in one that is there."""

from __future__ import annotations

import inspect
import os
import pickle
import re
import shutil
import sys
import textwrap
from collections.abc import Callable, Collection, Container, Iterable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from orchestrator.sdk.definitions.function_calls import unwrap
from orchestrator.sdk.definitions.keyword_parameters import KeywordParameters
from orchestrator.sdk.exceptions import AirflowException, AirflowSkipException
from orchestrator.sdk.operators import virtualenv_build as build
from orchestrator.sdk.operators.branch import BaseBranchOperator
from orchestrator.sdk.operators.plain_context import dump_arguments, import_folders, plain_value
from orchestrator.sdk.operators.python import PythonOperator

#: Names of the context that mean something outside of this process.
SENDABLE = frozenset(
    [
        "ds",
        "ds_nodash",
        "ts",
        "ts_nodash",
        "ts_nodash_with_tz",
        "run_id",
        "inlets",
        "outlets",
        "expanded_ti_count",
        "task_instance_key_str",
        "task_reschedule_count",
        "test_mode",
        "partition_key",
    ]
)
#: Names that only an environment with Airflow's packages gets; their values are sent as plain data.
_AIRFLOW = frozenset(["params", "dag_run"])
_PENDULUM = frozenset(
    [
        "logical_date",
        "data_interval_start",
        "data_interval_end",
        "prev_data_interval_start_success",
        "prev_data_interval_end_success",
        "prev_start_date_success",
        "prev_end_date_success",
    ]
)


class _IsolatedPythonOperator(PythonOperator):
    """Base: writes the function and its arguments to files, runs them elsewhere, reads the result back."""

    def __init__(
        self,
        *,
        python_callable: Callable[..., Any],
        serializer: str | None = None,
        op_args: Collection[Any] | None = None,
        op_kwargs: Mapping[str, Any] | None = None,
        string_args: Iterable[str] | None = None,
        templates_dict: dict[str, Any] | None = None,
        templates_exts: list[str] | None = None,
        expect_airflow: bool = True,
        skip_on_exit_code: int | Container[int] | None = None,
        env_vars: dict[str, str] | None = None,
        inherit_env: bool = True,
        **kwargs: Any,
    ) -> None:
        plain = unwrap(python_callable)
        if not inspect.isfunction(plain) or plain.__name__ == "<lambda>":
            raise ValueError(f"{type(self).__name__} only supports functions for python_callable arg")
        if inspect.isgeneratorfunction(plain):
            raise ValueError(f"{type(self).__name__} does not support using 'yield' in python_callable")
        super().__init__(
            python_callable=python_callable,
            op_args=op_args,
            op_kwargs=op_kwargs,
            templates_dict=templates_dict,
            templates_exts=templates_exts,
            **kwargs,
        )
        self.string_args, self.expect_airflow = list(string_args or []), expect_airflow
        self.serializer = serializer or "pickle"
        if self.serializer not in ("pickle", "cloudpickle", "dill"):
            raise AirflowException(f"serializer of task {self.task_id!r} is {serializer!r}; use pickle, cloudpickle or dill")
        self.skip_on_exit_code = _codes(skip_on_exit_code)
        self.env_vars, self.inherit_env = env_vars, inherit_env

    def determine_kwargs(self, context: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the keyword arguments of the call, without names of the context that the environment cannot read."""
        wanted = KeywordParameters.determine(self.python_callable, self.op_args, context).unpacking()
        own, readable = {*self.op_kwargs, "templates_dict"}, self._readable_names()
        return {
            name: value if name in own else plain_value(value)
            for name, value in wanted.items()
            if name in own or name in readable
        }

    def _readable_names(self) -> frozenset[str]:
        """Return the names of the context whose values the environment can read."""
        return SENDABLE | _PENDULUM | _AIRFLOW

    def get_python_source(self) -> str:
        """Return the source of the function without decorators."""
        lines = textwrap.dedent(inspect.getsource(unwrap(self.python_callable))).splitlines(keepends=True)
        start = next(i for i, line in enumerate(lines) if re.match(r"\s*(async\s+)?def\s", line))
        return "".join(lines[start:])

    def _run_with(self, python: str) -> Any:
        """Run the function under the interpreter ``python``; raises ``AirflowException`` or skips by its exit code."""
        from orchestrator.sdk.hooks.subprocess import SubprocessHook

        with TemporaryDirectory(prefix="venv-call") as folder:
            paths = [os.path.join(folder, name) for name in ("input", "output", "strings", "error")]
            module = _module(self.serializer)
            Path(paths[0]).write_bytes(dump_arguments(module, self.op_args, self.op_kwargs, self.task_id))
            Path(paths[2]).write_text("\n".join(map(str, self.string_args)))
            script = os.path.join(folder, "script.py")
            Path(script).write_text(
                build.script(self.get_python_source(), unwrap(self.python_callable).__name__, self.serializer)
            )
            env = {**(os.environ if self.inherit_env else {}), **(self.env_vars or {})}
            # So that the function can import what lies beside its DAG file.
            if paths_to_import := [path for path in (env.get("PYTHONPATH"), *import_folders()) if path]:
                env["PYTHONPATH"] = os.pathsep.join(paths_to_import)
            self._hook = SubprocessHook()
            result = self._hook.run_command([python, script, *paths], env=dict(env), cwd=os.getcwd())
            self._check(result.exit_code, paths[3])
            data = Path(paths[1]).read_bytes()
            return module.loads(data) if data else None

    def _check(self, code: int, error_path: str) -> None:
        if code in self.skip_on_exit_code:
            raise AirflowSkipException(f"Process exited with code {code}. Skipping.")
        if code == 0:
            return
        detail = Path(error_path).read_text().strip() if os.path.exists(error_path) else ""
        raise AirflowException(f"Process returned non-zero exit status {code}.\n{detail}".strip())

    def on_kill(self) -> None:
        """End the other interpreter."""
        hook = getattr(self, "_hook", None)
        if hook is not None:
            hook.send_sigterm()


class PythonVirtualenvOperator(_IsolatedPythonOperator):
    """Runs the function in a virtual environment with ``requirements``; ``venv_cache_path`` keeps it for the next time."""

    template_fields: Collection[str] = (
        "requirements",
        "venv_cache_path",
        "index_urls_from_connection_ids",
        "op_args",
        "index_urls",
        "templates_dict",
        "op_kwargs",
    )
    template_ext: Sequence[str] = (".txt",)

    def __init__(
        self,
        *,
        python_callable: Callable[..., Any],
        requirements: Iterable[str] | str | None = None,
        python_version: str | None = None,
        system_site_packages: bool = True,
        pip_install_options: list[str] | None = None,
        index_urls: Collection[str] | str | None = None,
        index_urls_from_connection_ids: Collection[str] | str | None = None,
        venv_cache_path: os.PathLike[str] | str | None = None,
        **kwargs: Any,
    ) -> None:
        if python_version is not None and not isinstance(python_version, str):
            raise AirflowException(f"python_version must be text such as '3.11', not {python_version!r}")
        has_arguments = kwargs.get("op_args") or kwargs.get("op_kwargs")
        if python_version and python_version[0] != str(sys.version_info.major) and has_arguments:
            raise AirflowException("Passing op_args or op_kwargs is not supported across different Python major versions")
        super().__init__(python_callable=python_callable, **kwargs)
        self.requirements: Any = _requirements(requirements)
        self.python_version, self.system_site_packages = python_version, system_site_packages
        self.pip_install_options = pip_install_options or []
        # An empty list means: no index at all. None: the one that pip is configured for.
        self.index_urls = [index_urls] if isinstance(index_urls, str) else None if index_urls is None else list(index_urls)
        ids = index_urls_from_connection_ids
        self.index_urls_from_connection_ids = [ids] if isinstance(ids, str) else list(ids or []) or None
        self.venv_cache_path = venv_cache_path

    def _requirement_lines(self) -> list[str]:
        """Return the lines of the requirements file, sorted where they are single requirements."""
        value = self.requirements
        lines = [value] if isinstance(value, str) else [str(line) for line in value]
        if not self.system_site_packages and self.serializer != "pickle" and self.serializer not in lines:
            lines.append(self.serializer)
        return sorted(lines)

    def _readable_names(self) -> frozenset[str]:
        if self.system_site_packages:
            return super()._readable_names()
        names = build.package_names(self._requirement_lines())
        if "apache-airflow" in names:
            return super()._readable_names()
        return SENDABLE | _PENDULUM if "pendulum" in names else SENDABLE

    def execute_callable(self) -> Any:
        """Make the environment, or take the cached one, and run the function."""
        plan = build.VenvPlan(
            python=self.python_version,
            requirements=self._requirement_lines(),
            system_site_packages=self.system_site_packages,
            pip_options=self.pip_install_options,
            index_urls=self._all_index_urls(),
            cache_key=_cache_key() if self.venv_cache_path else "",
        )
        if self.venv_cache_path:
            return self._run_with(str(build.cached(plan, Path(self.venv_cache_path)) / "bin" / "python"))
        with TemporaryDirectory(prefix="venv") as folder:
            build.make(plan, Path(folder))
            return self._run_with(os.path.join(folder, "bin", "python"))

    def _all_index_urls(self) -> list[str] | None:
        from orchestrator.sdk.hooks.package_index import PackageIndexHook

        found = [PackageIndexHook(conn_id).get_connection_url() for conn_id in self.index_urls_from_connection_ids or ()]
        return [*(self.index_urls or []), *found] if self.index_urls is not None or found else None


class ExternalPythonOperator(_IsolatedPythonOperator):
    """Runs the function under the interpreter ``python`` (an absolute path), in the environment that it has."""

    template_fields: Collection[str] = ("op_kwargs", "python", "templates_dict", "op_args")

    def __init__(self, *, python: str, python_callable: Callable[..., Any], expect_pendulum: bool = False, **kwargs: Any) -> None:
        if not python:
            raise ValueError("Python Path must be defined in ExternalPythonOperator")
        super().__init__(python_callable=python_callable, **kwargs)
        self.python, self.expect_pendulum = python, expect_pendulum

    def _readable_names(self) -> frozenset[str]:
        return super()._readable_names() if build.can_import(self._path(), "pendulum") else SENDABLE | _AIRFLOW

    def _path(self) -> str:
        return shutil.which(self.python) or self.python

    def execute_callable(self) -> Any:
        """Run the function; raises ``ValueError`` if there is no such interpreter."""
        if not os.path.isfile(self._path()):
            raise ValueError(f"Python Path '{self.python}' must exists")
        return self._run_with(self._path())


class BranchPythonVirtualenvOperator(BaseBranchOperator, PythonVirtualenvOperator):
    """Follows the task ids that the function returns."""

    def choose_branch(self, context: Any) -> Any:
        """Run the function."""
        return PythonVirtualenvOperator.execute(self, context)


class BranchExternalPythonOperator(BaseBranchOperator, ExternalPythonOperator):
    """Follows the task ids that the function returns."""

    def choose_branch(self, context: Any) -> Any:
        """Run the function."""
        return ExternalPythonOperator.execute(self, context)


def _codes(codes: Any) -> Container[int]:
    return () if codes is None else codes if isinstance(codes, Container) else (codes,)


def _requirements(value: Any) -> Any:
    return [] if not value else value if isinstance(value, str) or hasattr(value, "iter_references") else list(value)


def _module(name: str) -> Any:
    import importlib

    return pickle if name == "pickle" else importlib.import_module(name)


def _cache_key() -> str:
    """Return the variable by which an operator of the platform renews all kept environments."""
    from orchestrator.sdk.definitions.variable import Variable

    return str(Variable.get("python_virtualenv_operator_cache_key", ""))
