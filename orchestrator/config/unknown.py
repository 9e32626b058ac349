"""Decides what is said about names in the configuration that this product does not know."""

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from orchestrator.config.airflow2 import is_removed
from orchestrator.config.airflow_only import is_airflow_only
from orchestrator.config.option import Option, environment_name
from orchestrator.config.sources import SUFFIXES, Sources

PREFIX = "AIRFLOW__"


@dataclass(frozen=True, slots=True)
class Finding:
    """One name that is not as it should be.

    Args:
        section, key: the option that is meant, under the name that was found.
        sentence: what is wrong and what to do.
        new: the option that the name is an older one of.
        is_idle: Airflow knows or knew the name, and it has no effect here.
        is_in_file: it stands in ``airflow.cfg``, otherwise in the environment.
    """

    section: str
    key: str
    sentence: str
    new: Option | None
    is_idle: bool
    is_in_file: bool


def unknown_names(sources: Sources, options: Mapping[tuple[str, str], Option]) -> list[Finding]:
    """Return each unknown, outdated or ineffective name in file and environment."""
    return [*_in_file(sources, options), *_in_environment(sources, options)]


def _in_file(sources: Sources, options: Mapping[tuple[str, str], Option]) -> Iterator[Finding]:
    outdated = _outdated(options)
    for section, values in sources.values.items():
        for key in values:
            plain = next((key.removesuffix(suffix) for suffix in SUFFIXES if key.endswith(suffix)), key)
            if (section, key) in options or (section, plain) in options:
                continue
            new, shown = outdated.get((section, plain)), f"[{section}] {key} in {sources.file}"
            yield Finding(section, key, _sentence(shown, section, key, new, options), new, _is_idle(section, key), True)


def _in_environment(sources: Sources, options: Mapping[tuple[str, str], Option]) -> Iterator[Finding]:
    known = {environment_name(section, key) for section, key in options}
    outdated = {environment_name(*name): option for name, option in _outdated(options).items()}
    for name in sorted(name for name in sources.environ if name.startswith(PREFIX)):
        plain = next((name.removesuffix(suffix.upper()) for suffix in SUFFIXES if name.endswith(suffix.upper())), name)
        if name in known or plain in known:
            continue
        section, _, key = name.removeprefix(PREFIX).lower().partition("__")
        new, shown = outdated.get(plain), f"{name} in the environment"
        yield Finding(section, key, _sentence(shown, section, key, new, options), new, _is_idle(section, key), False)


def _outdated(options: Mapping[tuple[str, str], Option]) -> dict[tuple[str, str], Option]:
    return {name: option for option in options.values() for name in option.deprecated_names}


def _is_idle(section: str, key: str) -> bool:
    return is_airflow_only(section, key) or is_removed(section, key)


def _sentence(shown: str, section: str, key: str, new: Option | None, options: Mapping[tuple[str, str], Option]) -> str:
    if new is not None:
        return f"{shown} is an older name of {new.name}; use that or {new.variable}."
    if _is_idle(section, key):
        return f"{shown} has no effect here."
    guess = _guess(section, key, options)
    return f"{shown} is not a known option." + (f" Did you mean {guess.name} ({guess.variable})?" if guess else "")


def _guess(section: str, key: str, options: Mapping[tuple[str, str], Option]) -> Option | None:
    here = {name: option for (other, name), option in options.items() if other == section}
    anywhere = {f"{other}.{name}": option for (other, name), option in options.items()}
    same_key = [option for (_, name), option in options.items() if name == key]
    if same_key:
        return same_key[0]
    close = difflib.get_close_matches(key, here, n=1)
    if close:
        return here[close[0]]
    close = difflib.get_close_matches(f"{section}.{key}", anywhere, n=1, cutoff=0.75)
    return anywhere[close[0]] if close else None
