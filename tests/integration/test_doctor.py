"""``manage.py doctor``: each thing that can be wrong is one line with what to do, and the exit code says whether it is bad."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.management import call_command
from django.db import DatabaseError, connection

from dags_app.models import Bundle, ParseImportError
from orchestrator.config import conf
from orchestrator.doctor import database, machine, work
from orchestrator.doctor import round as doctor_round
from orchestrator.doctor.findings import Finding, examined
from orchestrator.kernel.clock import utcnow
from orchestrator.processes.models import Process
from orchestrator.processes.services import process_register
from runs.models import DagRun, TaskInstance
from tests.integration.explain.test_health import waiting_since
from vault.models import Variable

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def sound(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[pytest.MonkeyPatch]:
    """An installation in which nothing is wrong."""
    monkeypatch.setenv("AIRFLOW__API_AUTH__JWT_SECRET", "a-secret-that-is-long-enough-for-a-key")
    monkeypatch.setenv("AIRFLOW__CORE__FERNET_KEY", Fernet.generate_key().decode())
    monkeypatch.setenv("AIRFLOW__LOGGING__BASE_LOG_FOLDER", str(tmp_path))
    monkeypatch.setattr(machine, "WARN_MB", 1)
    conf.reload()
    for kind in ("scheduler", "dag_processor", "triggerer"):
        process_register(kind)
    yield monkeypatch
    monkeypatch.undo()
    conf.reload()


def doctor() -> tuple[int, list[dict[str, str]]]:
    out = StringIO()
    try:
        call_command("doctor", "-o", "json", stdout=out)
    except SystemExit as end:
        return int(str(end.code)), json.loads(out.getvalue())
    return 0, json.loads(out.getvalue())


def lines(check: str, level: str) -> list[str]:
    return [item["text"] for item in doctor()[1] if (item["check"], item["level"]) == (check, level)]


def set_to(patch: pytest.MonkeyPatch, **options: str) -> None:
    for name, value in options.items():
        patch.setenv(f"AIRFLOW__{name.upper()}", value)
    conf.reload()


def test_a_sound_installation_has_only_ok_lines_and_exit_code_0() -> None:
    code, found = doctor()
    assert (code, [item for item in found if item["level"] != "ok"]) == (0, [])
    assert {"database", "schema", "clock", "fernet key", "jwt key", "processes", "logs", "parser", "dispatch"} <= {
        item["check"] for item in found
    }


def test_the_table_says_what_to_do() -> None:
    Process.objects.filter(kind="triggerer").delete()
    out = StringIO()
    call_command("doctor", stdout=out)
    assert "warn  processes" in out.getvalue() and "-> start `manage.py triggerer`" in out.getvalue()


def test_a_process_that_is_missing_fails_and_one_that_is_silent_is_named() -> None:
    old = utcnow() - timedelta(hours=1)
    Process.objects.filter(kind="scheduler").update(heartbeat_at=old)
    code, found = doctor()
    assert code == 1
    texts = [(item["level"], item["text"]) for item in found if item["check"] == "processes"]
    assert ("fail", "no scheduler is alive") in texts
    assert any(level == "warn" and "is silent since" in text for level, text in texts)


def test_a_loop_that_turns_no_more_fails_although_it_beats() -> None:
    Process.objects.filter(kind="scheduler").update(progress_at=utcnow() - timedelta(hours=1))
    assert any("has finished no round" in text for text in lines("processes", "fail"))


def test_c31c_a_process_with_other_values_or_another_version_is_named() -> None:
    Process.objects.filter(kind="scheduler").update(config_fingerprint="other")
    Process.objects.filter(kind="triggerer").update(version="0.0.1")
    found = lines("configuration of processes", "warn")
    assert any(text.startswith("scheduler ") and "(other)" in text for text in found)
    assert any(text.startswith("triggerer ") and "version 0.0.1" in text for text in found)


def test_names_without_effect_and_values_that_are_wrong_are_said(sound: pytest.MonkeyPatch) -> None:
    set_to(sound, core__paralelism="3")
    assert any("paralelism" in text.lower() for text in lines("configuration", "warn"))
    set_to(sound, core__parallelism="many")
    assert any("parallelism" in text for text in lines("configuration", "fail"))


def test_keys_that_are_missing_or_do_not_open_what_is_stored_fail(sound: pytest.MonkeyPatch) -> None:
    Variable.objects.create(key="k", val="secret")
    set_to(sound, core__fernet_key=Fernet.generate_key().decode(), api_auth__jwt_secret="short")
    code, found = doctor()
    assert code == 1
    assert {item["check"] for item in found if item["level"] == "fail"} == {"fernet key", "jwt key"}


def test_a_schema_that_is_behind_fails_and_what_hangs_on_it_is_left_out() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'runs' AND name = '0001_initial'")
    found = list(doctor_round.findings())
    assert [item.text for item in found if item.check == "schema"] == ["1 migrations are not applied: runs.0001_initial"]
    assert not [item for item in found if item.check == "dispatch"]


def test_a_schema_that_is_ahead_is_said() -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO django_migrations (app, name, applied) VALUES ('runs', '9999_later', CURRENT_TIMESTAMP)")
    assert lines("schema", "warn") == ["the database knows migrations that this version does not: runs.9999_later"]


def test_clocks_that_differ_are_said(sound: pytest.MonkeyPatch) -> None:
    sound.setattr(database, "is_postgresql", lambda: True)
    sound.setattr(database, "_skew_of_database", lambda: 7.5)
    assert lines("clock", "fail") == ["this machine and the database differ by 7.50 s"]
    sound.setattr(database, "_skew_of_database", lambda: -1.5)
    assert lines("clock", "warn") == ["this machine and the database differ by 1.50 s"]
    Process.objects.filter(kind="triggerer").update(heartbeat_at=utcnow() + timedelta(minutes=5))
    assert any("heartbeats of the future" in text for text in lines("clock", "fail"))


def test_logs_without_room_fail(sound: pytest.MonkeyPatch) -> None:
    sound.setattr(machine, "FAIL_MB", 10**12)
    assert len(lines("logs", "fail")) == 1


def test_an_executor_that_does_not_exist_fails(sound: pytest.MonkeyPatch) -> None:
    set_to(sound, core__executor="MoonExecutor")
    assert any("MoonExecutor" in text for text in lines("executors", "fail"))


def test_files_with_errors_and_bundles_that_cannot_be_read_are_said() -> None:
    bundle = Bundle.objects.create(name="b", unreadable_since=utcnow(), unreadable_reason="no such folder")
    ParseImportError.objects.create(bundle=bundle, filename="bad.py", timestamp=utcnow(), stacktrace="x\nNameError: y")
    assert lines("parser", "fail") == ["bundle b cannot be read: no such folder"]
    assert lines("parser", "warn") == ["bad.py cannot be imported: NameError: y"]


def test_work_that_lies_and_slow_dispatch_are_said() -> None:
    run, _ = waiting_since(300)
    assert any(run.run_id in text and "is not handed over" in text for text in lines("dispatch", "fail"))
    TaskInstance.objects.update(state="queued", queued_dttm=utcnow())
    assert any(text.startswith("median 300") for text in lines("dispatch", "warn"))
    DagRun.objects.update(scheduling_error="ValueError: broken")
    assert any("ValueError: broken" in text for text in lines("dispatch", "warn"))


def test_a_check_that_breaks_is_a_finding_and_hinders_no_other() -> None:
    def broken() -> Iterator[Finding]:
        raise RuntimeError("boom")

    found = list(examined([("a", broken), ("b", work.parser)]))
    assert (found[0].level, found[0].check) == ("fail", "a") and "boom" in found[0].text
    assert found[1].level == "ok"


def test_without_a_database_the_others_are_still_looked_at(sound: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise DatabaseError("refused")

    sound.setattr(connection, "ensure_connection", refuse)
    found = list(doctor_round.findings())
    assert any(item.check == "database" and item.level == "fail" and "refused" in item.text for item in found)
    assert any(item.check == "logs" for item in found) and not any(item.check == "schema" for item in found)
