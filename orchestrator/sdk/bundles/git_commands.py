"""Decides how the git program is called: never a password in its arguments, never a question, never without a time limit."""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from orchestrator.sdk.bundles.configured import without_secrets

TIMEOUT_SECONDS = 300.0


class GitError(Exception):
    """git failed; the text is fit to be shown."""


@dataclass(frozen=True, slots=True, repr=False)
class Credentials:
    """What opens a repository. ``key_file`` is the path of a private key."""

    url: str
    login: str = ""
    password: str = ""
    key_file: str = ""
    known_hosts_file: str = ""
    strict_host_key_checking: bool = False

    @classmethod
    def of_url(cls, url: str) -> Credentials:
        """Take user and password out of a URL."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https"):
            return cls(url)
        return cls(without_secrets(url), unquote(parts.username or ""), unquote(parts.password or ""))

    @property
    def secrets(self) -> list[str]:
        """Texts that no message may show."""
        return [text for text in (self.password, self._basic()) if text]

    def environment(self) -> dict[str, str]:
        """Return variables that let git in without a word in its arguments, which every user of the machine can read."""
        values = {"GIT_TERMINAL_PROMPT": "0", "GIT_ASKPASS": "true", "LC_ALL": "C"}
        if self.password:
            values |= {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "http.extraHeader"}
            values["GIT_CONFIG_VALUE_0"] = f"Authorization: Basic {self._basic()}"
        ssh = ["ssh", "-o", "BatchMode=yes", "-o", f"StrictHostKeyChecking={'yes' if self.strict_host_key_checking else 'no'}"]
        ssh += ["-i", self.key_file, "-o", "IdentitiesOnly=yes"] if self.key_file else []
        ssh += ["-o", f"UserKnownHostsFile={self.known_hosts_file}"] if self.known_hosts_file else []
        return {**values, "GIT_SSH_COMMAND": " ".join(_quoted(word) for word in ssh)}

    def _basic(self) -> str:
        if not self.password:
            return ""
        return base64.b64encode(f"{self.login or 'git'}:{self.password}".encode()).decode()


def run_git(
    arguments: Sequence[str | Path],
    *,
    credentials: Credentials | None = None,
    keep_open: int | None = None,
    timeout: float = TIMEOUT_SECONDS,
) -> str:
    """Run git and return what it printed.

    :param keep_open: descriptor of a lock that the git process holds too: a git that outlives us keeps its lock.
    :param timeout: seconds after which git is ended.

    Raises ``GitError`` with git's own words, without secrets.
    """
    program = shutil.which("git")
    if program is None:
        raise GitError("The program git is not installed on this machine; a GitDagBundle needs it.")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment |= (credentials or Credentials("")).environment()
    command = [program, "-c", "protocol.ext.allow=never", "-c", "gc.auto=0", "-c", "advice.detachedHead=false"]
    try:
        done = subprocess.run(
            [*command, *map(str, arguments)],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            check=False,
            pass_fds=[] if keep_open is None else [keep_open],
        )
    except subprocess.TimeoutExpired:
        raise GitError(f"git {arguments[0]} did not end within {timeout:g} s and was stopped") from None
    if done.returncode:
        raise GitError(_clean(done.stderr.strip()[-2000:] or f"git ended with exit code {done.returncode}", credentials))
    return done.stdout


def _clean(text: str, credentials: Credentials | None) -> str:
    for secret in credentials.secrets if credentials else ():
        text = text.replace(secret, "***")
    return text


def _quoted(word: str) -> str:
    return "'" + word.replace("'", "'\\''") + "'"
