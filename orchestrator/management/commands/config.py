"""Decides the command ``manage.py config``: what is set, where it came from and what is wrong."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from orchestrator.config import conf
from orchestrator.config.cfg_file import default_text
from orchestrator.config.option import Option
from orchestrator.config.options import OPTIONS

MASK = "< hidden >"


class Command(BaseCommand):
    """Read-only views of the configuration."""

    help = "Show and check the configuration."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        listing = actions.add_parser("list", help="all options with value, source and meaning")
        listing.add_argument("--section", help="only this section")
        listing.add_argument("--changed", action="store_true", help="only options that are set somewhere")
        listing.add_argument("--defaults", action="store_true", help="show defaults instead of values")
        listing.add_argument("--show-values-of-secrets", action="store_true", help="do not hide secrets")
        value = actions.add_parser("get-value", help="the value of one option")
        value.add_argument("section")
        value.add_argument("option")
        actions.add_parser("lint", help="report names without effect; exit code 1 where there are any")

    def handle(self, *args: Any, **options: Any) -> None:
        {"list": self._list, "get-value": self._get_value, "lint": self._lint}[options["action"]](options)

    def _list(self, options: dict[str, Any]) -> None:
        section = ""
        chosen = [o for o in OPTIONS.values() if options["section"] in (None, o.section)]
        if not chosen:
            raise CommandError(f"There is no section [{options['section']}].")
        for option in chosen:
            if options["changed"] and not conf.is_set(option.section, option.key):
                continue
            if option.section != section:
                section = option.section
                self.stdout.write(f"[{section}]")
            text = default_text(option) if options["defaults"] else self._shown(option, options["show_values_of_secrets"])
            source = "" if options["defaults"] else f"  # {conf.source(option.section, option.key)}"
            self.stdout.write(f"{option.key} = {text}{source}")

    def _shown(self, option: Option, secrets: bool) -> str:
        value = conf.get(option.section, option.key)
        if option.sensitive and value and not secrets:
            return MASK
        return "" if value is None else str(value)

    def _get_value(self, options: dict[str, Any]) -> None:
        try:
            value = conf.get(options["section"], options["option"])
        except KeyError as error:
            raise CommandError(f"The option [{options['section']}] {options['option']} does not exist.") from error
        self.stdout.write("" if value is None else str(value))

    def _lint(self, options: dict[str, Any]) -> None:
        warnings = conf.warnings()
        for sentence in warnings:
            self.stdout.write(sentence)
        if warnings:
            raise CommandError(f"{len(warnings)} names have no effect as they are.")
        self.stdout.write("Nothing to report.")
