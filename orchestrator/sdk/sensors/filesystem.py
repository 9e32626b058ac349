"""Decides how a file or folder is waited for."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Collection
from functools import cached_property
from glob import glob
from typing import Any

from orchestrator.sdk.configuration_defaults import default
from orchestrator.sdk.exceptions import AirflowException
from orchestrator.sdk.sensors.base import BaseSensorOperator
from orchestrator.sdk.triggers.base import StartTriggerArgs

_TRIGGER = "airflow.providers.standard.triggers.file.FileTrigger"


class FileSensor(BaseSensorOperator):
    """Waits for ``filepath`` (a pattern, below the path of the connection): a file, or a folder with files in it."""

    template_fields: Collection[str] = ("filepath", "fs_conn_id")
    ui_color = "#91818a"
    start_trigger_args = StartTriggerArgs(trigger_cls=_TRIGGER, next_method="execute_complete", trigger_kwargs={})
    start_from_trigger = False

    def __init__(
        self,
        *,
        filepath: str,
        fs_conn_id: str = "fs_default",
        recursive: bool = False,
        deferrable: bool | None = None,
        start_from_trigger: bool = False,
        trigger_kwargs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.filepath, self.fs_conn_id, self.recursive = filepath, fs_conn_id, recursive
        self.deferrable = bool(default("operators", "default_deferrable", False)) if deferrable is None else deferrable
        self.start_from_trigger = start_from_trigger
        if deferrable and start_from_trigger:
            arguments = {"filepath": self.path, "recursive": recursive, "poke_interval": self.poke_interval}
            timeout = dt.timedelta(seconds=self.timeout)
            self.start_trigger_args = StartTriggerArgs(_TRIGGER, "execute_complete", arguments, timeout=timeout)

    @cached_property
    def path(self) -> str:
        """Return the pattern with the path of the connection in front."""
        from orchestrator.sdk.hooks.filesystem import FSHook

        return os.path.join(FSHook(self.fs_conn_id).get_path(), self.filepath)

    def poke(self, context: Any) -> bool:
        """Return whether there is such a file, or a folder that is not empty."""
        self.log.info("Poking for file %s", self.path)
        for path in glob(self.path, recursive=self.recursive):
            if os.path.isfile(path):
                return True
            if any(files for _, _, files in os.walk(path)):
                return True
        return False

    def execute(self, context: Any) -> None:
        """Poke, or hand the wait to the triggerer."""
        if not self.deferrable:
            super().execute(context)
            return
        if self.poke(context):
            return
        from orchestrator.sdk.triggers.file import FileTrigger

        trigger = FileTrigger(filepath=self.path, recursive=self.recursive, poke_interval=self.poke_interval)
        timeout = dt.timedelta(seconds=self.timeout)
        self.defer(trigger=trigger, timeout=timeout, method_name="execute_complete")

    def execute_complete(self, context: Any, event: bool | None = None) -> None:
        """End; raises ``AirflowException`` if the trigger found nothing."""
        if not event:
            raise AirflowException(f"{self.task_id} task failed as {self.filepath} not found.")
