"""Decides the order in which the tasks of a run in memory run, one after the other, and when the run is over."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from orchestrator.local_run.lengths import Lengths
from orchestrator.local_run.order import RunOrder
from orchestrator.local_run.outcomes import Outcomes
from orchestrator.sdk.serialization.spec import DagSpec
from orchestrator.sdk.testing.attempt import final_of, run_attempt
from orchestrator.sdk.testing.clock import TravelClock
from orchestrator.sdk.testing.result import RunResult
from orchestrator.sdk.testing.store import Store, TaskResult
from orchestrator.sdk.testing.trigger_loop import TriggerLoop
from runs.dependencies import Decision
from runs.expansion import expand_of, initial_map_indexes
from runs.explain.decisions import explain
from runs.run_graph import RunGraph
from runs.run_nodes import InstanceState, Key
from runs.states import DAG_RUN_FINISHED, FINISHED, TaskInstanceState
from runs.task_dates import has_instances
from runs.trigger_rules import Outcome

Log = Callable[[dict[str, Any]], None]
PATIENCE_SECONDS = 2.0  # how long triggers go before sensors that look again
_ENDS = {
    Outcome.SKIP: TaskInstanceState.SKIPPED,
    Outcome.UPSTREAM_FAILED: TaskInstanceState.UPSTREAM_FAILED,
    Outcome.REMOVED: TaskInstanceState.REMOVED,
}
_NOT_SKIPPED = (TaskInstanceState.RUNNING, TaskInstanceState.SUCCESS, TaskInstanceState.FAILED, TaskInstanceState.SKIPPED)


class LocalRun:
    """One run of a DAG. ``finish`` runs it to its end and returns the result."""

    def __init__(self, dag: Any, spec: DagSpec, order: RunOrder, store: Store, on_log: Log) -> None:
        self.dag, self.spec, self.order, self.store, self._on_log = dag, spec, order, store, on_log
        self.clock = TravelClock(travels=order.travels)
        self.started = self.clock.now()
        self.run = order.document(dag, self.started)
        self.run_id: str = self.run["run_id"]
        store.forget_run(spec.dag_id, self.run_id)
        store.runs[spec.dag_id, self.run_id] = self.run
        self.tasks = spec.task_by_id()
        self.place = {task.task_id: number for number, task in enumerate(spec.tasks)}
        self.items: dict[Key, TaskResult] = {}
        self.ready: list[Key] = []
        self.due: dict[Key, datetime] = {}
        self.triggers = TriggerLoop(store, self.clock, on_log)
        self.outcomes = Outcomes(self)
        date = datetime.fromisoformat(self.run["logical_date"]) if self.run["logical_date"] else None
        here = [task for task in spec.tasks if has_instances(task, date, self.run["run_type"])]
        new = [InstanceState(task.task_id, index) for task in here for index in initial_map_indexes(spec, task)]
        for item in new:
            self._add(item.key)
        self.graph = RunGraph(spec, new, past=self.outcomes.past())

    def finish(self) -> RunResult:
        """Run everything; returns the result. Raises ``NoAnswerError`` where a person is asked and nothing is given."""
        try:
            while not self._is_over():
                if self.ready:
                    self._work(self._next())
                elif not self._wait():
                    self._give_up()
        finally:
            self.triggers.close()
        self._sort()
        ended = self.clock.now()
        self.run["end_date"] = ended.isoformat()
        self.outcomes.call_back_for_dag()
        return RunResult(self.spec.dag_id, self.run_id, self.run["state"], self.run, self.store, self.started, ended)

    # Decisions

    def _is_over(self) -> bool:
        if self.run["state"] in DAG_RUN_FINISHED:
            return True
        while decisions := self.graph.decisions():
            for key, decision in decisions:
                self._carry_out(key, decision)
        judgement = self.graph.judge()
        if judgement.state not in DAG_RUN_FINISHED:
            return self._is_late()
        for key, decision in judgement.give_up:
            self.set_state(key, _ENDS[decision.outcome])
        self.run["state"] = str(judgement.state)
        return True

    def _carry_out(self, key: Key, decision: Decision) -> None:
        if decision.outcome is Outcome.EXPAND:
            self._expand(key)
        elif decision.outcome is not Outcome.RUN:
            self.set_state(key, _ENDS[decision.outcome])
        elif self.tasks[key[0]].is_empty or self.order.marks(key[0]) or not self._is_wanted(key[0]):
            self.items[key].try_number += 1
            self.set_state(key, TaskInstanceState.SUCCESS)
        elif (start := self.outcomes.start_in_trigger(key)) is not None:
            self.items[key].try_number += 1
            self.outcomes.defer(key, start)
        else:
            self.schedule(key, is_new_try=True)

    def _is_wanted(self, task_id: str) -> bool:
        return self.order.only is None or task_id in self.order.only

    def _expand(self, key: Key) -> None:
        expand = expand_of(self.spec, self.tasks[key[0]])
        length = Lengths(self.store, self.spec.dag_id, self.run_id, self.tasks).of(expand) if expand else None
        if not length:
            self.set_state(key, TaskInstanceState.UPSTREAM_FAILED if length is None else TaskInstanceState.SKIPPED)
            return
        place = self.items.pop(key).place
        del self.store.instances[place]
        new = [InstanceState(key[0], index) for index in range(length)]
        for item in new:
            self._add(item.key)
        self.graph.replace(key, new)

    def schedule(self, key: Key, *, is_new_try: bool) -> None:
        """Put an instance among those that run next."""
        self.items[key].try_number += is_new_try
        self.set_state(key, TaskInstanceState.SCHEDULED)
        self.ready.append(key)

    def set_state(self, key: Key, state: TaskInstanceState) -> None:
        """Change the state of an instance, in the result and in the graph."""
        item = self.items[key]
        item.state = str(state)
        if state in FINISHED and item.end_date is None:
            item.start_date = item.start_date or self.clock.now()
            item.end_date = self.clock.now()
        self.graph.apply([(key, state)])

    def skip(self, keys: list[Key]) -> None:
        """Skip what a branch told to skip, unless it runs or has run."""
        for key in keys:
            if key in self.items and self.items[key].state not in _NOT_SKIPPED:
                self.ready = [other for other in self.ready if other != key]
                self.due.pop(key, None)
                self.set_state(key, TaskInstanceState.SKIPPED)

    # Work

    def _next(self) -> Key:
        key = min(self.ready, key=lambda k: (-self.tasks[k[0]].priority_weight_total, self.place[k[0]], k[1]))
        self.ready.remove(key)
        return key

    def _work(self, key: Key) -> None:
        item = self.items[key]
        item.end_date = None
        self.set_state(key, TaskInstanceState.RUNNING)
        channel = run_attempt(self.dag, item, self.store, self.clock, self._on_log)
        self.skip([pair for pair in channel.skipped if pair != key])
        self.outcomes.take(key, final_of(channel), channel)

    # Waits

    def _wait(self) -> bool:
        """Let the next wait be over; False where nothing waits. Retries go first: nobody waits for the world there."""
        retries = [key for key in self.due if self.items[key].state == TaskInstanceState.UP_FOR_RETRY]
        if not retries and self.triggers:
            limit = self.order.trigger_seconds
            fired = self.triggers.wait(PATIENCE_SECONDS if self.due else limit)
            if not fired and not self.due:
                fired = self.triggers.give_up(
                    f"The trigger did not fire within {limit} s (trigger_seconds), and nothing else runs."
                )
            for one in fired:
                self.outcomes.resume(one)
            if fired:
                return True
        waiting = [key for key in retries or self.due if self.graph.decision(key).outcome is Outcome.RUN]
        if not waiting:
            return False
        key = min(waiting, key=lambda k: self.due[k])
        self._pass_time(key, leaps=bool(retries) or self.outcomes.leaps(key))
        del self.due[key]
        self.schedule(key, is_new_try=bool(retries))
        return True

    def _pass_time(self, key: Key, *, leaps: bool) -> None:
        self.clock.wait((self.due[key] - self.clock.now()).total_seconds(), leaps=leaps)

    def _is_late(self) -> bool:
        """End a run whose ``dagrun_timeout`` is over, by the clock of the run."""
        limit = self.spec.dagrun_timeout
        if limit is None or self.clock.now() - self.started <= timedelta(seconds=limit):
            return False
        self._end_by_force(f"The run took longer than its dagrun_timeout of {limit} s.")
        for key, item in self.items.items():
            if item.state not in FINISHED:
                self.set_state(key, TaskInstanceState.SKIPPED)
        return True

    def _give_up(self) -> None:
        """End a run that would wait for ever, and say what each unfinished task waits for; they stay as they are."""
        waits = [f"{key[0]}: {explain(self.graph, key).detail}" for key, item in self.items.items() if item.state not in FINISHED]
        self._end_by_force("Nothing can go on in this run. " + "; ".join(waits))

    def _end_by_force(self, why: str) -> None:
        self._on_log({"timestamp": self.clock.now().isoformat(), "level": "error", "event": why, "logger": "dag.test"})
        self.ready, self.due = [], {}
        self.run["state"] = "failed"

    def _sort(self) -> None:
        """Bring the task instances into the order of the DAG; those of a task that was expanded came last."""
        for key in sorted(self.items, key=lambda key: (self.place[key[0]], key[1])):
            item = self.items[key]
            self.store.instances[item.place] = self.store.instances.pop(item.place)

    def _add(self, key: Key) -> None:
        task = self.tasks[key[0]]
        item = TaskResult(self.spec.dag_id, self.run_id, key[0], key[1], max_tries=task.retries, operator=task.operator_name)
        self.items[key] = self.store.add(item)
