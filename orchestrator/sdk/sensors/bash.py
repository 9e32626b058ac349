"""Decides how a shell command is waited for."""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection
from typing import Any

from orchestrator.sdk.exceptions import AirflowFailException
from orchestrator.sdk.hooks.subprocess import SubprocessHook
from orchestrator.sdk.sensors.base import BaseSensorOperator


class BashSensor(BaseSensorOperator):
    """Waits until ``bash_command`` ends with 0.

    With ``retry_exit_code`` only that code means "not yet"; any other fails the sensor.
    """

    template_fields: Collection[str] = ("bash_command", "env")

    def __init__(
        self,
        *,
        bash_command: str,
        env: dict[str, str] | None = None,
        output_encoding: str = "utf-8",
        retry_exit_code: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.bash_command, self.env, self.output_encoding = bash_command, env, output_encoding
        self.retry_exit_code = retry_exit_code
        self._hook: SubprocessHook | None = None

    def poke(self, context: Any) -> bool:
        """Run the command once."""
        self._hook = SubprocessHook()
        env = dict(os.environ) if self.env is None else self.env
        command = [shutil.which("bash") or "bash", "-c", self.bash_command]
        code = self._hook.run_command(command, env=env, output_encoding=self.output_encoding).exit_code
        if code and self.retry_exit_code is not None and code != self.retry_exit_code:
            raise AirflowFailException(f"Command exited with {code}; only {self.retry_exit_code} means that the wait goes on")
        return code == 0

    def on_kill(self) -> None:
        """End the command."""
        if self._hook is not None:
            self._hook.send_sigterm()
