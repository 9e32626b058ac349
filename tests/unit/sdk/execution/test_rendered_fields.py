"""What people see of the template fields of an attempt."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from orchestrator.sdk.definitions.asset import Asset, AssetAlias
from orchestrator.sdk.execution.rendered_fields import shown_fields


def shown(value: Any) -> Any:
    return shown_fields(SimpleNamespace(template_fields=("v",), v=value))["v"]


class Word(str):
    """As a member of an enum of texts, which has another text for people."""

    def __str__(self) -> str:
        return "Word.YES"


class Plain:
    def method(self) -> None: ...


class OwnForm:
    def serialize(self) -> Any:
        return {"a": (1, Plain)}


HERE = __name__


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Plain, f"<callable {HERE}.Plain>"),
        (shown, f"<callable {HERE}.shown>"),
        (Plain().method, f"<callable {HERE}.Plain.method>"),
        (len, "<callable builtins.len>"),
        (Plain(), f"<{HERE}.Plain object>"),
        ([Plain()], [f"<{HERE}.Plain object>"]),
        (OwnForm(), {"a": [1, f"<callable {HERE}.Plain>"]}),
        (Word("yes"), "yes"),
        ({1: "a", None: "b"}, {"1": "a", "None": "b"}),
        ({1, "a"}, [1, "a"]),
        (AssetAlias("al"), str(AssetAlias("al"))),
        ([Asset("s3://b/k")], [str(Asset("s3://b/k"))]),
        (float("nan"), None),
        ([float("inf")], [None]),
    ],
)
def test_what_is_no_json_has_a_text_that_is_the_same_in_each_attempt(value: Any, expected: Any) -> None:
    assert shown(value) == expected


def test_keys_stand_in_their_order_by_letters() -> None:
    assert list(shown({"b": 1, "a": {"d": 1, "c": 2}})) == ["a", "b"]


def test_a_long_text_is_cut_after_a_note() -> None:
    text = shown("x" * 5000)
    assert len(text) == 4096
    assert text.startswith("Truncated. You can change this behaviour in [core]max_templated_field_length. xxx")
    assert text.endswith("x...")
    assert shown("x" * 4096) == "x" * 4096


def test_a_long_list_is_cut_as_python_writes_it_and_masked_by_names_before() -> None:
    text = shown([{"password": "hunter2"}, "y" * 5000])
    assert "[{'password': '***'}, 'yyy" in text


def test_parts_with_a_renderer_of_their_own_are_shown_besides() -> None:
    task = SimpleNamespace(
        template_fields=("conf",),
        template_fields_renderers={"conf": "json", "conf.query": "sql", "conf.none": "sql", "other.query": "sql"},
        conf={"query": "select 1", "none": None},
    )
    assert shown_fields(task) == {"conf": {"query": "select 1", "none": None}, "conf.query": "select 1"}
