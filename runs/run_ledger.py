"""Decides what a state change touches: it keeps the counters and totals of a run and notes who has to be judged anew."""

from collections.abc import Iterator
from typing import Final

from runs.dependencies import Watch
from runs.run_nodes import Instance, Key, Node, aligned_watchers, connect, sources_of
from runs.run_plan import RunPlan
from runs.state_counts import BITS, UNFINISHED, StateCounts
from runs.states import State, TaskInstanceState
from runs.trigger_rules import Outcome

# Nothing has the attempt: the graph may decide about it. Retry and reschedule wait for their time besides.
UNDECIDED: Final = frozenset({None, TaskInstanceState.UP_FOR_RETRY, TaskInstanceState.UP_FOR_RESCHEDULE})
_WAITS_ELSEWHERE: Final = frozenset({TaskInstanceState.DEFERRED, TaskInstanceState.AWAITING_INPUT})
_GOES_ON: Final = frozenset({Outcome.RUN, Outcome.EXPAND})


class Ledger:
    """The instances of one run with their counters. ``work`` counts counter updates, to show that costs stay linear."""

    def __init__(self, plan: RunPlan) -> None:
        self.work = 0
        self.unfinished = 0
        self.blocked = 0  # unfinished, and cannot go on by themselves
        self.waiting_elsewhere = 0  # unfinished, and something outside the run can let them go on
        self.leaves = StateCounts()
        self.dirty_nodes: dict[Node, None] = {}
        self.dirty: dict[Instance, None] = {}
        self.branch_skipped: dict[str, dict[Instance, None]] = {}  # branch task -> whom it told to skip
        self.nodes = {task_id: Node(task) for task_id, task in plan.tasks.items()}
        connect(self.nodes)
        for node in self.nodes.values():
            self._put_placeholder(node)

    def find(self, key: Key) -> Instance:
        """Return an instance. Raises ``KeyError`` for one that is not in the run."""
        node = self.nodes.get(key[0])
        instance = node.instances.get(key[1]) if node else None
        if instance is None or instance.is_placeholder:
            raise KeyError(f"task instance {key} is not in the run: add it, or reconcile with the database")
        return instance

    def holds(self, key: Key) -> bool:
        """Return whether the instance is in the run."""
        node = self.nodes.get(key[0])
        instance = node.instances.get(key[1]) if node else None
        return instance is not None and not instance.is_placeholder

    def instances(self) -> Iterator[Instance]:
        """Yield all instances."""
        for node in self.nodes.values():
            yield from (instance for instance in node.instances.values() if not instance.is_placeholder)

    def insert(self, instance: Instance) -> None:
        """Add an instance, in the place of the placeholder of its task."""
        placeholder = instance.node.instances.get(-1)
        if placeholder is not None and placeholder.is_placeholder:
            self._detach(placeholder)
        self._attach(instance)
        self._total(instance, 1)

    def take_out(self, instance: Instance) -> None:
        """Remove an instance; the last one leaves a placeholder, so that others go on waiting for the task."""
        self._total(instance, -1)
        self._detach(instance)
        self.dirty.pop(instance, None)
        for parent in instance.skipped_by:
            self.branch_skipped[parent].pop(instance, None)
        if not instance.node.instances:
            self._put_placeholder(instance.node)

    def change(self, instance: Instance, state: State) -> None:
        """Give an instance another state and move it in every counter that holds it."""
        if instance.state == state:
            return
        self._total(instance, -1)
        old = {watch: instance.bit_for(watch) for watch in _VIEWS}
        instance.state = state
        instance.bit = BITS[state]
        instance.asked = None
        if instance.bit == UNFINISHED:
            instance.node.open[instance.index] = instance
            self.dirty[instance] = None
        else:
            instance.node.open.pop(instance.index, None)
        self._total(instance, 1)
        if old[Watch.DIRECT] != instance.bit:
            self._move(instance, old)

    def set_blocked(self, instance: Instance) -> None:
        """Note after a verdict or a change of state whether the instance can go on by itself."""
        blocked = is_blocked(instance)
        if blocked != instance.blocked:
            instance.blocked = blocked
            self.blocked += 1 if blocked else -1

    def _total(self, instance: Instance, sign: int) -> None:
        if instance.node.plan.is_leaf:
            if sign > 0:
                self.leaves.add(instance.bit)
            else:
                self.leaves.drop(instance.bit)
        if instance.bit == UNFINISHED:
            self.unfinished += sign
            if instance.state in _WAITS_ELSEWHERE or instance.node.plan.may_wait_elsewhere:
                self.waiting_elsewhere += sign
        if sign > 0:
            instance.blocked = is_blocked(instance)
        if instance.blocked:
            self.blocked += sign

    def _move(self, instance: Instance, old: dict[Watch, int]) -> None:
        node = instance.node
        for counts, watcher, watch in node.wide_to:
            self.work += 1
            if counts.move(old[_view(watch)], instance.bit_for(watch)):
                self.dirty_nodes[watcher] = None
        for counts, who in self._aligned_counters(instance):
            self.work += 1
            if counts.move(old[Watch.DIRECT], instance.bit):
                self.dirty[who] = None
        self.dirty.update(self.branch_skipped.get(node.task_id, {}))

    def _attach(self, instance: Instance) -> None:
        node = instance.node
        if node.aligned_from:
            self._count_sources(instance)
        node.instances[instance.index] = instance
        if instance.bit == UNFINISHED and not instance.is_placeholder:
            node.open[instance.index] = instance
            self.dirty[instance] = None
        for counts, watcher, watch in node.wide_to:
            self.work += 1
            if counts.add(instance.bit_for(watch)):
                self.dirty_nodes[watcher] = None
        for counts, who in self._aligned_counters(instance):
            counts.add(instance.bit)
            self.dirty[who] = None

    def _detach(self, instance: Instance) -> None:
        node = instance.node
        del node.instances[instance.index]
        node.open.pop(instance.index, None)
        for counts, watcher, watch in node.wide_to:
            self.work += 1
            if counts.drop(instance.bit_for(watch)):
                self.dirty_nodes[watcher] = None
        for counts, who in self._aligned_counters(instance):
            counts.drop(instance.bit)
            self.dirty[who] = None

    def _put_placeholder(self, node: Node) -> None:
        self._attach(Instance(node, -1, None, is_placeholder=True))

    def _aligned_counters(self, instance: Instance) -> Iterator[tuple[StateCounts, Instance]]:
        for node, watch, aligned in instance.node.aligned_to:
            for who in aligned_watchers(instance, node, aligned):
                counts = who.own[watch] if who.own else None
                if counts is not None:
                    yield counts, who

    def _count_sources(self, instance: Instance) -> None:
        instance.own = [None] * len(Watch)
        for upstream, watch, aligned in instance.node.aligned_from:
            counts = instance.own[watch]
            if counts is None:
                counts = instance.own[watch] = StateCounts()
            for source in sources_of(instance, upstream, aligned):
                counts.add(source.bit)


_VIEWS: Final = (Watch.DIRECT, Watch.MAPPED)


def _view(watch: Watch) -> Watch:
    """Return which of the two views of a state the watch takes."""
    return Watch.MAPPED if watch is Watch.MAPPED else Watch.DIRECT


def is_blocked(instance: Instance) -> bool:
    """Return whether the instance is unfinished and cannot go on by itself.

    One that nothing has waits for its upstream; one that an executor has is blocked when its rule no longer holds.
    """
    if instance.bit != UNFINISHED:
        return False
    if instance.state in UNDECIDED:
        return instance.verdict.outcome is Outcome.WAIT
    return instance.verdict.outcome not in _GOES_ON
