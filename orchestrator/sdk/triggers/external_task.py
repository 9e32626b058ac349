"""Decides the triggers that wait for tasks and runs of other DAGs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from datetime import datetime
from typing import Any

from orchestrator.sdk.definitions.states import word_of
from orchestrator.sdk.triggers.base import BaseTrigger, TriggerEvent

_MODULE = "airflow.providers.standard.triggers.external_task"


class WorkflowTrigger(BaseTrigger):
    """Fires when tasks, a group or a run of another DAG are in a state of interest; looks every ``poke_interval`` seconds."""

    def __init__(
        self,
        external_dag_id: str,
        run_ids: list[str] | None = None,
        execution_dates: list[datetime] | None = None,
        logical_dates: list[datetime] | None = None,
        external_task_ids: Collection[str] | None = None,
        external_task_group_id: str | None = None,
        failed_states: Collection[str] | None = None,
        skipped_states: Collection[str] | None = None,
        allowed_states: Collection[str] | None = None,
        poke_interval: float = 2.0,
        soft_fail: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.external_dag_id, self.run_ids = external_dag_id, run_ids
        self.logical_dates = logical_dates or execution_dates
        self.external_task_ids, self.external_task_group_id = external_task_ids, external_task_group_id
        self.failed_states, self.skipped_states, self.allowed_states = failed_states, skipped_states, allowed_states
        self.poke_interval, self.soft_fail = poke_interval, soft_fail

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return path and arguments."""
        names = (
            "external_dag_id run_ids logical_dates external_task_ids external_task_group_id failed_states skipped_states "
            "allowed_states poke_interval soft_fail"
        )
        return f"{_MODULE}.WorkflowTrigger", {name: getattr(self, name) for name in names.split()}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Count the states again and again."""
        wanted = len(self.run_ids or self.logical_dates or ())
        while True:
            if self.failed_states and await self._count(self.failed_states):
                yield TriggerEvent({"status": "failed"})
                return
            if self.skipped_states and await self._count(self.skipped_states):
                yield TriggerEvent({"status": "skipped"})
                return
            if await self._count(self.allowed_states or ()) >= wanted:
                yield TriggerEvent({"status": "success"})
                return
            await asyncio.sleep(self.poke_interval)

    async def _count(self, states: Collection[str]) -> float:
        return await asyncio.to_thread(self._count_now, [word_of(state) for state in states])

    def _count_now(self, states: list[str]) -> float:
        where = {"dag_id": self.external_dag_id, "logical_dates": self.logical_dates, "run_ids": self.run_ids}
        where = {name: value for name, value in where.items() if value}
        ti = self.task_instance
        if self.external_task_ids:
            ids = list(self.external_task_ids)
            return float(ti.get_ti_count(task_ids=ids, states=states, **where)) / len(ids)
        if self.external_task_group_id:
            runs = ti.get_task_states(task_group_id=self.external_task_group_id, **where)
            return float(sum(bool(tasks) and all(str(s) in states for s in tasks.values()) for tasks in runs.values()))
        return float(ti.get_dr_count(states=states, **where))


class DagStateTrigger(BaseTrigger):
    """Fires when runs of a DAG are in one of ``states``; looks every ``poll_interval`` seconds."""

    def __init__(
        self,
        dag_id: str,
        states: list[Any],
        run_ids: list[str] | None = None,
        execution_dates: list[datetime] | None = None,
        poll_interval: float = 5.0,
    ) -> None:
        super().__init__()
        self.dag_id, self.states, self.run_ids = dag_id, [word_of(state) for state in states], run_ids
        self.execution_dates, self.poll_interval = execution_dates, poll_interval

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return path and arguments."""
        names = ("dag_id", "states", "run_ids", "execution_dates", "poll_interval")
        return f"{_MODULE}.DagStateTrigger", {name: getattr(self, name) for name in names}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Count the runs again and again; the event has the state of each."""
        wanted = len(self.run_ids or self.execution_dates or ())
        while await asyncio.to_thread(self._count) < wanted:
            await asyncio.sleep(self.poll_interval)
        states = await asyncio.to_thread(self._states)
        yield TriggerEvent((self.serialize()[0], {"run_ids": self.run_ids or [], **states}))

    def _count(self) -> int:
        where: dict[str, Any] = {"run_ids": self.run_ids} if self.run_ids else {"logical_dates": self.execution_dates}
        return int(self.task_instance.get_dr_count(dag_id=self.dag_id, states=self.states, **where))

    def _states(self) -> dict[str, str]:
        return {run_id: word_of(self.task_instance.get_dagrun_state(self.dag_id, run_id)) for run_id in self.run_ids or ()}
