"""What a text becomes as the value of an option (C31-a)."""

from pathlib import Path
from typing import Any

import pytest

from orchestrator.config.option import ConfigurationError, Option

HOME = Path("/srv/home")


def option(kind: Any, **more: Any) -> Option:
    return Option("core", "thing", kind, None, "A thing.", **more)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("int", " 12 ", 12),
        ("float", "1.5", 1.5),
        ("bool", "True", True),
        ("bool", "f", False),
        ("bool", "0  # off", False),
        ("json", '{"a": 1}', {"a": 1}),
        ("str", "{AIRFLOW_HOME}/x", "/srv/home/x"),
        ("path", "{AIRFLOW_HOME}/dags", "/srv/home/dags"),
        ("path", "relative", "/srv/home/relative"),
        ("int", "", None),
        ("str", "", ""),
    ],
)
def test_a_text_becomes_the_typed_value(kind: str, text: str, value: object) -> None:
    assert option(kind).parse(text, "test", HOME) == value


def test_a_choice_is_found_whatever_its_case() -> None:
    assert option("choice", choices=("INFO", "DEBUG")).parse("debug", "test", HOME) == "DEBUG"


@pytest.mark.parametrize(
    ("kind", "text", "more", "allowed"),
    [
        ("int", "many", {}, "a whole number"),
        ("int", "-1", {"minimum": 0}, "at least 0"),
        ("int", "70000", {"maximum": 65535}, "at most 65535"),
        ("bool", "perhaps", {}, "true or false"),
        ("json", "{", {}, "JSON"),
        ("choice", "red", {"choices": ("blue", "green")}, "one of blue, green"),
    ],
)
def test_a_wrong_value_names_option_value_source_and_what_is_allowed(
    kind: str, text: str, more: dict[str, Any], allowed: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        option(kind, **more).parse(text, "the file x", HOME)
    for part in ("[core] thing", repr(text), "the file x", allowed):
        assert part in str(caught.value)


def test_a_wrong_secret_is_not_shown() -> None:
    with pytest.raises(ConfigurationError) as caught:
        option("json", sensitive=True).parse("hunter2", "the file x", HOME)
    assert "hunter2" not in str(caught.value)
