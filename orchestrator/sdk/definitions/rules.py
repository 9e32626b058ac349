"""Decides the words for trigger rules and for weight rules, and how a weight rule is read."""

from __future__ import annotations

from enum import StrEnum
from typing import Any


class TriggerRule(StrEnum):
    """When a task may run, seen from the states of its upstream tasks."""

    ALL_SUCCESS = "all_success"
    ALL_FAILED = "all_failed"
    ALL_DONE = "all_done"
    ALL_DONE_MIN_ONE_SUCCESS = "all_done_min_one_success"
    ALL_DONE_SETUP_SUCCESS = "all_done_setup_success"
    ONE_SUCCESS = "one_success"
    ONE_FAILED = "one_failed"
    ONE_DONE = "one_done"
    NONE_FAILED = "none_failed"
    NONE_SKIPPED = "none_skipped"
    ALWAYS = "always"
    NONE_FAILED_MIN_ONE_SUCCESS = "none_failed_min_one_success"
    ALL_SKIPPED = "all_skipped"

    @classmethod
    def is_valid(cls, trigger_rule: str) -> bool:
        """Return whether there is such a rule."""
        return trigger_rule in cls.all_triggers()

    @classmethod
    def all_triggers(cls) -> set[str]:
        """Return all rules."""
        return set(cls)


class WeightRule(StrEnum):
    """How the weight of a task follows from its neighbours."""

    DOWNSTREAM = "downstream"
    UPSTREAM = "upstream"
    ABSOLUTE = "absolute"

    @classmethod
    def is_valid(cls, weight_rule: str) -> bool:
        """Return whether there is such a rule."""
        return weight_rule in cls.all_weight_rules()

    @classmethod
    def all_weight_rules(cls) -> set[str]:
        """Return all rules."""
        return set(cls)


class PriorityWeightStrategy:
    """Base of an author's own weight rule; ``get_weight`` returns the effective weight of a task instance."""

    def get_weight(self, ti: Any) -> int:
        """Return the weight of one task instance."""
        raise NotImplementedError(f"{type(self).__qualname__} must define get_weight(ti) -> int")

    def serialize(self) -> dict[str, Any]:
        """Return what ``deserialize`` needs, as JSON types."""
        return {}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> PriorityWeightStrategy:
        """Build the strategy from what ``serialize`` returned."""
        return cls(**data)


def read_weight_rule(rule: Any, task_id: str) -> Any:
    """Return the rule of a task from a word, an enum, a strategy or its class; raises ``ValueError`` for anything else."""
    if isinstance(rule, PriorityWeightStrategy):
        return rule
    if isinstance(rule, type) and issubclass(rule, PriorityWeightStrategy):
        return rule()
    from orchestrator.sdk.definitions import shown_words  # late: they are made of the words of this module

    word = getattr(rule, "value", rule) or "absolute"
    if isinstance(word, str) and "." in word:
        return _strategy_at(word, task_id)
    if word not in WeightRule.all_weight_rules():
        known = ", ".join(sorted(WeightRule.all_weight_rules()))
        raise ValueError(f"weight_rule of task {task_id!r} is {rule!r}; it must be one of {known} or a PriorityWeightStrategy")
    return shown_words.WeightRule(word)


def _strategy_at(path: str, task_id: str) -> PriorityWeightStrategy:
    import importlib

    module, _, name = path.rpartition(".")
    try:
        found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise ValueError(f"weight_rule of task {task_id!r} is {path!r}, which cannot be imported: {error}") from error
    strategy: PriorityWeightStrategy = read_weight_rule(found, task_id)
    return strategy
