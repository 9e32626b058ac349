"""Decides the sentence that tells why a task instance waits, or why it will not run; built only when somebody asks."""

from collections.abc import Iterator
from itertools import islice
from typing import Final

from runs.dependencies import Decision, WaitReason, Watch
from runs.run_graph import RunGraph
from runs.run_nodes import Instance, Key, sources_of
from runs.state_counts import ANY_FAILED, REMOVED, SKIPPED, UNFINISHED
from runs.trigger_rules import Outcome

_NAMED: Final = 3

# wait reason -> (watches to look through, bits to name, what is said of them)
_LOOK: Final[dict[WaitReason, tuple[tuple[Watch, ...], int, str]]] = {
    WaitReason.UPSTREAM: ((Watch.DIRECT,), UNFINISHED, "upstream task instances are not done"),
    WaitReason.SETUP: ((Watch.SETUP,), UNFINISHED, "setups further up are not done"),
    WaitReason.TEARDOWN_SCOPE: ((Watch.SCOPE,), UNFINISHED, "task instances between setup and teardown are not done"),
    WaitReason.MAPPED_INPUT: ((Watch.MAPPED,), UNFINISHED, "tasks it is mapped over are not done"),
    WaitReason.UPSTREAM_REMOVED: (
        (Watch.DIRECT, Watch.SETUP, Watch.MAPPED),
        REMOVED,
        "upstream task instances are removed and will never satisfy the trigger rule; clear or mark this task",
    ),
}


def explain(graph: RunGraph, key: Key) -> Decision:
    """Return the decision about an instance with its detail filled in. Raises ``KeyError`` for one not in the run.

    The cost is proportional to what the instance looks at, so this is for storing a wait and for people, not for loops.
    """
    instance = graph.instance(key)
    decision = instance.verdict
    if decision.outcome is Outcome.WAIT:
        return decision._replace(detail=decision.detail or _waiting(instance, decision.reason or WaitReason.UPSTREAM))
    if decision.outcome is Outcome.UPSTREAM_FAILED:
        return decision._replace(detail=_because(instance, ANY_FAILED, "failed"))
    if decision.outcome is Outcome.SKIP:
        return decision._replace(detail=_because(instance, SKIPPED, "were skipped"))
    return decision


def _waiting(instance: Instance, reason: WaitReason) -> str:
    watches, bits, what = _LOOK[reason]
    return f"{_number(instance, watches, bits)} of {_number(instance, watches, -1)} {what}: {_names(instance, watches, bits)}"


def _because(instance: Instance, bits: int, what: str) -> str:
    watches = (Watch.DIRECT, Watch.SETUP, Watch.MAPPED)
    rule = instance.node.plan.spec.trigger_rule
    number = _number(instance, watches, bits)
    if not number:
        return f"trigger rule {rule} cannot be met any more"
    total = _number(instance, watches, -1)
    return f"trigger rule {rule}: {number} of {total} upstream task instances {what}: {_names(instance, watches, bits)}"


def _number(instance: Instance, watches: tuple[Watch, ...], bits: int) -> int:
    return sum(counts.number(bits) for watch in watches for counts in instance.counters(watch))


def _names(instance: Instance, watches: tuple[Watch, ...], bits: int) -> str:
    found = list(islice(_matching(instance, watches, bits), _NAMED + 1))
    return ", ".join(found[:_NAMED]) + (", …" if len(found) > _NAMED else "")


def _matching(instance: Instance, watches: tuple[Watch, ...], bits: int) -> Iterator[str]:
    for node, watch, aligned in instance.node.sources:
        if watch in watches:
            for source in sources_of(instance, node, aligned):
                if source.bit_for(watch) & bits:
                    yield source.label
