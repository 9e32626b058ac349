"""Decides which commands belong to this platform and how all of them are listed."""

from __future__ import annotations

from argparse import ArgumentParser
from argparse import _SubParsersAction as SubParsers
from collections.abc import Iterator
from typing import NamedTuple

from django.core.management import get_commands, load_command_class

from orchestrator.management.command import AirflowCommand

SERVICES = ("standalone", "api-server", "scheduler", "dag-processor", "triggerer")


class Entry(NamedTuple):
    """A command or an action: how it is called, what it is for, and its parser."""

    words: tuple[str, ...]
    help: str
    parser: ArgumentParser


def commands() -> dict[str, AirflowCommand]:
    """Return our commands by the name that people write, sorted."""
    found = {}
    for name, app in sorted(get_commands().items()):
        # Not those of Django and of other packages, which are loaded only when they are called.
        if isinstance(app, str) and not app.startswith(("django.", "rest_framework")):
            command = load_command_class(app, name)
            if isinstance(command, AirflowCommand):
                found[name.replace("_", "-")] = command
    return found


def entries() -> Iterator[Entry]:
    """Return all that can be called, commands before their actions."""
    for name, command in commands().items():
        parser = command.create_parser("af", name)
        yield Entry((name,), command.help, parser)
        yield from _below((name,), parser)


def _below(words: tuple[str, ...], parser: ArgumentParser) -> Iterator[Entry]:
    for group in [action for action in parser._actions if isinstance(action, SubParsers)]:
        texts = {choice.dest: choice.help or "" for choice in group._choices_actions}
        for name, child in group.choices.items():
            yield Entry((*words, name), texts.get(name, ""), child)
            yield from _below((*words, name), child)


def overview() -> str:
    """Return what ``af`` says without words: services, groups and single commands."""
    found = commands()
    groups = {
        name: [entry.words[1] for entry in _below((name,), command.create_parser("af", name))] for name, command in found.items()
    }
    width = max(map(len, found))
    parts = {
        "Services": [name for name in SERVICES if name in found],
        "Groups": [name for name in found if groups[name]],
        "Commands": [name for name in found if not groups[name] and name not in SERVICES],
    }
    lines = ["usage: af COMMAND …   `af COMMAND --help` says more; `af cheat-sheet` lists all; `af help` has Django's own."]
    for title, names in parts.items():
        lines += ["", title, *(f"  {name:<{width}}  {found[name].help}" for name in names)]
    return "\n".join(lines)
