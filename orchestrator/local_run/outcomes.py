"""Decides what the last word of an attempt means for its run in memory, as the server's transitions decide it."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from orchestrator.local_run.people import answer_to
from orchestrator.sdk.execution.channel import Message, set_channel
from orchestrator.sdk.serialization.values import encode
from orchestrator.sdk.testing.clock import waits_for_the_clock
from orchestrator.sdk.testing.store import StoredXCom
from orchestrator.sdk.testing.store_channel import StoreChannel
from orchestrator.sdk.testing.trigger_loop import Fired
from runs.dependencies import PastFacts
from runs.resumptions import Resumption, told
from runs.run_nodes import Key
from runs.states import FINISHED, TaskInstanceState

if TYPE_CHECKING:
    from orchestrator.local_run.run import LocalRun

log = logging.getLogger(__name__)

HITL_TRIGGER = "airflow.providers.standard.triggers.hitl.HITLTrigger"
CHOICE_KEY = "skipmixin_key"
DAY = 86400.0  # seconds; no back-off grows beyond


class Outcomes:
    """The transitions of one run."""

    def __init__(self, run: LocalRun) -> None:
        self.run = run

    def take(self, key: Key, message: Message, channel: StoreChannel) -> None:
        """Carry out the last word of an attempt."""
        item = self.run.items[key]
        item.rendered_map_index = message.get("rendered_map_index") or item.rendered_map_index
        kind = message["type"]
        if kind == "DeferTask":
            self.defer(key, message)
        elif kind == "AwaitInputTask":
            item.next_method, item.next_kwargs = message["next_method"], message["next_kwargs"]
            self._answer(key, has_limit=message.get("timeout") is not None)
        elif kind == "RescheduleTask":
            item.first_poke = item.first_poke or item.start_date
            item.pokes += 1
            self._wait_until(key, TaskInstanceState.UP_FOR_RESCHEDULE, datetime.fromisoformat(message["reschedule_date"]))
        elif kind == "RetryTask":
            self.retry(key, message.get("retry_delay_seconds"))
        else:
            self._end(key, message, channel)

    def _end(self, key: Key, message: Message, channel: StoreChannel) -> None:
        state = TaskInstanceState(message["state"])
        if state is TaskInstanceState.SUCCESS:
            channel.note_events(message)
        self._forget_wait(key)
        self.run.set_state(key, state)
        self._tell_branch_skips(key)
        if state is TaskInstanceState.FAILED and self.run.spec.fail_fast and not self.run.tasks[key[0]].is_teardown:
            self._fail_fast()

    def retry(self, key: Key, chosen_delay: float | None) -> None:
        """Let the instance wait for its next try."""
        self._forget_wait(key)
        task, tries = self.run.tasks[key[0]], self.run.items[key].try_number
        delay = task.retry_delay if chosen_delay is None else float(chosen_delay)
        factor = task.retry_exponential_backoff
        if chosen_delay is None and factor > 0 and factor != 1.0:  # the spread of a deployment's back-off is left out
            delay = min(max(delay, 1.0) * factor ** min(tries - 1, 64), task.max_retry_delay or DAY, DAY)
        self._wait_until(key, TaskInstanceState.UP_FOR_RETRY, self.run.clock.now() + timedelta(seconds=delay))

    def _wait_until(self, key: Key, state: TaskInstanceState, due: datetime) -> None:
        self.run.due[key] = due
        self.run.set_state(key, state)

    def _forget_wait(self, key: Key) -> None:
        item = self.run.items[key]
        item.next_method, item.next_kwargs, item.first_poke, item.pokes = None, None, None, 0

    def leaps(self, key: Key) -> bool:
        """Return whether only the clock decides about the instance."""
        return waits_for_the_clock(self.run.dag.task_dict[key[0]])

    # Deferral

    def start_in_trigger(self, key: Key) -> Message | None:
        """Return the wait that the task begins with, where the author asks for one without a worker."""
        task = self.run.tasks[key[0]]
        args = task.start_trigger_args
        if not task.start_from_trigger or not args or task.is_mapped or "{{" in json.dumps(args) or "{%" in json.dumps(args):
            return None
        timeout = None if args.get("timeout") is None else f"PT{args['timeout']}S"
        kwargs = {"trigger_kwargs": args.get("trigger_kwargs") or {}, "next_kwargs": args.get("next_kwargs") or {}}
        return {"classpath": args["trigger_cls"], "trigger_timeout": timeout, "next_method": args["next_method"], **kwargs}

    def defer(self, key: Key, message: Message) -> None:
        """Let the instance wait for a trigger; one that waits for a person is answered at once."""
        item = self.run.items[key]
        item.next_method, item.next_kwargs = message["next_method"], message.get("next_kwargs")
        item.start_date = item.start_date or self.run.clock.now()
        if message["classpath"] == HITL_TRIGGER:
            self._answer(key, has_limit=False)
            return
        self.run.set_state(key, TaskInstanceState.DEFERRED)
        self.run.triggers.start(item, message)

    def resume(self, fired: Fired) -> None:
        """Go on with a task whose wait is over."""
        item = fired.instance
        key = (item.task_id, item.map_index)
        if item.state != TaskInstanceState.DEFERRED:  # a branch has skipped it since
            return
        if fired.state is not None:
            self._end_by_trigger(key, fired)
            return
        resumption = Resumption(None, None, fired.payload, fired.failure, fired.traceback)  # type: ignore[arg-type]
        self._go_on(key, resumption)

    def _go_on(self, key: Key, resumption: Resumption) -> None:
        item = self.run.items[key]
        item.next_method, item.next_kwargs = told(resumption, item.next_method, item.next_kwargs)
        self.run.schedule(key, is_new_try=False)

    def _end_by_trigger(self, key: Key, fired: Fired) -> None:
        item = fired.instance
        for name, value in (fired.xcoms or {}).items():
            self.run.store.xcoms[(*item.place, name)] = StoredXCom(value)
        if fired.state == "failed" and item.max_tries and item.try_number <= item.max_tries:
            self.retry(key, None)
            return
        self._forget_wait(key)
        item.end_date = self.run.clock.now()
        self.run.set_state(key, TaskInstanceState(str(fired.state)))

    def _answer(self, key: Key, *, has_limit: bool) -> None:
        event = answer_to(self.run.store, self.run.items[key], self.run.clock.now(), has_limit=has_limit)
        self.run.set_state(key, TaskInstanceState.AWAITING_INPUT)
        self._go_on(key, Resumption(None, None, encode(event)))  # type: ignore[arg-type]

    # What an end means for others

    def _tell_branch_skips(self, key: Key) -> None:
        """Tell the graph what a branch chose: it counts for what comes after, also when that is expanded later."""
        if not self.run.tasks[key[0]].branches:
            return
        pushed = self.run.store.pushed(self.run.spec.dag_id, self.run.run_id, key[0], CHOICE_KEY)
        choice = pushed[key[1]].value if key[1] in pushed else None
        if not isinstance(choice, dict):
            return
        below = self.run.tasks[key[0]].downstream_task_ids
        skipped = [t for t in below if t not in choice["followed"]] if "followed" in choice else choice.get("skipped") or []
        told_to = [k for k in self.run.items if k[0] in skipped and k[0] in below and self._counts_for(key, k)]
        self.run.graph.set_branch_skips({other: [key[0]] for other in told_to})

    def _counts_for(self, branch: Key, other: Key) -> bool:
        """An index of a mapped branch chooses for the same index; a branch in a mapped group skips nothing, as in Airflow."""
        return branch[1] < 0 or (self.run.tasks[branch[0]].is_mapped and other[1] == branch[1])

    def _fail_fast(self) -> None:
        """End what is unfinished, teardowns apart: what waits fails, what has not begun is skipped."""
        for key, item in self.run.items.items():
            if item.state in FINISHED or self.run.tasks[key[0]].is_teardown:
                continue
            begun = item.state in (TaskInstanceState.DEFERRED, TaskInstanceState.UP_FOR_RESCHEDULE)
            self.run.ready = [other for other in self.run.ready if other != key]
            self.run.due.pop(key, None)
            self.run.set_state(key, TaskInstanceState.FAILED if begun else TaskInstanceState.SKIPPED)

    def past(self) -> dict[str, PastFacts]:
        """Return what earlier runs in the store say about tasks that look at their past."""
        run, store = self.run, self.run.store
        looking = [task for task in run.spec.tasks if task.depends_on_past or task.wait_for_downstream]
        earlier = store.earlier_runs(run.spec.dag_id, run.run["logical_date"]) if looking else []
        facts: dict[str, PastFacts] = {}
        for task in looking:
            items = store.of_run(run.spec.dag_id, earlier[0]["run_id"]) if earlier else []
            own = [item.state for item in items if item.task_id == task.task_id]
            below = [item.state for item in items if item.task_id in task.downstream_task_ids]
            ran = any(item.dag_id == run.spec.dag_id and item.task_id == task.task_id for item in store.instances.values())
            facts[task.task_id] = PastFacts(bool(earlier), len(own), _bad(own), _bad(below), ran and bool(earlier))
        return facts

    def call_back_for_dag(self) -> None:
        """Call the author's callbacks of the run; one that fails is logged and changes nothing."""
        run = self.run
        succeeded = run.run["state"] == "success"
        kind = run.dag.on_success_callback if succeeded else run.dag.on_failure_callback
        callbacks = kind if isinstance(kind, list | tuple) else [kind] if kind else []
        if not callbacks:
            return
        last = max(run.items.values(), key=lambda item: (item.state == "failed", item.end_date or run.started))
        set_channel(StoreChannel(run.store, last, run.clock, run._on_log))
        context = {"dag": run.dag, "run_id": run.run_id, "reason": "success" if succeeded else "task_failure"}
        context |= {"dag_run": _run_object(run.run), "ti": last, "task_instance": last, "params": dict(run.run["conf"])}
        try:
            for callback in callbacks:
                _call(callback, context)
        finally:
            set_channel(None)


def _call(callback: Any, context: dict[str, Any]) -> None:
    try:
        callback(context)
    except Exception:
        log.exception("The DAG's callback %r failed", getattr(callback, "__name__", callback))


def _run_object(document: dict[str, Any]) -> Any:
    from orchestrator.sdk.execution.startup import DagRun

    return DagRun.from_json(document)


def _bad(states: Iterable[str | None]) -> int:
    return sum(state not in ("success", "skipped") for state in states)
