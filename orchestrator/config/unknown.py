"""Decides what is said about names in the configuration that this product does not know."""

import difflib
from collections.abc import Iterator, Mapping
from pathlib import Path

from orchestrator.config.airflow_only import is_airflow_only
from orchestrator.config.option import Option, environment_name
from orchestrator.config.sources import SUFFIXES, Sources

PREFIX = "AIRFLOW__"


def unknown_names(sources: Sources, options: Mapping[tuple[str, str], Option]) -> list[str]:
    """One sentence for each unknown, outdated or ineffective name in file and environment."""
    return [*_in_file(sources, options), *_in_environment(sources, options)]


def _in_file(sources: Sources, options: Mapping[tuple[str, str], Option]) -> Iterator[str]:
    outdated = _outdated(options)
    for section, values in sources.values.items():
        for key in values:
            plain = next((key.removesuffix(suffix) for suffix in SUFFIXES if key.endswith(suffix)), key)
            if (section, key) in options or (section, plain) in options:
                continue
            replacement = outdated.get((section, key))
            yield _sentence(f"[{section}] {key}", sources.file, section, key, replacement, options)


def _in_environment(sources: Sources, options: Mapping[tuple[str, str], Option]) -> Iterator[str]:
    known = {environment_name(section, key) for section, key in options}
    outdated = {environment_name(*name): option for name, option in _outdated(options).items()}
    for name in sorted(name for name in sources.environ if name.startswith(PREFIX)):
        plain = next((name.removesuffix(suffix.upper()) for suffix in SUFFIXES if name.endswith(suffix.upper())), name)
        if name in known or plain in known:
            continue
        section, _, key = name.removeprefix(PREFIX).lower().partition("__")
        yield _sentence(name, "the environment", section, key, outdated.get(name), options)


def _outdated(options: Mapping[tuple[str, str], Option]) -> dict[tuple[str, str], Option]:
    return {name: option for option in options.values() for name in option.deprecated_names}


def _sentence(
    shown: str, place: Path | str, section: str, key: str, new: Option | None, options: Mapping[tuple[str, str], Option]
) -> str:
    if new is not None:
        return f"{shown} in {place} is an older name of {new.name}; use that or {new.variable}."
    if is_airflow_only(section, key):
        return f"{shown} in {place} has no effect here."
    guess = _guess(section, key, options)
    return f"{shown} in {place} is not a known option." + (f" Did you mean {guess.name} ({guess.variable})?" if guess else "")


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
