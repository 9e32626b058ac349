"""Decides about one instance of a run in memory: upstream states first, then a branch's word, then the past."""

from collections.abc import Mapping

from runs.dependencies import Decision, PastFacts, Seen, WaitReason, Watch, decide, is_surplus, past_block
from runs.run_nodes import Instance, Node
from runs.state_counts import UNFINISHED, StateCounts
from runs.trigger_rules import DECIDED_BY_FEW, Outcome


def verdict_of(instance: Instance, past: Mapping[str, PastFacts], nodes: Mapping[str, Node]) -> Decision:
    """Return what may be done with the instance, without detail."""
    decision = _by_upstream(instance)
    if instance.skipped_by and decision.outcome is not Outcome.UPSTREAM_FAILED and _branch_stands(instance, nodes):
        decision = Decision(Outcome.SKIP)
    return _by_past(instance, decision, past) if instance.node.plan.spec.depends_on_past else decision


def _by_upstream(instance: Instance) -> Decision:
    plan = instance.node.plan
    rule = plan.spec.trigger_rule
    expanded = instance.index >= 0
    if not expanded and plan.expands:
        return _before_expansion(instance)
    decision = decide(rule, instance.seen(), is_teardown=plan.spec.is_teardown, expanded=expanded)
    if expanded and decision.outcome is Outcome.RUN and _is_surplus(instance):
        return Decision(Outcome.REMOVED)
    return decision


def _is_surplus(instance: Instance) -> bool:
    rule = instance.node.plan.spec.trigger_rule
    return is_surplus(rule, instance.index, _shared(instance, Watch.DIRECT), _shared(instance, Watch.SETUP))


def _shared(instance: Instance, watch: Watch) -> StateCounts | None:
    return instance.node.shared[watch]


def _before_expansion(instance: Instance) -> Decision:
    """Judge an instance that will be expanded; what each index sees inside its mapped group is not known yet.

    A rule that a few instances can decide must not skip the whole task on what is outside of the group.
    """
    spec = instance.node.plan.spec
    seen = instance.seen()
    open_inside = spec.trigger_rule in DECIDED_BY_FEW and any(node.is_expanded for node, *_ in instance.node.aligned_from)
    if open_inside:
        seen = Seen(seen.direct | UNFINISHED, *seen[1:])
    decision = decide(spec.trigger_rule, seen, is_teardown=spec.is_teardown, expanded=False)
    if open_inside and decision.reason is WaitReason.UPSTREAM and not seen.mapped & UNFINISHED:
        return Decision(Outcome.EXPAND)
    if decision.outcome is Outcome.RUN:
        return Decision(Outcome.EXPAND)
    return decision


def _branch_stands(instance: Instance, nodes: Mapping[str, Node]) -> bool:
    return any(nodes[parent].any_finished for parent in instance.skipped_by if parent in nodes)


def _by_past(instance: Instance, decision: Decision, past: Mapping[str, PastFacts]) -> Decision:
    """Hold back what would run, and what would be skipped where the task asks for that."""
    spec = instance.node.plan.spec
    held = decision.outcome in (Outcome.RUN, Outcome.EXPAND) or (
        decision.outcome is Outcome.SKIP and spec.wait_for_past_depends_before_skipping
    )
    if not held:
        return decision
    why = past_block(
        past.get(spec.task_id),
        wait_for_downstream=spec.wait_for_downstream,
        ignore_first=spec.ignore_first_depends_on_past,
    )
    return Decision(Outcome.WAIT, WaitReason.PAST, why) if why else decision
