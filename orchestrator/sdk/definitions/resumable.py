"""Decides how an operator finds the job that an earlier try has started, and goes on waiting for it."""

from __future__ import annotations

from typing import Any


class ResumableJobMixin:
    """Mixin: submit a job once, remember its id in the task state store, and wait for it again after a restart."""

    external_id_key = "remote_job_id"

    def __init__(self, *, durable: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.durable = durable

    def submit_job(self, context: Any) -> Any:
        """Start the job and return its id."""
        raise NotImplementedError

    def get_job_status(self, external_id: Any, context: Any) -> str:
        """Return the state of the job."""
        raise NotImplementedError

    def is_job_active(self, status: str) -> bool:
        """Return whether a job in this state goes on."""
        raise NotImplementedError

    def is_job_succeeded(self, status: str) -> bool:
        """Return whether a job in this state has succeeded."""
        raise NotImplementedError

    def poll_until_complete(self, external_id: Any, context: Any) -> None:
        """Wait until the job is over; raise if it failed."""
        raise NotImplementedError

    def get_job_result(self, external_id: Any, context: Any) -> Any:
        """Return the result of a job that succeeded."""

    def execute_resumable(self, context: Any) -> Any:
        """Go on with the job of an earlier try if it is active or done; else start a new one."""
        store = context.get("task_state_store") if self.durable else None
        known = store.get(self.external_id_key) if store is not None else None
        if known is not None:
            status = self.get_job_status(known, context)
            if self.is_job_succeeded(status):
                return self.get_job_result(known, context)
            if self.is_job_active(status):
                self.poll_until_complete(known, context)
                return self.get_job_result(known, context)
        external_id = self.submit_job(context)
        if store is not None:
            store.set(self.external_id_key, external_id)
        self.poll_until_complete(external_id, context)
        return self.get_job_result(external_id, context)
