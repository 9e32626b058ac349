"""Flags of services: how long a scheduler runs, what an API server serves and where logs go."""

from __future__ import annotations

import logging
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.core.management import CommandError

from orchestrator.config import conf
from orchestrator.management.commands.api_server import configure_logging, served_apps
from orchestrator.management.local_arguments import override
from runs.scheduler.service import SchedulerService


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("only_idle", "rounds", "idle", "ends"),
    [(False, 2, 0, False), (False, 3, 0, True), (True, 9, 1, False), (True, 9, 2, True)],
)
def test_a_scheduler_ends_after_the_rounds_that_were_asked_for(only_idle: bool, rounds: int, idle: int, ends: bool) -> None:
    stopped: list[bool] = []
    scheduler = SchedulerService(2, only_idle=only_idle)
    scheduler.executors = []
    scheduler.service = SimpleNamespace(rounds=rounds, idle_rounds=idle, stop=lambda: stopped.append(True))  # type: ignore[assignment]
    scheduler._wake()
    assert bool(stopped) is ends


def test_an_api_server_serves_what_is_named() -> None:
    assert served_apps("core") == ("core",)
    assert served_apps("all") == ("core", "execution")
    with pytest.raises(CommandError, match="choose from core, execution, all"):
        served_apps("nope")


def test_a_flag_wins_over_the_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__TRIGGERER__CAPACITY", "7")
    override("triggerer", "capacity", 5)
    assert conf.get("triggerer", "capacity") == 5
    override("triggerer", "capacity", None)
    assert conf.get("triggerer", "capacity") == 5
    monkeypatch.undo()
    conf.reload()


def test_a_file_configures_the_log_or_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "log.yaml"
    file.write_text("version: 1\ndisable_existing_loggers: false\nloggers: {of.a.test: {level: WARNING}}\n")
    configure_logging(file)
    assert logging.getLogger("of.a.test").level == logging.WARNING
    file.write_text("version: 9\n")
    with pytest.raises(CommandError, match="cannot be used"):
        configure_logging(file)
