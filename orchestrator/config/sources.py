"""Decides where the text of an option is looked for, and in which order.

First found wins: ``AIRFLOW__S__K``, ``AIRFLOW__S__K_CMD``, ``AIRFLOW__S__K_SECRET``, then the same three in ``airflow.cfg``
(``key``, ``key_cmd``, ``key_secret``), then a plain variable such as ``DATABASE_URL``, then ``.env`` in the home.
"""

import os
import shlex
import subprocess
from collections.abc import Callable, Mapping
from configparser import Error as ParserError
from configparser import RawConfigParser
from pathlib import Path
from typing import NamedTuple

from orchestrator.config.option import ConfigurationError, Option, environment_name

SUFFIXES = ("_cmd", "_secret")


class Found(NamedTuple):
    """The text of an option and where it came from."""

    text: str
    source: str


SecretReader = Callable[[str], str | None]


class Sources:
    """Everything that may set an option, read once: environment, ``airflow.cfg`` and ``.env`` of ``home``."""

    def __init__(self, home: Path, environ: Mapping[str, str], read_secret: SecretReader) -> None:
        self.home = home
        self.environ = environ
        self.file = home / "airflow.cfg"
        self.values = read_cfg(self.file)
        self.dotenv = read_dotenv(home / ".env")
        self._read_secret = read_secret

    def find(self, option: Option) -> Found | None:
        """The text that sets ``option``, or None where its default applies."""
        names = [(option.section, option.key), *option.deprecated_names]
        for look in (self._in_environment, self._in_file):
            for section, key in names:
                found = look(section, key)
                if found is not None:
                    return found
        if option.environment and self.environ.get(option.environment):
            return Found(self.environ[option.environment], f"environment variable {option.environment}")
        return self._in_dotenv(option, names)

    def _in_environment(self, section: str, key: str) -> Found | None:
        name = environment_name(section, key)
        if name in self.environ:
            return Found(self.environ[name], f"environment variable {name}")
        if f"{name}_CMD" in self.environ:
            return Found(run_command(self.environ[f"{name}_CMD"], f"{name}_CMD"), f"environment variable {name}_CMD")
        if f"{name}_SECRET" in self.environ:
            return self._secret(self.environ[f"{name}_SECRET"], f"environment variable {name}_SECRET")
        return None

    def _in_file(self, section: str, key: str) -> Found | None:
        values = self.values.get(section, {})
        if key in values:
            return Found(values[key], str(self.file))
        if f"{key}_cmd" in values:
            return Found(run_command(values[f"{key}_cmd"], f"{self.file} {key}_cmd"), f"{self.file} ({key}_cmd)")
        if f"{key}_secret" in values:
            return self._secret(values[f"{key}_secret"], f"{self.file} ({key}_secret)")
        return None

    def _in_dotenv(self, option: Option, names: list[tuple[str, str]]) -> Found | None:
        for name in [environment_name(section, key) for section, key in names] + [option.environment or ""]:
            if name in self.dotenv:
                return Found(self.dotenv[name], f"{self.home / '.env'} ({name})")
        return None

    def _secret(self, path: str, source: str) -> Found | None:
        value = self._read_secret(path)
        return None if value is None else Found(value, source)


def read_cfg(path: Path) -> dict[str, dict[str, str]]:
    """Sections and values of ``airflow.cfg``; empty where the file is missing. ``%%`` is written for ``%``.

    Raises ConfigurationError where the file is not an INI file.
    """
    parser = RawConfigParser(strict=False)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}") from error
    try:
        parser.read_string(text, source=str(path))
    except ParserError as error:
        raise ConfigurationError(f"{path} is not a valid configuration file: {error}") from error
    return {section: {key: value.replace("%%", "%") for key, value in parser.items(section)} for section in parser.sections()}


def read_dotenv(path: Path) -> dict[str, str]:
    """Names and values of a ``.env`` file; the process's own environment is left alone."""
    if not path.is_file():
        return {}
    import environ  # type: ignore[import-untyped]

    class DotEnv(environ.Env):  # type: ignore[misc]
        ENVIRON: dict[str, str] = {}

    DotEnv.read_env(str(path))
    return dict(DotEnv.ENVIRON)


def run_command(command: str, source: str) -> str:
    """The output of the command that a ``_CMD`` option names, without the last line end.

    Raises ConfigurationError where the command fails.
    """
    try:
        done = subprocess.run(shlex.split(command), capture_output=True, text=True, check=True, env=os.environ.copy(), timeout=60)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        detail = getattr(error, "stderr", "") or str(error)
        raise ConfigurationError(f"The command of {source} failed: {detail.strip()}") from error
    return done.stdout.strip()
