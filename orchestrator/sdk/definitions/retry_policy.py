"""Decides, from the error of a task, whether and when it is tried again; runs in the task's process only."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from importlib import import_module
from typing import Any, Self

log = logging.getLogger(__name__)

ExceptionSpec = type[BaseException] | str


class RetryAction(Enum):
    """What a policy says. ``RETRY`` is bound by the task's ``retries``: a policy can end a task early, not prolong it."""

    RETRY = "retry"
    FAIL = "fail"
    DEFAULT = "default"


@dataclass(frozen=True)
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
        """Return the decision to try again, after ``delay`` instead of the task's own."""
        return cls(RetryAction.RETRY, retry_delay=delay, reason=reason)


class RetryPolicy(ABC):
    """Base of policies: a subclass gives ``evaluate``, which a worker calls with the error itself."""

    @abstractmethod
    def evaluate(self, exception: BaseException, try_number: int, max_tries: int, context: Any = None) -> RetryDecision:
        """Return what is done after this error; never asked about ``AirflowFailException`` and ``AirflowSensorTimeout``.

        Args:
            exception: what ended the try.
            try_number: number of the failed try, from 1.
            max_tries: the last try that the task may have is the one after this number.
            context: the task's context.
        """

    def serialize(self) -> dict[str, Any]:
        """Return the policy as JSON types. Raises ``NotImplementedError`` where a subclass has no such form."""
        raise NotImplementedError(f"{type(self).__name__} defines no serialize()")

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> RetryPolicy:
        """Build the policy from what ``serialize`` returned."""
        raise NotImplementedError(f"{cls.__name__} defines no deserialize()")


@dataclass
class RetryRule:
    """What to do when one of some exceptions is raised.

    Args:
        exception: a class, its dotted import path, or a list of these.
        action: what is done.
        retry_delay: time until the next try, instead of the task's own.
        reason: said in the log and kept with the attempt.
        match_subclasses: False for exactly these classes.

    Raises ``ValueError`` for a path without a dot.
    """

    exception: ExceptionSpec | list[ExceptionSpec]
    action: RetryAction = RetryAction.RETRY
    retry_delay: timedelta | None = None
    reason: str | None = None
    match_subclasses: bool = True

    def __post_init__(self) -> None:
        for spec in self._specs:
            if isinstance(spec, str) and (not spec or "." not in spec):
                raise ValueError(
                    f"exception {spec!r} of a RetryRule must be a dotted import path such as 'builtins.ValueError', or a class"
                )

    @property
    def _specs(self) -> list[ExceptionSpec]:
        return self.exception if isinstance(self.exception, list) else [self.exception]

    @property
    def _paths(self) -> list[str]:
        return [spec if isinstance(spec, str) else f"{spec.__module__}.{spec.__qualname__}" for spec in self._specs]

    @property
    def exception_path(self) -> str:
        """The import paths, joined by commas."""
        return ",".join(self._paths)

    def matches(self, exc: BaseException) -> bool:
        """Return whether the rule is about this error; a class that cannot be imported here matches nothing."""
        kinds = [kind for kind in map(_class_of, self._specs) if kind is not None]
        return isinstance(exc, tuple(kinds)) if self.match_subclasses else type(exc) in kinds

    def serialize(self) -> dict[str, Any]:
        """Return all parts that are given; the delay in seconds."""
        paths = self._paths
        parts = {
            "exception": paths if len(paths) > 1 else paths[0],
            "action": self.action.value,
            "match_subclasses": self.match_subclasses,
            "retry_delay": None if self.retry_delay is None else self.retry_delay.total_seconds(),
            "reason": self.reason,
        }
        return {name: value for name, value in parts.items() if value is not None}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> Self:
        """Read what ``serialize`` wrote."""
        seconds = data.get("retry_delay")
        return cls(
            exception=data["exception"],
            action=RetryAction(data["action"]),
            retry_delay=None if seconds is None else timedelta(seconds=seconds),
            reason=data.get("reason"),
            match_subclasses=data.get("match_subclasses", True),
        )


def _class_of(spec: ExceptionSpec) -> type[BaseException] | None:
    if isinstance(spec, type):
        return spec
    module, _, name = spec.rpartition(".")
    try:
        found = getattr(import_module(module), name)
    except (ImportError, AttributeError):
        log.warning("the exception class %r of a RetryRule cannot be imported here; it matches nothing", spec)
        return None
    return found if isinstance(found, type) else None


class ExceptionRetryPolicy(RetryPolicy):
    """The first rule that matches the error decides.

    Args:
        rules: looked at in order.
        default: what is done where none matches.
    """

    def __init__(self, rules: list[RetryRule], default: RetryAction = RetryAction.DEFAULT) -> None:
        self.rules, self.default = rules, default

    def evaluate(self, exception: BaseException, try_number: int, max_tries: int, context: Any = None) -> RetryDecision:
        """Return what the first matching rule says."""
        for rule in self.rules:
            if rule.matches(exception):
                return RetryDecision(rule.action, rule.retry_delay, rule.reason or f"Matched rule for {type(exception).__name__}")
        return RetryDecision(self.default)

    def serialize(self) -> dict[str, Any]:
        """Return rules and default."""
        rules = [rule.serialize() for rule in self.rules]
        return {"__type": "ExceptionRetryPolicy", "rules": rules, "default": self.default.value}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> Self:
        """Read what ``serialize`` wrote."""
        return cls([RetryRule.deserialize(rule) for rule in data["rules"]], RetryAction(data.get("default", "default")))
