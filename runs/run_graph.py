"""Decides what comes next in one DAG run: it holds the run in memory and turns state changes into decisions.

The cost of a change is proportional to the tasks that look at the changed one: each keeps counters of the states it
looks at, and is judged anew only when its mask of states present changes (at most a few times in a run). A mapped
task's instances share one counter, so ten thousand indexes above ten thousand indexes are no cross product.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from orchestrator.sdk.serialization.spec import DagSpec
from runs.dependencies import Decision, PastFacts, run_outcome
from runs.run_ledger import UNDECIDED, Ledger
from runs.run_nodes import Instance, InstanceState, Key
from runs.run_plan import RunPlan
from runs.state_counts import ANY_FAILED, FAILED, UNFINISHED
from runs.states import DagRunState, State
from runs.trigger_rules import Outcome
from runs.verdicts import verdict_of

__all__ = ["Correction", "InstanceState", "Judgement", "Key", "RunGraph"]

_REMOVED: Final = Decision(Outcome.REMOVED)
_ABSENT: Final = "absent"


class Judgement(NamedTuple):
    """State of the run, and what is to be given up because the run ends while it is blocked."""

    state: DagRunState
    give_up: list[tuple[Key, Decision]]
    deadlocked: bool = False  # some of its tasks can never be decided


class Correction(NamedTuple):
    """A difference between the graph and the database; ``here``/``there`` is ``"absent"`` for a missing instance."""

    key: Key
    here: State | str
    there: State | str


class RunGraph:
    """One DAG run. Feed it with every state change (``apply``) and ask what to do (``decisions``, ``judge``).

    ``dag`` is a DAG or, cheaper, the ``RunPlan`` of its version. ``past`` holds the facts about the previous run for tasks
    with ``depends_on_past``; ``branch_skips`` tells which branch tasks told an instance to skip (for a cleared instance;
    it counts while the branch task is finished).
    """

    def __init__(
        self,
        dag: DagSpec | RunPlan,
        instances: Iterable[InstanceState],
        *,
        past: Mapping[str, PastFacts] | None = None,
        branch_skips: Mapping[Key, Iterable[str]] | None = None,
    ) -> None:
        self.plan = dag if isinstance(dag, RunPlan) else RunPlan(dag)
        self._ledger = Ledger(self.plan)
        self._past = dict(past or {})
        self._strangers: dict[Key, State] = {}  # instances of tasks that the DAG no longer has
        self._to_remove: dict[Key, None] = {}
        self._to_tell: dict[Instance, None] = {}
        self._judged = 0
        self.add_instances(instances)
        self.set_branch_skips(branch_skips or {})

    # Changes

    def apply(self, changes: Iterable[tuple[Key, State]]) -> None:
        """Take over state changes. A repeated change is harmless. Raises ``KeyError`` for an instance not in the run."""
        for key, state in changes:
            if key in self._strangers:
                self._strangers[key] = state
            else:
                self._ledger.change(self._ledger.find(key), state)

    def add_instances(self, instances: Iterable[InstanceState]) -> None:
        """Add new instances. Raises ``ValueError`` for one that is there already.

        One of a task that the DAG no longer has counts for nothing, and is reported as to be removed if nothing has it.
        """
        for item in instances:
            if item.key in self:
                raise ValueError(f"task instance {item.key} is already in the run")
            node = self._ledger.nodes.get(item.task_id)
            if node is not None:
                self._ledger.insert(Instance(node, item.map_index, item.state, item.try_number))
                continue
            self._strangers[item.key] = item.state
            if item.state in UNDECIDED:
                self._to_remove[item.key] = None

    def remove(self, keys: Iterable[Key]) -> None:
        """Forget instances whose rows were deleted. Raises ``KeyError`` for one not in the run."""
        for key in keys:
            if key in self._strangers:
                del self._strangers[key]
                self._to_remove.pop(key, None)
            else:
                instance = self._ledger.find(key)
                self._ledger.take_out(instance)
                self._to_tell.pop(instance, None)

    def replace(self, key: Key, instances: Iterable[InstanceState]) -> None:
        """Expand a mapped task: the unexpanded instance makes room for one instance per index.

        A length of zero is no replacement: the caller marks the unexpanded instance skipped.
        """
        self.add_instances(instances)
        self.remove([key])

    def set_past(self, facts: Mapping[str, PastFacts]) -> None:
        """Take over what the previous run says now; the tasks concerned are judged anew."""
        self._past.update(facts)
        nodes = self._ledger.nodes
        self._ledger.dirty_nodes.update((nodes[task_id], None) for task_id in facts if task_id in nodes)

    def set_branch_skips(self, branch_skips: Mapping[Key, Iterable[str]]) -> None:
        """Take over which branch tasks told which instances to skip."""
        for key, parents in branch_skips.items():
            instance = self._ledger.find(key)
            instance.skipped_by = frozenset(parents)
            self._ledger.dirty[instance] = None
            for parent in instance.skipped_by:
                self._ledger.branch_skipped.setdefault(parent, {})[instance] = None

    def ask_again(self, keys: Iterable[Key]) -> None:
        """Hand out the decisions of these instances once more, because carrying them out failed."""
        for key in keys:
            if key in self._strangers:
                self._to_remove[key] = None
            else:
                instance = self._ledger.find(key)
                instance.asked = None
                self._ledger.dirty[instance] = None

    def reconcile(self, instances: Iterable[InstanceState]) -> list[Correction]:
        """Compare with a fresh and complete read of the run, take it over, and return what was different."""
        there = {item.key: item for item in instances}
        gone = [Correction(key, self.state_of(key), _ABSENT) for key in self if key not in there]
        self.remove(correction.key for correction in gone)
        new = [item for item in there.values() if item.key not in self]
        self.add_instances(new)
        changed = [Correction(key, self.state_of(key), i.state) for key, i in there.items() if self.state_of(key) != i.state]
        self.apply((key, there[key].state) for key, _, _ in changed)
        return [*gone, *(Correction(item.key, _ABSENT, item.state) for item in new), *changed]

    # Questions

    def decisions(self) -> list[tuple[Key, Decision]]:
        """Return what can be done now and was not returned before; never an instance that has to wait.

        RUN and EXPAND come only for instances without a state; SKIP, UPSTREAM_FAILED and REMOVED also for those
        that wait for a retry or a reschedule. The caller carries them out and calls ``apply`` (or ``replace``).
        """
        self._settle()
        told = [(key, _REMOVED) for key in self._to_remove]
        for instance in self._to_tell:
            if _to_be_told(instance):
                instance.asked = instance.verdict.outcome
                told.append((instance.key, instance.verdict))
        self._to_tell.clear()
        self._to_remove.clear()
        return told

    def decision(self, key: Key) -> Decision:
        """Return what may be done with an instance now, e.g. with one whose retry is due. ``explain`` adds the detail."""
        self._settle()
        return self._ledger.find(key).verdict

    def judge(self) -> Judgement:
        """Return the state of the run; RUNNING while a decision is not carried out.

        Where every unfinished instance is blocked the run cannot go on: those that an executor has although their rule
        can no longer be met are given up, and unless that finishes the run, it has failed.
        """
        self._settle()
        ledger = self._ledger
        if not ledger.unfinished:
            return Judgement(run_outcome(ledger.leaves.present), [])
        if ledger.blocked < ledger.unfinished or ledger.waiting_elsewhere:
            return Judgement(DagRunState.RUNNING, [])
        given_up = [i for i in ledger.instances() if i.bit == UNFINISHED and i.verdict.outcome is not Outcome.WAIT]
        give_up = [(instance.key, instance.verdict) for instance in given_up]
        if len(given_up) < ledger.unfinished:
            return Judgement(DagRunState.FAILED, give_up, deadlocked=True)
        failing = any(i.node.plan.is_leaf and i.verdict.outcome is Outcome.UPSTREAM_FAILED for i in given_up)
        return Judgement(run_outcome(FAILED if failing else ledger.leaves.present & ANY_FAILED), give_up)

    def run_state(self) -> DagRunState:
        """Return the state of the run."""
        return self.judge().state

    def state_of(self, key: Key) -> State:
        """Return an instance's state. Raises ``KeyError`` for one not in the run."""
        return self._strangers[key] if key in self._strangers else self._ledger.find(key).state

    def instance(self, key: Key) -> Instance:
        """Return an instance with its counters and its verdict. Raises ``KeyError`` for one not in the run."""
        self._settle()
        return self._ledger.find(key)

    def past_of(self, task_id: str) -> PastFacts | None:
        """Return what is known of the task's previous run."""
        return self._past.get(task_id)

    def __iter__(self) -> Iterator[Key]:
        """Yield the instances of the run."""
        yield from self._strangers
        yield from (instance.key for instance in self._ledger.instances())

    def __contains__(self, key: Key) -> bool:
        """Return whether the instance is in the run."""
        return key in self._strangers or self._ledger.holds(key)

    @property
    def unfinished(self) -> int:
        """Number of unfinished instances."""
        return self._ledger.unfinished

    @property
    def work(self) -> int:
        """Number of counter updates and judgements so far: the cost, in units that do not depend on the machine."""
        return self._ledger.work + self._judged

    def _settle(self) -> None:
        """Judge everything that a change touched."""
        ledger = self._ledger
        while ledger.dirty_nodes or ledger.dirty:
            touched = dict.fromkeys(i for node in ledger.dirty_nodes for i in node.open.values())
            touched.update(ledger.dirty)
            ledger.dirty_nodes.clear()
            ledger.dirty.clear()
            for instance in touched:
                self._judge_instance(instance)

    def _judge_instance(self, instance: Instance) -> None:
        if instance.is_placeholder or instance.bit != UNFINISHED:
            return
        self._judged += 1
        instance.verdict = verdict_of(instance, self._past, self._ledger.nodes)
        self._ledger.set_blocked(instance)
        if _to_be_told(instance):
            self._to_tell[instance] = None


def _to_be_told(instance: Instance) -> bool:
    """Return whether the verdict is news that somebody has to act on."""
    outcome = instance.verdict.outcome
    if outcome is Outcome.WAIT or outcome is instance.asked:
        return False
    if instance.state is None:
        return True
    return instance.state in UNDECIDED and outcome not in (Outcome.RUN, Outcome.EXPAND)
