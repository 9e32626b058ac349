"""Decides what a run in memory consists of: a node per task, an instance per map index, counters of what they look at."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from runs.alignment import Alignment
from runs.dependencies import Decision, Seen, WaitReason, Watch
from runs.run_plan import PlannedTask
from runs.state_counts import BITS, SUCCESS, UNFINISHED, StateCounts
from runs.states import State
from runs.trigger_rules import Outcome

Key = tuple[str, int]
"""``(task_id, map_index)``; the map index is -1 for a task that is not mapped or not expanded yet."""

Counters = list[StateCounts | None]
"""One counter per ``Watch``, None where the task looks at nothing in that way."""

NOT_JUDGED = Decision(Outcome.WAIT, WaitReason.UPSTREAM)


class InstanceState(NamedTuple):
    """A task instance as the database has it."""

    task_id: str
    map_index: int = -1
    state: State = None
    try_number: int = 0

    @property
    def key(self) -> Key:
        """The instance's place in the run."""
        return (self.task_id, self.map_index)


class Instance:
    """One task instance in memory; ``own`` counts the instances of its mapped group that it alone looks at."""

    __slots__ = (
        "asked",
        "bit",
        "blocked",
        "index",
        "is_placeholder",
        "node",
        "own",
        "skipped_by",
        "state",
        "try_number",
        "verdict",
    )

    def __init__(self, node: "Node", index: int, state: State, try_number: int = 0, *, is_placeholder: bool = False) -> None:
        self.node = node
        self.index = index
        self.state = state
        self.bit = BITS[state]
        self.try_number = try_number
        # Stands for a task without any instance: others wait for it, and nothing is decided about it.
        self.is_placeholder = is_placeholder
        self.own: Counters | None = None
        self.verdict = NOT_JUDGED
        self.asked: Outcome | None = None  # the outcome handed out last; None after a change of state
        self.blocked = False  # unfinished, and cannot go on by itself
        self.skipped_by: frozenset[str] = frozenset()  # branch tasks that told it to skip

    @property
    def key(self) -> Key:
        """The instance's place in the run."""
        return (self.node.task_id, self.index)

    @property
    def label(self) -> str:
        """The instance's name in sentences: ``task`` or ``task[3]``."""
        return self.node.task_id if self.index < 0 else f"{self.node.task_id}[{self.index}]"

    def bit_for(self, watch: Watch) -> int:
        """Return the state as that kind of watcher sees it.

        Who maps over a task's results cares for an unexpanded instance's end, but not for how one index ended.
        """
        if watch is not Watch.MAPPED or self.index < 0:
            return self.bit
        return UNFINISHED if self.bit == UNFINISHED else SUCCESS

    def seen(self) -> Seen:
        """Return the masks of all states that the instance looks at."""
        if self.own is None:
            return self.node.seen()
        pairs = zip(self.node.shared, self.own, strict=True)
        return Seen(*((a.present if a else 0) | (b.present if b else 0) for a, b in pairs))

    def counters(self, watch: Watch) -> Iterator[StateCounts]:
        """Yield the counters that hold what the instance looks at in that way."""
        for counters in (self.node.shared, self.own or ()):
            if counters and (counts := counters[watch]) is not None:
                yield counts


class Node:
    """One task of the run. ``shared`` counts what all its instances look at."""

    __slots__ = ("aligned_from", "aligned_to", "instances", "open", "plan", "shared", "sources", "task_id", "wide_to")

    def __init__(self, plan: PlannedTask) -> None:
        self.plan = plan
        self.task_id = plan.spec.task_id
        self.instances: dict[int, Instance] = {}
        self.open: dict[int, Instance] = {}  # the unfinished ones
        self.shared: Counters = [None] * len(Watch)
        self.wide_to: list[tuple[StateCounts, Node, Watch]] = []
        self.aligned_to: list[tuple[Node, Watch, Alignment]] = []
        self.aligned_from: list[tuple[Node, Watch, Alignment]] = []
        self.sources: list[tuple[Node, Watch, Alignment | None]] = []  # every task it looks at; None: at all its indexes

    def seen(self) -> Seen:
        """Return the masks of the shared counters."""
        return Seen(*(counts.present if counts else 0 for counts in self.shared))

    @property
    def is_expanded(self) -> bool:
        """Whether the task has instances with map indexes and no unexpanded one."""
        return -1 not in self.instances

    @property
    def any_finished(self) -> bool:
        """Whether at least one instance is finished."""
        real = 0 if -1 in self.instances and self.instances[-1].is_placeholder else len(self.instances)
        return real > len(self.open)


def connect(nodes: dict[str, Node]) -> None:
    """Give every node the counters it needs and tell its upstream nodes where to count."""
    for node in nodes.values():
        for link in node.plan.watches:
            upstream = nodes[link.task_id]
            node.sources.append((upstream, link.watch, link.aligned))
            if link.aligned:
                upstream.aligned_to.append((node, link.watch, link.aligned))
                node.aligned_from.append((upstream, link.watch, link.aligned))
            else:
                counts = node.shared[link.watch]
                if counts is None:
                    counts = node.shared[link.watch] = StateCounts()
                upstream.wide_to.append((counts, node, link.watch))


def aligned_watchers(instance: Instance, node: Node, aligned: Alignment) -> Iterator[Instance]:
    """Yield the instances of a node of the same mapped group that look at the instance."""
    if instance.index < 0:
        yield from node.instances.values()
    else:
        yield from _at(node, aligned.watchers(instance.index))


def sources_of(instance: Instance, node: Node, aligned: Alignment | None) -> Iterator[Instance]:
    """Yield the instances of a node that the instance looks at."""
    if aligned is None:
        yield from node.instances.values()
        return
    yield from _at(node, (-1,))
    if instance.index >= 0:
        yield from _at(node, aligned.sources(instance.index))


def _at(node: Node, indexes: Iterable[int]) -> Iterator[Instance]:
    for index in indexes:
        if (other := node.instances.get(index)) is not None:
            yield other
