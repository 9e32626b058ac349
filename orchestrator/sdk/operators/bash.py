"""Decides how a shell command runs as a task: its environment, its exit code, and the last line as result."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Collection, Container, Sequence
from functools import cached_property
from typing import Any

from orchestrator.sdk.definitions.context import context_to_airflow_vars
from orchestrator.sdk.definitions.operator import BaseOperator
from orchestrator.sdk.exceptions import AirflowException, AirflowSkipException
from orchestrator.sdk.hooks.subprocess import SubprocessHook, SubprocessResult


class BashOperator(BaseOperator):
    """Runs ``bash_command``: a command, or a template file that ends in .sh or .bash.

    ``skip_on_exit_code`` (default 99) ends the task as skipped, every other code but 0 as failed.
    """

    template_fields: Collection[str] = ("bash_command", "env", "cwd")
    template_fields_renderers = {"bash_command": "bash", "env": "json"}
    template_ext: Sequence[str] = (".sh", ".bash")
    ui_color = "#f0ede4"

    def __init__(
        self,
        *,
        bash_command: str,
        env: dict[str, str] | None = None,
        append_env: bool = False,
        output_encoding: str = "utf-8",
        skip_on_exit_code: int | Container[int] | None = 99,
        cwd: str | None = None,
        output_processor: Callable[[str], Any] = lambda result: result,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.bash_command, self.env, self.append_env = bash_command, env, append_env
        self.output_encoding, self.cwd, self.output_processor = output_encoding, cwd, output_processor
        self.skip_on_exit_code = _codes(skip_on_exit_code)
        self._unrendered = bash_command

    @cached_property
    def subprocess_hook(self) -> SubprocessHook:
        """Return the runner of the command."""
        return SubprocessHook()

    def get_env(self, context: Any) -> dict[str, str]:
        """Return the command's environment: the worker's, the author's on top or instead, and facts about the run."""
        env = dict(self.env or {})
        base = dict(os.environ) if self.env is None or self.append_env else {}
        return {**base, **env, **context_to_airflow_vars(context, in_env_var_format=True)}

    def execute(self, context: Any) -> Any:
        """Run the command; returns the processed last line of its output.

        Raises ``AirflowException`` for a missing folder or a failed command, ``AirflowSkipException`` for a skip code.
        """
        bash_path = shutil.which("bash") or "bash"
        if self.cwd is not None:
            if not os.path.exists(self.cwd):
                raise AirflowException(f"Can not find the cwd: {self.cwd}")
            if not os.path.isdir(self.cwd):
                raise AirflowException(f"The cwd {self.cwd} must be a directory")
        env = self.get_env(context)
        if self._is_inline_command():
            result = self._run_inline_command(bash_path, env)
        else:
            result = self._run_rendered_script_file(bash_path, env)
        self._check(result)
        return self.output_processor(result.output)

    def _check(self, result: SubprocessResult) -> None:
        if result.exit_code in self.skip_on_exit_code:
            raise AirflowSkipException(f"Bash command returned exit code {result.exit_code}. Skipping.")
        if result.exit_code != 0:
            raise AirflowException(f"Bash command failed. The command returned a non-zero exit code {result.exit_code}.")

    def _is_inline_command(self) -> bool:
        command = self._unrendered
        return not (isinstance(command, str) and command.endswith(tuple(self.template_ext)))

    def _run_inline_command(self, bash_path: str, env: dict[str, str]) -> SubprocessResult:
        return self.subprocess_hook.run_command(
            command=[bash_path, "-c", self.bash_command], env=env, output_encoding=self.output_encoding, cwd=self.cwd
        )

    def _run_rendered_script_file(self, bash_path: str, env: dict[str, str]) -> SubprocessResult:
        """Run the rendered text of a script file from a temporary file, so that its first line and length do not matter."""
        with tempfile.TemporaryDirectory(prefix="airflowtmp") as folder:
            path = os.path.join(folder, "script.sh")
            with open(path, "w", encoding="utf-8") as file:
                file.write(self.bash_command)
            return self.subprocess_hook.run_command(
                command=[bash_path, path], env=env, output_encoding=self.output_encoding, cwd=self.cwd or folder
            )

    def on_kill(self) -> None:
        """End the command and all that it started."""
        self.subprocess_hook.send_sigterm()


def _codes(codes: Any) -> Container[int]:
    if codes is None:
        return ()
    return codes if isinstance(codes, Container) else (codes,)
