"""Decides the actions ``config lint`` and ``config update``: what of a configuration is outdated, and how it is mended."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path

from django.core.management.base import CommandError

from orchestrator.config import conf
from orchestrator.config.airflow2 import CHANGED_DEFAULTS
from orchestrator.config.cfg_edit import changed, changes_of
from orchestrator.config.unknown import Finding
from orchestrator.management.command import Action, AirflowCommand, Options


def _filters(parser: ArgumentParser) -> None:
    for name, text in (
        ("--section", "only these sections, separated by commas"),
        ("--option", "only these options, separated by commas"),
        ("--ignore-section", "not these sections"),
        ("--ignore-option", "not these options"),
    ):
        parser.add_argument(name, type=_words, default=[], help=text)


def _words(text: str) -> list[str]:
    return [word.strip().lower() for word in text.split(",") if word.strip()]


def _is_meant(section: str, key: str, options: Options) -> bool:
    if section in options["ignore_section"] or key in options["ignore_option"]:
        return False
    return (not options["section"] or section in options["section"]) and (not options["option"] or key in options["option"])


def _findings(options: Options) -> list[Finding]:
    return [finding for finding in conf.findings() if _is_meant(finding.section, finding.key, options)]


def _lint(command: AirflowCommand, options: Options) -> None:
    found = _findings(options)
    for finding in found:
        command.stdout.write(finding.sentence)
    if not found:
        command.stdout.write("Nothing to report.")
        return
    for name, (before, now) in CHANGED_DEFAULTS.items():
        if _is_meant(*name, options) and not conf.is_set(*name):
            command.stdout.write(f"Note: [{name[0]}] {name[1]} is not set; by default it is {now}, in Airflow 2 it was {before}.")
    raise CommandError(f"{len(found)} names are not as they should be; `config update` mends airflow.cfg.")


def _update_arguments(parser: ArgumentParser) -> None:
    _filters(parser)
    parser.add_argument("--fix", action="store_true", help="write the changes; the file as it was is kept beside it")
    parser.add_argument("--all-recommendations", action="store_true", help="also take out names that have no effect")


def _update(command: AirflowCommand, options: Options) -> None:
    from orchestrator.config.cfg_file import write_private

    file, found = conf.sources.file, _findings(options)
    changes = changes_of(found, idle=options["all_recommendations"])
    for change in changes:
        command.stdout.write(str(change))
    done = {change.old for change in changes}
    for finding in found:
        if not finding.is_in_file or (not finding.is_idle and (finding.section, finding.key) not in done):
            command.stdout.write(f"To do by hand: {finding.sentence}")
    if not changes:
        command.stdout.write(f"Nothing to change in {file}.")
    elif not options["fix"]:
        command.stdout.write(f"Nothing was written. `config update --fix` makes these {len(changes)} changes in {file}.")
    else:
        text = file.read_text(encoding="utf-8")
        kept = _free(file)
        write_private(kept, text)
        write_private(file, changed(text, changes))
        command.stdout.write(f"{len(changes)} changes were made in {file}; {kept} is the file as it was.")


def _free(file: Path) -> Path:
    """Return a name that no file has: an older backup may be the only good one."""
    names = (file.with_name(f"{file.name}.bak{number or ''}") for number in range(1000))
    return next(name for name in names if not name.exists())


LINT = Action("lint", "report names that are outdated or without effect; exit code 1 where there are any", _lint, _filters)
UPDATE = Action("update", "give options of Airflow 2 their new names in airflow.cfg", _update, _update_arguments)
