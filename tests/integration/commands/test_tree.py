"""The command line has Airflow's commands and flags (C28, C31): the recorded tree, less what is left out with its reason."""

from __future__ import annotations

import json
import subprocess
import sys
from argparse import Action, ArgumentParser
from functools import cache
from pathlib import Path

import pytest

from orchestrator.management.tree import entries, overview
from tests.architecture.source import REPOSITORY
from tests.integration.commands.left_out import COMMANDS, FLAGS

# Airflow 3.3.2 with the FAB provider, by walking its parser.
AIRFLOW: dict[str, dict[str, str]] = json.loads(Path(__file__).with_name("airflow_commands.json").read_text())


@cache
def ours() -> dict[str, ArgumentParser]:
    return {" ".join(entry.words): entry.parser for entry in entries()}


def own_actions(command: str) -> list[Action]:
    """Not Django's flags, which only whole commands have."""
    django = {"--help", "--version", "--verbosity", "--settings", "--pythonpath", "--traceback", "--no-color", "--force-color"}
    return [action for action in ours()[command]._actions if not set(action.option_strings) & django]


def test_every_command_of_airflow_is_here_or_left_out_for_a_reason() -> None:
    assert sorted(set(AIRFLOW) - set(ours())) == sorted(COMMANDS)


@pytest.mark.parametrize("command", sorted(set(AIRFLOW) - set(COMMANDS)))
def test_a_command_has_airflows_flags_and_arguments(command: str) -> None:
    flags = {name + ("" if action.nargs == 0 else "=") for action in own_actions(command) for name in action.option_strings}
    missing = set(AIRFLOW[command]["flags"].split()) - flags
    assert sorted(name.rstrip("=") for name in missing) == sorted(FLAGS.get(command, {}))
    wanted = AIRFLOW[command]["arguments"].split()
    places = [action for action in own_actions(command) if not action.option_strings]
    assert len(places) == len(wanted)
    # What may be left out in Airflow may be left out here; more may be optional here.
    assert all(action.nargs == "?" for action, name in zip(places, wanted, strict=True) if name.endswith("?"))


def test_the_overview_names_every_command() -> None:
    shown = overview()
    assert all(f"  {command} " in shown for command in ours() if " " not in command)
    assert [" ".join(entry.words) for entry in entries() if not entry.help] == []


def test_the_version_is_told_without_django() -> None:
    """A script that asks for the version does not wait for what it does not need."""
    code = "import sys; from orchestrator.command import main; main(['version']); sys.exit('django' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "0.1.0")


HEAVY = ("gunicorn", "airflow", "jinja2", "yaml", "runs.scheduler", "dags_app.processor.processor")


def test_a_command_line_starts_without_what_only_some_commands_need() -> None:
    code = (
        "import os, sys, django; os.environ['DJANGO_SETTINGS_MODULE'] = 'orchestrator.settings'; django.setup(); "
        f"from orchestrator.management.tree import commands; commands(); print([n for n in {HEAVY} if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[]", done.stderr
