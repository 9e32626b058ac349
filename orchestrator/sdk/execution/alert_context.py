"""Decides which names the templates of an alert have: those of a task's context that need no DAG file."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from orchestrator.sdk.configuration_defaults import default
from orchestrator.sdk.execution.accessors import ConnectionAccessor, VariableAccessor
from orchestrator.sdk.execution.context import _dates
from orchestrator.sdk.execution.macros import MacrosAccessor
from orchestrator.sdk.execution.startup import DagRun, instant

Context = dict[str, Any]


class Told:
    """Something that an alert is about, by its attributes; what is not known reads as None."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.__dict__.update(values)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return None


class ToldTaskInstance(Told):
    """The attempt, named in texts as Airflow names it."""

    def __str__(self) -> str:
        index = f" map_index={self.map_index}" if (self.map_index if self.map_index is not None else -1) >= 0 else ""
        return f"<TaskInstance: {self.dag_id}.{self.task_id} {self.run_id}{index} [{self.state}]>"

    __repr__ = __str__

    @property
    def log_url(self) -> str:
        """Address of the attempt's log."""
        return f"{self._page}?try_number={self.try_number}"

    @property
    def mark_success_url(self) -> str:
        """Address of the page where the attempt can be marked."""
        return self._page

    @property
    def _page(self) -> str:
        base = str(default("api", "base_url", None) or f"http://localhost:{default('api', 'port', 8080)}").rstrip("/")
        parts = ("dags", self.dag_id, "runs", self.run_id, "tasks", self.task_id)
        page = f"{base}/" + "/".join(quote(str(part), safe="") for part in parts)
        return f"{page}/mapped/{self.map_index}" if (self.map_index if self.map_index is not None else -1) >= 0 else page


def told_run(document: dict[str, Any]) -> DagRun:
    """Return the run of a delivery."""
    return DagRun.from_json(document)


def alert_context(data: dict[str, Any]) -> Context:
    """Return the context of an alert; ``grouped`` lists the attempts where one message stands for several."""
    run = told_run(data["dag_run"])
    ti = _instance(data.get("ti"))
    grouped = [item for item in (_instance(part.get("ti")) for part in data.get("group", ())) if item is not None]
    context: Context = {
        "dag": Told({"dag_id": run.dag_id}),
        "dag_id": run.dag_id,
        "dag_run": run,
        "run_id": run.run_id,
        "params": run.conf or {},
        "conn": ConnectionAccessor(),
        "var": {"json": VariableAccessor(True), "value": VariableAccessor(False)},
        "macros": MacrosAccessor(),
        "event": data.get("event"),
        "exception": data.get("exception"),
        "reason": data.get("reason"),
        "deadline": data.get("deadline"),
        "ti": ti,
        "task_instance": ti,
        "task": Told({"task_id": ti.task_id, "dag_id": run.dag_id}) if ti is not None else None,
        "try_number": ti.try_number if ti is not None else None,
        "max_tries": ti.max_tries if ti is not None else None,
        "grouped": grouped,
        "summary": _summary(run, ti, grouped, data),
    }
    context.update(_dates(run.logical_date, run.data_interval_start, run.data_interval_end))
    if ti is not None:
        context["task_instance_key_str"] = f"{run.dag_id}__{ti.task_id}__{context.get('ds_nodash', run.run_id)}"
    return context


def _instance(document: dict[str, Any] | None) -> ToldTaskInstance | None:
    if not document:
        return None
    times = {name: instant(document.get(name)) for name in ("start_date", "end_date")}
    return ToldTaskInstance({**document, **times})


def _summary(run: DagRun, ti: ToldTaskInstance | None, grouped: list[ToldTaskInstance], data: dict[str, Any]) -> str:
    """One sentence for people."""
    if len(grouped) > 1:
        names = ", ".join(f"{item.task_id}[{item.map_index}]" if item.map_index >= 0 else item.task_id for item in grouped[:20])
        more = f" and {len(grouped) - 20} more" if len(grouped) > 20 else ""
        return f"{len(grouped)} task instances of {run.dag_id} {run.run_id}: {names}{more}"
    if ti is not None:
        return f"{run.dag_id}.{ti.task_id} of {run.run_id} is {ti.state}: {data.get('reason') or ''}".rstrip(": ")
    return f"{run.dag_id} {run.run_id}: {data.get('reason') or data['dag_run'].get('state')}"
