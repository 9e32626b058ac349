"""Decides what a task of a run in memory learns about runs and task instances, its own and others."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from orchestrator.sdk.execution.channel import Message
from orchestrator.sdk.testing.store import Store, TaskResult

_DATES = ("data_interval_start", "data_interval_end", "start_date", "end_date")


class RunAnswers:
    """Answers about runs and task instances, from the store."""

    store: Store
    instance: TaskResult

    def _GetDagRun(self, message: Message) -> Message:
        found = self.store.runs.get((message["dag_id"], message["run_id"]))
        return {"type": "DagRunResult", **found} if found else _no_run(message)

    def _GetDagRunState(self, message: Message) -> Message:
        found = self.store.runs.get((message["dag_id"], message["run_id"]))
        return {"type": "DagRunStateResult", "state": found["state"]} if found else _no_run(message)

    def _GetPreviousDagRun(self, message: Message) -> Message:
        found = self.store.earlier_runs(message["dag_id"], message["logical_date"], message.get("state"))
        return {"type": "PreviousDagRunResult", "dag_run": found[0] if found else None}

    def _GetPrevSuccessfulDagRun(self, message: Message) -> Message:
        own = self.store.runs[self.instance.dag_id, self.instance.run_id]
        found = self.store.earlier_runs(self.instance.dag_id, own["logical_date"], "success")
        return {"type": "PrevSuccessfulDagRunResult", **{name: found[0][name] if found else None for name in _DATES}}

    def _GetDRCount(self, message: Message) -> Message:
        return {"type": "DRCount", "count": sum(self._matches_run(run, message) for run in self.store.runs.values())}

    def _GetTICount(self, message: Message) -> Message:
        states = message.get("states")
        found = [item for item in self._matching(message) if states is None or (item.state or "null") in states]
        return {"type": "TICount", "count": len(found)}

    def _GetTaskStates(self, message: Message) -> Message:
        states: dict[str, dict[str, Any]] = {}
        for item in self._matching(message):
            name = item.task_id if item.map_index < 0 else f"{item.task_id}_{item.map_index}"
            states.setdefault(item.run_id, {})[name] = item.state
        return {"type": "TaskStatesResult", "task_states": states}

    def _GetTaskBreadcrumbs(self, message: Message) -> Message:
        ended = [item for item in self.store.of_run(message["dag_id"], message["run_id"]) if item.end_date is not None]
        names = ("task_id", "map_index", "state", "operator", "duration")
        return {"type": "TaskBreadcrumbsResult", "breadcrumbs": [{n: getattr(item, n) for n in names} for item in ended]}

    def _GetPreviousTI(self, message: Message) -> Message:
        for run in self.store.earlier_runs(message["dag_id"], message.get("logical_date")):
            place = (message["dag_id"], run["run_id"], message["task_id"], message.get("map_index", -1))
            item = self.store.instances.get(place)
            if item is not None and message.get("state") in (None, item.state):
                return {"type": "PreviousTIResult", "task_instance": _shown(item, run)}
        return {"type": "PreviousTIResult", "task_instance": None}

    def _TriggerDagRun(self, message: Message) -> Message:
        """Note the run, which counts as a success: other DAGs do not run in memory."""
        place = (message["dag_id"], message["run_id"])
        if place in self.store.runs and not message.get("reset_dag_run"):
            return {"type": "ErrorResponse", "error": "DAGRUN_ALREADY_EXISTS", "detail": {"run_id": message["run_id"]}}
        order = {name: value for name, value in message.items() if name != "type"}
        self.store.triggered.append(order)
        dates = dict.fromkeys(_DATES)
        self.store.runs[place] = {**dates, **order, "state": "success", "run_type": "operator_triggered"}
        return {"type": "OKResponse", "ok": True}

    def _ValidateInletsAndOutlets(self, message: Message) -> Message:
        return {"type": "InactiveAssetsResult", "inactive_assets": []}

    def _matching(self, message: Message) -> list[TaskResult]:
        return [item for item in self.store.instances.values() if self._matches(item, message)]

    def _matches(self, item: TaskResult, message: Message) -> bool:
        run = self.store.runs.get(
            (item.dag_id, item.run_id), {"dag_id": item.dag_id, "run_id": item.run_id, "logical_date": None}
        )
        task_ids, group, index = message.get("task_ids"), message.get("task_group_id"), message.get("map_index")
        return (
            self._matches_run(run, {**message, "states": None})
            and (task_ids is None or item.task_id in task_ids)
            and (group is None or item.task_id.startswith(f"{group}."))
            and (index is None or item.map_index == index)
        )

    @staticmethod
    def _matches_run(run: dict[str, Any], message: Message) -> bool:
        dates, states = message.get("logical_dates"), message.get("states")
        own = run.get("logical_date")
        return (
            run["dag_id"] == message["dag_id"]
            and (message.get("run_ids") is None or run["run_id"] in message["run_ids"])
            and (states is None or run.get("state") in states)
            and (dates is None or (own is not None and _instant(own) in [_instant(date) for date in dates]))
        )


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _no_run(message: Message) -> Message:
    detail = {"message": f"There is no run {message['run_id']!r} of DAG {message['dag_id']!r} in memory."}
    return {"type": "ErrorResponse", "error": "GENERIC_ERROR", "detail": detail}


def _shown(item: TaskResult, run: dict[str, Any]) -> dict[str, Any]:
    names = ("task_id", "dag_id", "run_id", "map_index", "state", "try_number", "duration")
    dates = {"start_date": item.start_date, "end_date": item.end_date}
    return {name: getattr(item, name) for name in names} | dates | {"logical_date": run["logical_date"]}
