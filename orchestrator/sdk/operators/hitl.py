"""Decides how a task asks people: the question, the answers they may give, and what an answer means."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Any, NoReturn

from orchestrator.sdk.definitions.operator import BaseOperator
from orchestrator.sdk.definitions.param import ParamsDict
from orchestrator.sdk.definitions.skipmixin import BranchMixIn, SkipMixin
from orchestrator.sdk.exceptions import AirflowOptionalProviderFeatureException


class HITLOperator(BaseOperator):
    """Waits until a person has chosen from ``options`` (and filled ``params``)."""

    template_fields: Collection[str] = ("subject", "body")

    def __init__(
        self,
        *,
        subject: str,
        options: list[str],
        body: str | None = None,
        defaults: str | list[str] | None = None,
        multiple: bool = False,
        params: Any = None,
        notifiers: Any = None,
        assigned_users: Any = None,
        response_timeout: timedelta | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.subject, self.body, self.options, self.multiple = subject, body, options, multiple
        self.defaults = [defaults] if isinstance(defaults, str) else defaults
        self.params = params if isinstance(params, ParamsDict) else ParamsDict(params or {})
        self.notifiers = notifiers if isinstance(notifiers, list | tuple) else [notifiers] if notifiers else []
        self.assigned_users = assigned_users if isinstance(assigned_users, list) else [assigned_users] if assigned_users else None
        self.response_timeout = response_timeout
        self._check_definition()

    def _check_definition(self) -> None:
        if not self.options:
            raise ValueError(f'"options" of task {self.task_id!r} cannot be empty.')
        if any("," in option for option in self.options):
            raise ValueError(f'"," is not allowed in an option of task {self.task_id!r}')
        if "_options" in self.params:
            raise ValueError(f'"_options" is not allowed in the params of task {self.task_id!r}')
        unknown = set(self.defaults or ()) - set(self.options)
        if unknown:
            raise ValueError(f"defaults {sorted(unknown)} of task {self.task_id!r} are not among {self.options}")
        if self.defaults and len(self.defaults) > 1 and not self.multiple:
            raise ValueError(f"More than one default given for task {self.task_id!r} although multiple is False.")

    def execute(self, context: Any) -> NoReturn:
        """Refuse: asking people needs a server that takes questions."""
        raise AirflowOptionalProviderFeatureException(
            f"Task {self.task_id!r} asks people for an answer, which this server cannot do. Use a branch or a param instead."
        )


class ApprovalOperator(HITLOperator, SkipMixin):
    """Asks for approval; a rejection skips what comes after, or fails with ``fail_on_reject``."""

    APPROVE = "Approve"
    REJECT = "Reject"
    FIXED_ARGS = ("options", "multiple")

    def __init__(self, *, ignore_downstream_trigger_rules: bool = False, fail_on_reject: bool = False, **kwargs: Any) -> None:
        for name in self.FIXED_ARGS:
            if name in kwargs:
                raise ValueError(f"Passing {name} to ApprovalOperator is not allowed.")
        super().__init__(options=[self.APPROVE, self.REJECT], multiple=False, **kwargs)
        self.ignore_downstream_trigger_rules, self.fail_on_reject = ignore_downstream_trigger_rules, fail_on_reject


class HITLBranchOperator(HITLOperator, BranchMixIn):
    """Follows the tasks that a person chooses; ``options_mapping`` maps an option to a task id."""

    def __init__(self, *, options_mapping: dict[str, str] | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.options_mapping = options_mapping or {}
        unknown = set(self.options_mapping) - set(self.options)
        if unknown:
            raise ValueError(f"options_mapping of task {self.task_id!r} has keys that are not in options: {sorted(unknown)}")


class HITLEntryOperator(HITLOperator):
    """Asks a person to fill in params."""

    OK = "OK"

    def __init__(self, **kwargs: Any) -> None:
        if "options" not in kwargs:
            kwargs["options"] = [self.OK]
            kwargs.setdefault("defaults", [self.OK])
        super().__init__(**kwargs)
