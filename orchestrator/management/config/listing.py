"""Decides the actions ``config list`` and ``config get-value``: what is set, and where that came from."""

from __future__ import annotations

from argparse import ArgumentParser

from django.core.management.base import CommandError

from orchestrator.config import conf
from orchestrator.config.cfg_file import default_text
from orchestrator.config.option import Option
from orchestrator.config.options import OPTIONS
from orchestrator.management.command import Action, AirflowCommand, Options
from orchestrator.management.local_arguments import add_color

MASK = "< hidden >"
# Sections that Airflow's providers bring.
PROVIDERS = frozenset({"celery", "common.io", "kubernetes_executor", "smtp"})


def _arguments(parser: ArgumentParser) -> None:
    for flags, text in (
        (("-a", "--defaults"), "a whole file of defaults, commented out, instead of what is set"),
        (("-c", "--comment-out-everything"), "comment all options out"),
        (("-d", "--include-descriptions"), "with a line of explanation"),
        (("-e", "--include-examples"), "with the allowed values"),
        (("-s", "--include-sources"), "with the source on a line of its own"),
        (("-V", "--include-env-vars"), "with the environment variable"),
        (("-p", "--exclude-providers"), "without the sections of providers"),
        (("--changed",), "only options that are set somewhere"),
        (("--show-values",), "secrets too"),
        (("--hide-sensitive",), "hide secrets, also with --show-values"),
    ):
        parser.add_argument(*flags, action="store_true", help=text)
    parser.add_argument("--section", help="only this section")
    add_color(parser)


def _list(command: AirflowCommand, options: Options) -> None:
    chosen = [option for option in OPTIONS.values() if options["section"] in (None, option.section)]
    if not chosen:
        raise CommandError(f"There is no section [{options['section']}]; see `config list`.")
    if options["defaults"]:
        options |= {"include_descriptions": True, "include_examples": True, "include_env_vars": True}
        options |= {"comment_out_everything": True, "include_sources": False}
    section = ""
    for option in chosen:
        if options["changed"] and not conf.is_set(option.section, option.key):
            continue
        if options["exclude_providers"] and option.section in PROVIDERS:
            continue
        if option.section != section:
            section = option.section
            command.stdout.write(f"[{section}]")
        command.stdout.write(_text(option, options))


def _text(option: Option, options: Options) -> str:
    source = "" if options["defaults"] else conf.source(option.section, option.key)
    lines = [f"# {option.description}"] if options["include_descriptions"] else []
    if options["include_examples"] and option.type not in ("str", "path"):
        lines.append(f"# Allowed: {option.allowed()}")
    if options["include_sources"]:
        lines.append(f"# Source: {source}")
    if options["include_env_vars"]:
        lines.append(f"# Variable: {option.variable}")
    value = default_text(option) if options["defaults"] else _shown(option, options)
    start = "# " if options["comment_out_everything"] else ""
    end = "" if lines or not source else f"  # {source}"
    text = "\n".join([*lines, f"{start}{option.key} = {value}{end}".rstrip()])
    return f"{text}\n\n" if lines else text


def _shown(option: Option, options: Options) -> str:
    value = conf.get(option.section, option.key)
    if option.sensitive and value and (options["hide_sensitive"] or not options["show_values"]):
        return MASK
    return "" if value is None else str(value)


def _value_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("section")
    parser.add_argument("option")


def _get_value(command: AirflowCommand, options: Options) -> None:
    section, name = options["section"].lower(), options["option"].lower()
    try:
        value = conf.get(section, name)
    except KeyError as error:
        raise CommandError(f"The option [{section}] {name} does not exist.") from error
    command.stdout.write("" if value is None else str(value))


LIST = Action("list", "all options with value and source", _list, _arguments)
GET_VALUE = Action("get-value", "the value of one option", _get_value, _value_arguments)
