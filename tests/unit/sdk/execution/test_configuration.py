"""What user code may read of the configuration."""

from __future__ import annotations

from datetime import timedelta
from enum import Enum
from pathlib import Path

import pytest

from orchestrator.sdk.configuration import conf
from orchestrator.sdk.exceptions import AirflowConfigException


def test_the_environment_is_read_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__PARALLELISM", "7")
    monkeypatch.setenv("AIRFLOW__MINE__ON", "yes")
    monkeypatch.setenv("AIRFLOW__MINE__DOC", '{"a": [1]}')
    monkeypatch.setenv("AIRFLOW__MINE__SHARE", "0.5")
    assert conf.get("core", "parallelism") == "7"
    assert conf.getint("core", "parallelism") == 7
    assert conf.getboolean("mine", "on") is True
    assert conf.getfloat("mine", "share") == 0.5
    assert conf.getjson("mine", "doc") == {"a": [1]}
    assert conf.has_option("mine", "on")


def test_a_missing_option_gives_the_fallback_or_an_error() -> None:
    assert conf.get("mine", "nope", fallback=None) is None
    assert conf.getint("mine", "nope", fallback=3) == 3
    assert not conf.has_option("mine", "nope")
    with pytest.raises(AirflowConfigException, match="mine/nope"):
        conf.get("mine", "nope")


def test_a_wrong_value_names_the_option(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__MINE__N", "many")
    for read in (conf.getint, conf.getboolean, conf.getjson):
        with pytest.raises(AirflowConfigException, match=r"\[mine\] n"):
            read("mine", "n")


def test_secrets_are_refused() -> None:
    with pytest.raises(AirflowConfigException, match="secret"):
        conf.get("database", "sql_alchemy_conn", fallback="x")


class Word(Enum):
    ONE = 1


def test_an_option_may_be_read_as_a_time_an_object_or_a_member(monkeypatch: pytest.MonkeyPatch) -> None:
    for key, value in {
        "wait": "90",
        "now": "0",
        "none": "",
        "path": "pathlib.Path",
        "gone": "pathlib.Nothing",
        "word": "ONE",
    }.items():
        monkeypatch.setenv(f"AIRFLOW__MINE__{key.upper()}", value)
    assert conf.gettimedelta("mine", "wait") == timedelta(seconds=90)
    assert conf.gettimedelta("mine", "now", fallback=timedelta(1)) == timedelta(0)
    assert conf.gettimedelta("mine", "none", fallback=timedelta(1)) == timedelta(1)
    assert (conf.getimport("mine", "path"), conf.getimport("mine", "none")) == (Path, None)
    assert conf.getenum("mine", "word", Word) is Word.ONE
    for read in (lambda: conf.getimport("mine", "gone"), lambda: conf.getenum("mine", "path", Word)):
        with pytest.raises(AirflowConfigException, match=r"\[mine\]"):
            read()


@pytest.mark.parametrize("seconds", ["9" * 20, "soon", "1.5"])
def test_an_option_that_is_no_time_span_is_an_error_that_names_it(seconds: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__MINE__WAIT", seconds)
    with pytest.raises(AirflowConfigException, match=r"\[mine\] wait"):
        conf.gettimedelta("mine", "wait")


def test_an_option_may_be_mandatory() -> None:
    assert conf.get_mandatory_value("core", "parallelism") == conf.get("core", "parallelism")
    with pytest.raises(ValueError, match="mine/nope"):
        conf.get_mandatory_value("mine", "nope", fallback=None)


def test_a_section_is_read_as_a_whole_without_its_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__MINE__A", "1")
    monkeypatch.setenv("AIRFLOW__MINE__B", "True")
    assert conf.getsection("mine") == {"a": 1, "b": True}
    assert conf.getsection("nope") is None
    database = conf.getsection("database")
    assert database
    assert "sql_alchemy_conn" not in database
