"""Decides what a DAG can do by itself in the process that defines it: run once, and answer a command line."""

from __future__ import annotations

from datetime import datetime
from importlib import import_module
from typing import Any

from orchestrator.sdk.definitions.sentinels import NOTSET


class LocalRuns:
    """Runs in memory. The runner shares the scheduler's decisions, which this half does not import, so it is loaded by name."""

    def test(
        self,
        run_after: datetime | None = None,
        logical_date: Any = NOTSET,
        run_conf: dict[str, Any] | None = None,
        conn_file_path: str | None = None,
        variable_file_path: str | None = None,
        use_executor: bool = False,
        mark_success_pattern: Any = None,
        **more: Any,
    ) -> Any:
        """Run this DAG once in this process, without any database or service; returns a ``RunResult``.

        Args:
            run_after: the instant after which the run may start; now if it is not given.
            logical_date: ``run_after`` if it is not given; None for a run without.
            run_conf: configuration of the run.
            conn_file_path, variable_file_path: JSON, YAML or .env files of connections and variables.
            use_executor: taken for compatibility; tasks run in this process.
            mark_success_pattern: regular expression of task ids that succeed without running.
            more: what ``orchestrator.local_run.dag_test.run_dag`` takes beside: ``answers``, ``store``, ``pools``, ...
        """
        run = import_module("orchestrator.local_run.dag_test").dag_test
        paths = {"conn_file_path": conn_file_path, "variable_file_path": variable_file_path, "use_executor": use_executor}
        order = {"run_after": run_after, "logical_date": logical_date, "run_conf": run_conf}
        return run(self, **paths, **order, mark_success_pattern=mark_success_pattern, **more)

    def cli(self) -> None:
        """Answer the command line of the file: ``dags test``, ``tasks list``, ``tasks test``, ``tasks render``."""
        import_module("orchestrator.local_run.dag_cli").main(self)
