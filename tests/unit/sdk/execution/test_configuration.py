"""What user code may read of the configuration."""

from __future__ import annotations

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
