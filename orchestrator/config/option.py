"""Decides what one option is and how its text becomes a typed value."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

OptionType = Literal["str", "int", "float", "bool", "json", "path", "choice"]

TRUE_WORDS = frozenset({"t", "true", "1", "yes", "on"})
FALSE_WORDS = frozenset({"f", "false", "0", "no", "off"})


class ConfigurationError(Exception):
    """An option that cannot be used; the text names option, value, source and what is allowed."""


@dataclass(frozen=True, slots=True)
class Option:
    """One option, declared once.

    ``default`` is the typed value, or text with ``{AIRFLOW_HOME}`` for a path. ``None`` means "not set".
    ``deprecated_names`` are older (section, key) pairs that still work. ``environment`` names a plain
    environment variable that is read where nothing else sets the option. ``generated`` options get a
    random value written into ``airflow.cfg`` on the first migrate.
    """

    section: str
    key: str
    type: OptionType
    default: Any
    description: str
    sensitive: bool = False
    deprecated_names: tuple[tuple[str, str], ...] = ()
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    environment: str | None = None
    generated: bool = False

    @property
    def name(self) -> str:
        """How people write it: ``[core] parallelism``."""
        return f"[{self.section}] {self.key}"

    @property
    def variable(self) -> str:
        """The environment variable that overrides it."""
        return environment_name(self.section, self.key)

    def allowed(self) -> str:
        """The allowed values in words, for error texts and the configuration page."""
        if self.type == "choice":
            return "one of " + ", ".join(self.choices)
        words = {"int": "a whole number", "float": "a number", "bool": "true or false", "json": "JSON", "path": "a path"}
        text = words.get(self.type, "text")
        if self.minimum is not None:
            text += f", at least {self.minimum:g}"
        if self.maximum is not None:
            text += f", at most {self.maximum:g}"
        return text

    def parse(self, text: str, source: str, home: Path) -> Any:
        """Turn ``text`` into the typed value; an empty text means "not set" for all types but str.

        Raises ConfigurationError naming option, value, source and the allowed values.
        """
        stripped = text.strip()
        if not stripped and self.type != "str":
            return None
        try:
            value = PARSERS[self.type](stripped, self, home)
        except (ValueError, TypeError) as error:
            shown = "***" if self.sensitive else repr(stripped)
            raise ConfigurationError(
                f"{self.name} = {shown} (from {source}) is not valid: it must be {self.allowed()}."
            ) from error
        return value


def environment_name(section: str, key: str) -> str:
    """The Airflow name of the variable that overrides an option."""
    return f"AIRFLOW__{section.replace('.', '_').upper()}__{key.upper()}"


def _bounded(value: float, option: Option) -> float:
    if option.minimum is not None and value < option.minimum:
        raise ValueError("too small")
    if option.maximum is not None and value > option.maximum:
        raise ValueError("too large")
    return value


def _bool(text: str, option: Option, home: Path) -> bool:
    word = text.split("#", 1)[0].strip().lower()
    if word in TRUE_WORDS:
        return True
    if word in FALSE_WORDS:
        return False
    raise ValueError(word)


def _choice(text: str, option: Option, home: Path) -> str:
    for choice in option.choices:
        if choice.lower() == text.lower():
            return choice
    raise ValueError(text)


def expand(text: str, home: Path) -> str:
    """Replace ``{AIRFLOW_HOME}``, ``$VARIABLES`` and ``~`` in a text that is or contains a path."""
    return os.path.expanduser(os.path.expandvars(text.replace("{AIRFLOW_HOME}", str(home))))


def _path(text: str, option: Option, home: Path) -> str:
    return os.path.normpath(os.path.join(home, expand(text, home)))


PARSERS: dict[str, Callable[[str, Option, Path], Any]] = {
    "str": lambda text, option, home: text.replace("{AIRFLOW_HOME}", str(home)),
    "int": lambda text, option, home: int(_bounded(int(text), option)),
    "float": lambda text, option, home: float(_bounded(float(text), option)),
    "bool": _bool,
    "json": lambda text, option, home: json.loads(text),
    "path": _path,
    "choice": _choice,
}
