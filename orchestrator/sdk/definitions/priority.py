"""Decides the effective priority of each task: its own weight plus that of all tasks that it can reach."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from orchestrator.sdk.definitions.rules import PriorityWeightStrategy, WeightRule

MAX_WEIGHT = 2147483647
MIN_WEIGHT = -2147483648


def total_weights(tasks: Sequence[Any]) -> dict[str, int]:
    """Return the effective weight by task id; ``tasks`` must be in topological order."""
    totals: dict[str, int] = {}
    wanted = {_rule(task) for task in tasks}
    down = _reach_totals(tasks, reverse=True) if WeightRule.DOWNSTREAM in wanted else {}
    up = _reach_totals(tasks, reverse=False) if WeightRule.UPSTREAM in wanted else {}
    for task in tasks:
        rule = _rule(task)
        own = int(task.priority_weight)
        total = {WeightRule.DOWNSTREAM: down, WeightRule.UPSTREAM: up}.get(rule, {}).get(task.task_id, own)
        totals[task.task_id] = min(max(total, MIN_WEIGHT), MAX_WEIGHT)
    return totals


def _rule(task: Any) -> WeightRule:
    # The author's own strategy needs a task instance; at parse time its task has its own weight.
    rule = task.weight_rule
    return WeightRule.ABSOLUTE if isinstance(rule, PriorityWeightStrategy) else WeightRule(rule)


def _reach_totals(tasks: Sequence[Any], *, reverse: bool) -> dict[str, int]:
    """Return own weight plus the weights of all tasks reachable downstream (``reverse``) or upstream.

    A set of reached tasks is one integer with a bit per task: a union is one machine operation per 64 tasks.
    A chain needs no sets at all: a task with one neighbour reaches that neighbour and what it reaches.
    """
    order = list(reversed(tasks)) if reverse else list(tasks)
    position = {task.task_id: index for index, task in enumerate(order)}
    weights = [int(task.priority_weight) for task in order]
    near = {task.task_id: _near(task, position, reverse) for task in order}
    if _is_forest(near):
        return _forest_totals(order, near, weights)
    return _bitset_totals(order, near, position, weights)


def _near(task: Any, position: Mapping[str, int], reverse: bool) -> list[str]:
    ids: Iterable[str] = task.downstream_task_ids if reverse else task.upstream_task_ids
    return [task_id for task_id in ids if task_id in position]


def _is_forest(near: Mapping[str, list[str]]) -> bool:
    return all(len(ids) <= 1 for ids in near.values())


def _forest_totals(order: Sequence[Any], near: Mapping[str, list[str]], weights: Sequence[int]) -> dict[str, int]:
    totals: dict[str, int] = {}
    for task, weight in zip(order, weights, strict=True):
        totals[task.task_id] = weight + sum(totals[task_id] for task_id in near[task.task_id])
    return totals


def _bitset_totals(
    order: Sequence[Any], near: Mapping[str, list[str]], position: Mapping[str, int], weights: Sequence[int]
) -> dict[str, int]:
    uniform = weights[0] if len(set(weights)) == 1 else None
    reached: dict[str, int] = {}
    totals: dict[str, int] = {}
    for index, task in enumerate(order):
        bits = 0
        for task_id in near[task.task_id]:
            bits |= reached[task_id] | 1 << position[task_id]
        reached[task.task_id] = bits
        others = bits.bit_count() * uniform if uniform is not None else _sum_bits(bits, weights)
        totals[task.task_id] = weights[index] + others
    return totals


def _sum_bits(bits: int, weights: Sequence[int]) -> int:
    total = 0
    for index, byte in enumerate(bits.to_bytes((bits.bit_length() + 7) // 8, "little")):
        while byte:
            low = byte & -byte
            total += weights[index * 8 + low.bit_length() - 1]
            byte ^= low
    return total
