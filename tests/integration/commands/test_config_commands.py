"""C31-d: ``config list``, ``get-value``, ``lint`` and ``update``."""

from __future__ import annotations

import io
import subprocess
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from orchestrator.config.configuration import Configuration
from orchestrator.management.config import linting, listing
from tests.architecture.source import REPOSITORY

CFG = "[core]\ndag_concurrency = 5\nhostname = :\nmisspelt = 4\n\n[smtp]\nsmtp_password = hush\n"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a home of its own with a configuration of Airflow 2."""
    (tmp_path / "airflow.cfg").write_text(CFG)
    conf = Configuration({"AIRFLOW_HOME": str(tmp_path), "AIRFLOW__API__PORT": "81"})
    for module in (linting, listing):
        monkeypatch.setattr(module, "conf", conf)
    return tmp_path


def said(*words: str) -> str:
    out = io.StringIO()
    call_command("config", *words, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def test_what_is_set_is_listed_with_its_source_and_secrets_stay_hidden(home: Path) -> None:
    shown = said("list", "--changed")
    assert f"max_active_tasks_per_dag = 5  # {home / 'airflow.cfg'}" in shown
    assert "port = 81  # environment variable AIRFLOW__API__PORT" in shown
    assert "smtp_password = < hidden >" in shown
    assert "hush" in said("list", "--changed", "--show-values")
    assert "hush" not in said("list", "--changed", "--show-values", "--hide-sensitive")
    assert "[smtp]" not in said("list", "--exclude-providers")


def test_an_option_is_explained_as_in_a_file(home: Path) -> None:
    shown = said("list", "--section", "triggerer", "-d", "-e", "-s", "-V", "-c")
    assert (
        "# Allowed: a whole number, at least 1\n# Source: default\n# Variable: AIRFLOW__TRIGGERER__CAPACITY\n# capacity = 1000\n\n"
        in shown
    )
    assert "\n# port = 8080\n" in said("list", "--section", "api", "--defaults")
    with pytest.raises(CommandError, match="no section"):
        said("list", "--section", "nope")


def test_one_value_is_told_and_an_unknown_one_is_an_error(home: Path) -> None:
    assert said("get-value", "api", "port") == "81\n"
    with pytest.raises(CommandError, match="does not exist"):
        said("get-value", "api", "nope")


def test_lint_reports_what_is_meant_and_ends_with_1(home: Path) -> None:
    with pytest.raises(CommandError, match="3 names"):
        said("lint")
    with pytest.raises(CommandError, match="1 names"):
        said("lint", "--section", "core", "--ignore-option", "hostname,misspelt")
    assert said("lint", "--option", "parallelism") == "Nothing to report.\n"


def test_update_writes_only_with_fix_and_keeps_the_file_as_it_was(home: Path) -> None:
    cfg = home / "airflow.cfg"
    shown = said("update")
    assert "[core] dag_concurrency -> [core] max_active_tasks_per_dag" in shown
    assert "To do by hand: [core] misspelt" in shown
    assert cfg.read_text() == CFG
    said("update", "--fix", "--all-recommendations")
    assert cfg.read_text() == "[core]\nmax_active_tasks_per_dag = 5\n\nmisspelt = 4\n\n[smtp]\nsmtp_password = hush\n"
    assert (home / "airflow.cfg.bak").read_text() == CFG
    assert oct(cfg.stat().st_mode & 0o777) == "0o600"


def test_what_is_said_and_what_is_asked_for_go_to_different_places() -> None:
    """An error is one sentence on standard error, exit code 1; -v logs there too."""
    done = subprocess.run(
        [REPOSITORY / "af", "config", "get-value", "core", "nope", "-v"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.strip().split("\n")[-1] == "CommandError: The option [core] nope does not exist."
