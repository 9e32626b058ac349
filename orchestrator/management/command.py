"""Decides what all commands with Airflow's flags share: their actions, ``-v/--verbose`` and how a program is told the form."""

from __future__ import annotations

import logging
import sys
from argparse import ArgumentParser
from argparse import _SubParsersAction as SubParsers
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from django.core.management.base import BaseCommand, CommandError, CommandParser

from orchestrator.sdk.testing.table import Row, render

Options = dict[str, Any]


def _no_arguments(parser: ArgumentParser) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Action:
    """One sub-command. ``run`` imports what is heavy by itself, so that the other actions start quickly."""

    name: str
    help: str
    run: Callable[[AirflowCommand, Options], None]
    arguments: Callable[[ArgumentParser], None] = _no_arguments


class AirflowCommand(BaseCommand):
    """A group of actions, or one command that has no actions.

    ``-v`` means ``--verbose``, as in Airflow; Django's level is ``--verbosity``. ``is_service`` is for what runs until it is
    stopped: its log is its output. All others keep standard output for what was asked, and log only warnings, on stderr.
    """

    requires_system_checks = []
    actions: ClassVar[Sequence[Action]] = ()
    is_service: ClassVar[bool] = False

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """Return Django's parser with ``-v/--verbose`` on every action."""
        parser = super().create_parser(prog_name, subcommand, conflict_handler="resolve", **kwargs)
        for leaf in leaves(parser):
            leaf.add_argument("-v", "--verbose", action="store_true", help="log everything, down to DEBUG, on stderr")
        return parser

    def add_arguments(self, parser: CommandParser) -> None:
        """Add one parser per action."""
        if not self.actions:
            return
        group = parser.add_subparsers(dest="action", metavar="COMMAND", required=True)
        for action in self.actions:
            action.arguments(group.add_parser(action.name, help=action.help, description=action.help))

    def run_from_argv(self, argv: list[str]) -> None:
        """Run from the command line."""
        if not self.is_service:
            root = logging.getLogger()
            root.setLevel(logging.WARNING)
            for handler in root.handlers:
                if isinstance(handler, logging.StreamHandler) and handler.stream is sys.stdout:
                    handler.setStream(sys.stderr)
        super().run_from_argv(argv)

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Log everything where it was asked for."""
        if options.get("verbose"):
            logging.getLogger().setLevel(logging.DEBUG)
        return super().execute(*args, **options)

    def handle(self, *args: Any, **options: Any) -> None:
        """Do the action that was named."""
        next(action for action in self.actions if action.name == options["action"]).run(self, options)

    def show(self, rows: Sequence[Row], options: Options) -> None:
        """Print rows in the form of ``-o``."""
        self.stdout.write(render(rows, options["output"]))

    def ask(self, question: str, options: Options) -> None:
        """Ask before something that cannot be undone. Raises ``CommandError`` where the answer is not yes."""
        if options["yes"]:
            return
        try:
            answer = input(f"{question} [y/N] ")
        except EOFError:
            raise CommandError(f"{question} Nobody can answer here: say --yes.") from None
        if answer.strip().lower() not in ("y", "yes"):
            raise CommandError("Nothing was done.")


def leaves(parser: ArgumentParser) -> Iterator[ArgumentParser]:
    """Return the parsers below which there is no other: a command, or its actions."""
    groups = [action for action in parser._actions if isinstance(action, SubParsers)]
    if not groups:
        yield parser
    for group in groups:
        for child in dict.fromkeys(group.choices.values()):
            yield from leaves(child)
