"""Decides the effective value of every option, where it came from and what is wrong with the configuration."""

import hashlib
import json
import os
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from orchestrator.config.option import ConfigurationError, Option, expand
from orchestrator.config.options import OPTIONS
from orchestrator.config.sources import Found, Sources
from orchestrator.config.unknown import Finding, unknown_names

PROJECT_ROOT = Path(__file__).resolve().parent.parent.parent
DEFAULT_SOURCE = "default"


class Configuration:
    """Typed, cached access to all options; safe to fork, never imports Django."""

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        self._environ = os.environ if environ is None else environ
        self._values: dict[tuple[str, str], Any] = {}

    @cached_property
    def home(self) -> Path:
        """``$AIRFLOW_HOME``, default the project root."""
        text = self._environ.get("AIRFLOW_HOME", "").strip()
        return Path(expand(text, PROJECT_ROOT)).absolute() if text else PROJECT_ROOT

    @cached_property
    def sources(self) -> Sources:
        """Environment, ``airflow.cfg`` and ``.env``, read once."""
        return Sources(self.home, self._environ, self._read_secret)

    def get(self, section: str, key: str) -> Any:
        """The typed value of an option.

        Raises KeyError for an option that is not declared, ConfigurationError for a value that is not valid.
        """
        try:
            return self._values[section, key]
        except KeyError:
            value = self._values[section, key] = self._read(OPTIONS[section, key])
            return value

    def source(self, section: str, key: str) -> str:
        """Where the value came from: ``default``, a file or an environment variable."""
        found = self._find(OPTIONS[section, key])
        return found.source if found else DEFAULT_SOURCE

    def is_set(self, section: str, key: str) -> bool:
        """True where somebody set the option, also to its default."""
        return self._find(OPTIONS[section, key]) is not None

    def validate(self) -> None:
        """Read every option. Raises one ConfigurationError that lists all values that are not valid."""
        errors = []
        for section, key in OPTIONS:
            try:
                self.get(section, key)
            except ConfigurationError as error:
                errors.append(str(error))
        if errors:
            raise ConfigurationError("\n".join(errors))

    def findings(self) -> list[Finding]:
        """Unknown, ineffective and outdated names in the file and the environment."""
        return unknown_names(self.sources, OPTIONS)

    def warnings(self) -> list[str]:
        """What is to be said of ``findings``."""
        return [finding.sentence for finding in self.findings()]

    def fingerprint(self) -> str:
        """Twelve hex digits that are equal where two processes have the same effective values."""
        values = {f"{section}.{key}": self.get(section, key) for section, key in OPTIONS}
        text = json.dumps(values, sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def reload(self) -> None:
        """Forget everything that was read; the next access reads file and environment again."""
        self._values.clear()
        self.__dict__.pop("sources", None)
        self.__dict__.pop("home", None)

    def _find(self, option: Option) -> Found | None:
        return self.sources.find(option)

    def _read(self, option: Option) -> Any:
        found = self._find(option)
        if found is not None:
            value = option.parse(found.text, found.source, self.home)
            # An empty line in the file means "not set", as in the file that the first migrate writes.
            if value is not None and (value != "" or option.default is None):
                return value
        return option.parse(option.default, DEFAULT_SOURCE, self.home) if isinstance(option.default, str) else option.default

    def _read_secret(self, path: str) -> str | None:
        class_path = self.get("secrets", "backend")
        if not class_path:
            raise ConfigurationError(f"An option refers to the secret {path!r}, but [secrets] backend is not set.")
        from orchestrator.sdk.secrets.search import make_backend

        value = make_backend(class_path, json.dumps(self.get("secrets", "backend_kwargs") or {})).get_config(path)
        return None if value is None else str(value)
