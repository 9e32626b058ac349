"""Decides what user code sees of the configuration: typed reads with fallback, never a secret."""

from __future__ import annotations

import json
import os
from datetime import timedelta
from typing import Any

from orchestrator.sdk.definitions.sentinels import NOTSET
from orchestrator.sdk.exceptions import AirflowConfigException

_TRUE, _FALSE = frozenset({"t", "true", "1", "yes", "on"}), frozenset({"f", "false", "0", "no", "off"})


class AirflowConfigParser:
    """``conf`` of DAG files: environment (``AIRFLOW__SECTION__KEY``), then ``airflow.cfg``, then the default."""

    def get(self, section: str, key: str, fallback: Any = NOTSET, **_: Any) -> Any:
        """Return the text of an option.

        Raises ``AirflowConfigException`` for an option that is not set, has no default and is given no fallback, and for
        one that holds a secret.
        """
        section, key = section.lower(), key.lower()
        found = self._find(section, key)
        if found is not None:
            return found if isinstance(found, str) else _as_text(found)
        if fallback is not NOTSET:
            return fallback
        raise AirflowConfigException(f"section/key [{section}/{key}] not found in config")

    def getboolean(self, section: str, key: str, fallback: Any = NOTSET, **_: Any) -> bool:
        """Return the option as bool; raises ``AirflowConfigException`` for anything else."""
        text = str(self.get(section, key, fallback)).split("#", 1)[0].strip().lower()
        if text in _TRUE:
            return True
        if text in _FALSE:
            return False
        raise AirflowConfigException(f"[{section}] {key} is {text!r}; it must be true or false.")

    def getint(self, section: str, key: str, fallback: Any = NOTSET, **_: Any) -> int:
        """Return the option as int; raises ``AirflowConfigException`` for anything else."""
        found: int = self._number(int, section, key, fallback)
        return found

    def getfloat(self, section: str, key: str, fallback: Any = NOTSET, **_: Any) -> float:
        """Return the option as float; raises ``AirflowConfigException`` for anything else."""
        found: float = self._number(float, section, key, fallback)
        return found

    def getlist(self, section: str, key: str, fallback: Any = NOTSET, delimiter: str = ",", **_: Any) -> Any:
        """Return the parts of the option's text between delimiters."""
        found = self.get(section, key, fallback)
        return [part.strip() for part in found.split(delimiter)] if isinstance(found, str) and found.strip() else found or []

    def getjson(self, section: str, key: str, fallback: Any = NOTSET, **_: Any) -> Any:
        """Return what the option's JSON says; raises ``AirflowConfigException`` if it is none."""
        found = self.get(section, key, fallback)
        if not isinstance(found, str):
            return found
        if not found:
            return fallback if fallback is not NOTSET else None
        try:
            return json.loads(found)
        except json.JSONDecodeError as error:
            raise AirflowConfigException(f"[{section}] {key} is no JSON: {error}") from None

    def gettimedelta(self, section: str, key: str, fallback: Any = None, **_: Any) -> timedelta | None:
        """Return the option's whole seconds as timedelta, ``fallback`` where it is not set or empty.

        Raises ``AirflowConfigException`` for anything else, and for more than a timedelta can hold.
        """
        if self.get(section, key, None) in (None, ""):
            default: timedelta | None = fallback
            return default
        found: int = self._number(int, section, key, None)
        try:
            return timedelta(seconds=found)
        except OverflowError:
            raise AirflowConfigException(f"[{section}] {key} is {found}, which is too many seconds for a timedelta.") from None

    def getimport(self, section: str, key: str, **options: Any) -> Any:
        """Return the object at the dotted path, None for an empty one; raises ``AirflowConfigException`` if it cannot be had."""
        from orchestrator.sdk.name_tables.old_functions import import_string

        path = self.get(section, key, **options)
        try:
            return import_string(path) if path else None
        except ImportError as error:
            raise AirflowConfigException(f"[{section}] {key} is {path!r}, which cannot be imported: {error}") from None

    def getenum(self, section: str, key: str, enum_class: Any, **options: Any) -> Any:
        """Return the member that the option names; raises ``AirflowConfigException`` for another word."""
        found = self.get(section, key, **options)
        try:
            return enum_class[found]
        except KeyError:
            names = ", ".join(member.name for member in enum_class)
            raise AirflowConfigException(f"[{section}] {key} is {found!r}; it must be one of {names}.") from None

    def get_mandatory_value(self, section: str, key: str, **options: Any) -> str:
        """Return the text of an option that must have one; raises ``ValueError`` for none."""
        found = self.get(section, key, **options)
        if found is None:
            raise ValueError(f"The value {section}/{key} should be set!")
        return str(found)

    def getsection(self, section: str, **_: Any) -> dict[str, Any] | None:
        """Return all options of a section with numbers and booleans read, None for an unknown one; secrets are left out."""
        from orchestrator.config import conf as declared
        from orchestrator.config.options import OPTIONS

        section, start = section.lower(), f"AIRFLOW__{section.upper()}__"
        known = {key for place, key in OPTIONS if place == section} | set(declared.sources.values.get(section, {}))
        known |= {name.removeprefix(start).lower() for name in os.environ if name.startswith(start)}
        plain = [key for key in sorted(known) if not ((option := OPTIONS.get((section, key))) and option.sensitive)]
        return {key: _typed(self.get(section, key, None)) for key in plain} or None

    def has_option(self, section: str, key: str, **_: Any) -> bool:
        """Tell whether the option is set or has a default."""
        return self._find(section.lower(), key.lower()) is not None

    def _number(self, kind: type, section: str, key: str, fallback: Any) -> Any:
        found = self.get(section, key, fallback)
        try:
            return found if found is None else kind(str(found).split("#", 1)[0].strip())
        except ValueError:
            raise AirflowConfigException(f"[{section}] {key} is {found!r}; it must be a number ({kind.__name__}).") from None

    def _find(self, section: str, key: str) -> Any:
        from orchestrator.config import conf as declared
        from orchestrator.config.option import environment_name
        from orchestrator.config.options import OPTIONS

        option = OPTIONS.get((section, key))
        if option is not None and option.sensitive:
            raise AirflowConfigException(f"[{section}] {key} holds a secret and cannot be read by DAG files and tasks.")
        text = os.environ.get(environment_name(section, key))
        if text is not None:
            return text
        return declared.get(section, key) if option is not None else declared.sources.values.get(section, {}).get(key)


def _typed(text: Any) -> Any:
    for kind in (int, float):
        try:
            return kind(text)
        except (TypeError, ValueError):
            continue
    return {"true": True, "false": False}.get(str(text).lower(), text)


def _as_text(value: Any) -> str:
    return json.dumps(value) if isinstance(value, dict | list) else str(value)


conf = AirflowConfigParser()
