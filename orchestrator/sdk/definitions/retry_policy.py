"""Decides, from the error of a task, whether and when it is tried again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import Any


class RetryAction(Enum):
    """What a policy says."""

    RETRY = "retry"
    FAIL = "fail"
    DEFAULT = "default"


@dataclass
class RetryDecision:
    """What is done with a failed try; ``DEFAULT`` leaves it to ``retries`` and ``retry_delay``."""

    action: RetryAction = RetryAction.DEFAULT
    retry_delay: timedelta | None = None
    reason: str | None = None

    @classmethod
    def default(cls) -> RetryDecision:
        """Return the decision that changes nothing."""
        return cls()

    @classmethod
    def fail(cls, reason: str | None = None) -> RetryDecision:
        """Return the decision to fail at once."""
        return cls(RetryAction.FAIL, reason=reason)

    @classmethod
    def retry(cls, delay: timedelta | None = None, reason: str | None = None) -> RetryDecision:
        """Return the decision to try again."""
        return cls(RetryAction.RETRY, retry_delay=delay, reason=reason)


class RetryPolicy:
    """Base of policies: a subclass gives ``evaluate``."""

    def evaluate(self, exception: BaseException, try_number: int, max_tries: int, context: Any = None) -> RetryDecision:
        """Return what is done after this error."""
        raise NotImplementedError(f"{type(self).__name__} must define evaluate()")

    def serialize(self) -> dict[str, Any]:
        """Return the policy as JSON types."""
        return {"type": f"{type(self).__module__}.{type(self).__qualname__}"}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> RetryPolicy:
        """Build the policy."""
        return cls()


@dataclass
class RetryRule:
    """One or more exceptions (classes or import paths), and what to do when one is raised."""

    exception: Any
    action: RetryAction = RetryAction.RETRY
    retry_delay: timedelta | None = None
    reason: str | None = None
    match_subclasses: bool = True

    @property
    def _specs(self) -> list[Any]:
        return list(self.exception) if isinstance(self.exception, list | tuple) else [self.exception]

    def matches(self, exc: BaseException) -> bool:
        """Return whether the rule is about this error."""
        kinds = type(exc).__mro__ if self.match_subclasses else (type(exc),)
        names = {f"{kind.__module__}.{kind.__qualname__}" for kind in kinds} | {
            kind.__qualname__ for kind in kinds if kind.__module__ == "builtins"
        }
        return any(spec in kinds if isinstance(spec, type) else spec in names for spec in self._specs)

    def serialize(self) -> dict[str, Any]:
        """Return all parts; the delay in seconds."""
        paths = [spec if isinstance(spec, str) else f"{spec.__module__}.{spec.__qualname__}" for spec in self._specs]
        return {
            "exception": paths,
            "action": self.action.value,
            "retry_delay": None if self.retry_delay is None else self.retry_delay.total_seconds(),
            "reason": self.reason,
            "match_subclasses": self.match_subclasses,
        }


class ExceptionRetryPolicy(RetryPolicy):
    """The first rule that matches the error decides."""

    def __init__(self, rules: list[RetryRule], default: RetryAction = RetryAction.DEFAULT) -> None:
        self.rules, self.default = rules, default

    def evaluate(self, exception: BaseException, try_number: int, max_tries: int, context: Any = None) -> RetryDecision:
        """Return what the first matching rule says."""
        for rule in self.rules:
            if rule.matches(exception):
                return RetryDecision(rule.action, rule.retry_delay, rule.reason)
        return RetryDecision(self.default)

    def serialize(self) -> dict[str, Any]:
        """Return rules and default."""
        return {**super().serialize(), "rules": [rule.serialize() for rule in self.rules], "default": self.default.value}
