"""Decides what a rule on the cause of a failure looks like: from a DAG's ``retry_rules=`` or from configuration (C25-c)."""

from __future__ import annotations

from typing import Any

ACTIONS = ("retry", "fail", "skip")
_PARTS = {"cause": str, "exit_code": int, "action": str, "queue": str, "delay": (int, float)}


def cause_rules(value: Any, where: str) -> list[dict[str, Any]]:
    """Return the rules, checked; the first that fits a failure decides.

    Args:
        value: a list of objects with ``action`` (retry, fail, skip), ``cause`` and/or ``exit_code`` to look for, and for
            retries ``queue`` (where the next try runs) and ``delay`` in seconds. None is no rule.
        where: who gave them, for the error.

    Raises ``ValueError`` naming the rule and the part that is wrong.
    """
    if value is None:
        return []
    if not isinstance(value, list | tuple):
        raise ValueError(f"{where} must be a list of rules, not {value!r}")
    return [_rule(rule, f"{where}, rule {number}") for number, rule in enumerate(value, start=1)]


def _rule(rule: Any, where: str) -> dict[str, Any]:
    if not isinstance(rule, dict):
        raise ValueError(f"{where}: {rule!r} is no object with 'cause' and 'action'")
    for name, part in rule.items():
        if name not in _PARTS:
            raise ValueError(f"{where}: unknown part {name!r}; use {', '.join(_PARTS)}")
        if not isinstance(part, _PARTS[name]) or isinstance(part, bool):  # type: ignore[arg-type]
            raise ValueError(f"{where}: {name} cannot be {part!r}")
    if rule.get("action") not in ACTIONS:
        raise ValueError(f"{where}: action must be one of {', '.join(ACTIONS)}, not {rule.get('action')!r}")
    if "cause" not in rule and "exit_code" not in rule:
        raise ValueError(f"{where}: say which failures are meant, by 'cause' or 'exit_code'")
    if rule["action"] != "retry" and ("queue" in rule or "delay" in rule):
        raise ValueError(f"{where}: 'queue' and 'delay' belong to the action 'retry'")
    return dict(rule)
