"""Decides how a task asks people: the question, the answers they may give, and what an answer means."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any, NoReturn

from orchestrator.sdk.definitions.operator import BaseOperator
from orchestrator.sdk.definitions.param import ParamsDict
from orchestrator.sdk.definitions.skipmixin import BranchMixIn, SkipMixin
from orchestrator.sdk.exceptions import TaskAwaitingInput
from orchestrator.sdk.standard_exceptions import HITLRejectException, HITLTimeoutError, HITLTriggerEventError


class HITLOperator(BaseOperator):
    """Waits until a person has chosen from ``options`` (and filled ``params``).

    The wait needs no worker and no triggerer: the task is ``awaiting_input``. After ``response_timeout`` the ``defaults`` are
    the answer; without defaults the task fails with ``HITLTimeoutError``. Only ``assigned_users`` (dicts with id and name)
    may answer, where given. ``notifiers`` are called with the context when the question is asked.
    """

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
        self.response_timeout = response_timeout
        self._use_execution_timeout()
        self.subject, self.body, self.options, self.multiple = subject, body, options, multiple
        self.defaults = [defaults] if isinstance(defaults, str) else defaults
        self.params = params if isinstance(params, ParamsDict) else ParamsDict(params or {})
        self.params._fill_missing_param_source("task")
        self.params = ParamsDict.filter_params_by_source(self.params, source="task")
        self.notifiers = list(notifiers) if isinstance(notifiers, list | tuple) else [notifiers] if notifiers else []
        self.assigned_users: Any = [assigned_users] if isinstance(assigned_users, dict) else assigned_users
        self.hitl_summary_extra: dict[str, Any] = {}
        self.validate_options()
        self.validate_params()
        self.validate_defaults()

    def _use_execution_timeout(self) -> None:
        if not self.execution_timeout or self.response_timeout:
            return
        warnings.warn(
            f"Task {self.task_id!r}: use response_timeout to limit the wait for a person. "
            "execution_timeout limits the code of the task; here it is taken for response_timeout.",
            DeprecationWarning,
            stacklevel=4,
        )
        self.response_timeout, self.execution_timeout = self.execution_timeout, None

    def validate_options(self) -> None:
        """Raise ``ValueError`` where there is nothing to choose from."""
        if not self.options:
            raise ValueError(f'"options" cannot be empty (task {self.task_id!r})')

    def validate_params(self) -> None:
        """Raise ``ValueError`` for a param whose name the form uses itself. Values come from people, later."""
        if "_options" in self.params:
            raise ValueError(f'"_options" is not allowed in params (task {self.task_id!r})')

    def validate_defaults(self) -> None:
        """Raise ``ValueError`` for defaults that nobody could choose."""
        if self.defaults is None:
            return
        if not set(self.defaults) <= set(self.options):
            raise ValueError(f'defaults "{self.defaults}" should be a subset of options "{self.options}" (task {self.task_id!r})')
        if not self.multiple and len(self.defaults) > 1:
            raise ValueError(f'More than one defaults given when "multiple" is set to False (task {self.task_id!r})')

    @property
    def serialized_params(self) -> dict[str, dict[str, Any]]:
        """Return the params of the form as JSON types."""
        return {name: self.params.get_param(name).serialize() for name in self.params}

    @property
    def hitl_summary(self) -> dict[str, Any]:
        """Return what is known of question and answer, for listeners; a new dict each time."""
        names = ("subject", "body", "options", "defaults", "multiple", "assigned_users")
        question = {name: getattr(self, name) for name in names}
        return {**question, "serialized_params": self.serialized_params or None, **self.hitl_summary_extra}

    def execute(self, context: Any) -> NoReturn:
        """Ask, tell the notifiers, and let go of the worker until there is an answer."""
        from orchestrator.sdk.execution.hitl import upsert_hitl_detail
        from orchestrator.sdk.timezone import utcnow

        upsert_hitl_detail(
            ti_id=context["ti"].id,
            options=self.options,
            subject=self.subject,
            body=self.body,
            defaults=self.defaults,
            multiple=self.multiple,
            params=self.serialized_params,
            assigned_users=self.assigned_users,
        )
        until = utcnow() + self.response_timeout if self.response_timeout else None
        self.hitl_summary_extra["timeout_datetime"] = until.isoformat() if until else None
        self.log.info("Waiting for response")
        for notifier in self.notifiers:
            notifier(context)
        raise TaskAwaitingInput(method_name="execute_complete", timeout=self.response_timeout)

    def execute_complete(self, context: Any, event: dict[str, Any]) -> Any:
        """Go on with the answer; returns it. Raises ``HITLTimeoutError`` where nobody answered in time."""
        if "error" in event:
            self.hitl_summary_extra["error_type"] = event["error_type"]
            self.process_trigger_event_error(event)
        chosen, given = event["chosen_options"], event["params_input"] or {}
        self.validate_chosen_options(chosen)
        self.validate_params_input(given)
        answer = {"chosen_options": chosen, "params_input": given, "responded_by_user": event["responded_by_user"]}
        self.hitl_summary_extra |= {**answer, "responded_at": event["responded_at"].isoformat()}
        return {**answer, "responded_at": event["responded_at"]}

    def process_trigger_event_error(self, event: dict[str, Any]) -> NoReturn:
        """Raise the error that the event tells of."""
        raise (HITLTimeoutError if event["error_type"] == "timeout" else HITLTriggerEventError)(event)

    def validate_chosen_options(self, chosen_options: list[str]) -> None:
        """Raise ``ValueError`` for an answer that is no option."""
        if unknown := set(chosen_options) - set(self.options):
            raise ValueError(f"Responses {unknown} not in {self.options}")

    def validate_params_input(self, params_input: Mapping[str, Any]) -> None:
        """Take the values of the form; raises ``ValueError`` or ``ParamValidationError`` for wrong ones."""
        if self.params and params_input and set(self.params) != set(params_input):
            raise ValueError(f"params_input {dict(params_input)} does not match params {self.params}")
        for name, value in params_input.items():
            self.params[name] = value

    def generate_link_to_ui(
        self,
        *,
        task_instance: Any,
        base_url: str | None = None,
        options: str | list[str] | None = None,
        params_input: dict[str, Any] | None = None,
    ) -> str:
        """Return the address of the page where people answer, with an answer filled in where given.

        Raises ``ValueError`` for options or params that the question does not have, and without an address of the server.
        """
        from urllib.parse import urlencode, urlsplit

        from orchestrator.sdk.configuration import conf

        chosen = [options] if isinstance(options, str) else options or []
        _refuse_unknown("options", chosen, self.options)
        _refuse_unknown("params", params_input or {}, self.params)
        base = base_url or conf.get("api", "base_url", fallback=None)
        if not base:
            raise ValueError("Not able to retrieve base_url: give base_url, or set [api] base_url")
        ti, place = task_instance, urlsplit(base)
        query = {"_options": chosen} if chosen else {}
        text = urlencode({**query, **(params_input or {}), "map_index": ti.map_index})
        path = f"/dags/{ti.dag_id}/runs/{ti.run_id}/tasks/{ti.task_id}/required_actions"
        return f"{place.scheme}://{place.netloc}{path}?{text}"

    @staticmethod
    def generate_link_to_ui_from_context(
        *,
        context: Any,
        base_url: str | None = None,
        options: list[str] | None = None,
        params_input: dict[str, Any] | None = None,
    ) -> str:
        """Return ``generate_link_to_ui`` for the task of a context; raises ``ValueError`` for a task that asks nobody."""
        task = context["task"]
        if not isinstance(task, HITLOperator):
            raise ValueError("This method only supports HITLOperator")
        return task.generate_link_to_ui(
            task_instance=context["task_instance"], base_url=base_url, options=options, params_input=params_input
        )


def _refuse_unknown(what: str, given: Collection[str], known: Collection[str]) -> None:
    if unknown := set(given) - set(known):
        raise ValueError(f"{what} {unknown} are not valid {what}")


class ApprovalOperator(HITLOperator, SkipMixin):
    """Asks for approval; a rejection skips what comes after, or fails the task with ``fail_on_reject``.

    ``ignore_downstream_trigger_rules`` skips everything downstream, not only the next tasks.
    """

    APPROVE = "Approve"
    REJECT = "Reject"
    FIXED_ARGS = ("options", "multiple")

    def __init__(self, *, ignore_downstream_trigger_rules: bool = False, fail_on_reject: bool = False, **kwargs: Any) -> None:
        for name in self.FIXED_ARGS:
            if name in kwargs:
                raise ValueError(f"Passing {name} to ApprovalOperator is not allowed.")
        self.ignore_downstream_trigger_rules, self.fail_on_reject = ignore_downstream_trigger_rules, fail_on_reject
        super().__init__(options=[self.APPROVE, self.REJECT], multiple=False, **kwargs)
        self.hitl_summary_extra["ignore_downstream_trigger_rules"] = ignore_downstream_trigger_rules
        self.hitl_summary_extra["fail_on_reject"] = fail_on_reject

    def execute_complete(self, context: Any, event: dict[str, Any]) -> Any:
        """Go on after an approval; skip or fail after a rejection."""
        answer = super().execute_complete(context=context, event=event)
        approved = answer["chosen_options"][0] == self.APPROVE
        self.hitl_summary_extra["approved"] = approved
        if approved:
            self.log.info("Approved. Proceeding with downstream tasks...")
            return answer
        if self.fail_on_reject:
            raise HITLRejectException('Receive "Reject"')
        if not self.downstream_task_ids:
            self.log.info("No downstream tasks; nothing to do.")
            return answer
        self.log.info("Skipping downstream tasks")
        task = context["task"]
        find = task.get_flat_relatives if self.ignore_downstream_trigger_rules else task.get_direct_relatives
        self.skip(ti=context["ti"], tasks=[t for t in find(upstream=False) if not t.is_teardown])
        return answer


class HITLBranchOperator(HITLOperator, BranchMixIn):
    """Follows the tasks that a person chooses; ``options_mapping`` maps an option to a task id."""

    def __init__(self, *, options_mapping: dict[str, str] | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.options_mapping = options_mapping or {}
        self.validate_options_mapping()
        self.hitl_summary_extra["options_mapping"] = self.options_mapping

    def validate_options_mapping(self) -> None:
        """Raise ``ValueError`` for keys that are no options and for values that are no task ids."""
        if unknown := sorted(set(self.options_mapping) - set(self.options)):
            raise ValueError(f"`options_mapping` contains keys that are not in `options`: {unknown} (task {self.task_id!r})")
        if wrong := {key: (value, type(value).__name__) for key, value in self.options_mapping.items() if type(value) is not str}:
            raise ValueError(f"`options_mapping` values must be strings (task_ids). Invalid entries: {wrong}")

    def execute_complete(self, context: Any, event: dict[str, Any]) -> Any:
        """Follow the chosen branches."""
        answer = super().execute_complete(context=context, event=event)
        branches = [self.options_mapping.get(option, option) for option in answer["chosen_options"]]
        self.hitl_summary_extra["branches_to_execute"] = branches
        return self.do_branch(context, branches)


class HITLEntryOperator(HITLOperator):
    """Asks a person to fill in params."""

    OK = "OK"

    def __init__(self, **kwargs: Any) -> None:
        if "options" not in kwargs:
            kwargs["options"] = [self.OK]
            kwargs.setdefault("defaults", [self.OK])
        super().__init__(**kwargs)
