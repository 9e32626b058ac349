"""Decides whether two documents of the same DAG are recognised as such (C20-a, C20-b)."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dags_app.processor.canonical import canonical_text, document_hashes, first_difference
from dags_app.processor.texts import storable
from orchestrator.sdk.serialization.spec import DagSpec, TaskGroupSpec, TaskSpec, to_json

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
)


def document(**changes):
    spec = DagSpec("d", tasks=[TaskSpec("a", downstream_task_ids=["b"]), TaskSpec("b")], task_groups=[TaskGroupSpec(None)])
    made = to_json(spec)
    made.update(changes)
    return made


def shuffled(value):
    if isinstance(value, dict):
        return {key: shuffled(value[key]) for key in reversed(list(value))}
    return [shuffled(item) for item in value] if isinstance(value, list) else value


@given(JSON)
def test_the_order_of_keys_never_matters_c20_a(value):
    assert canonical_text(shuffled(value)) == canonical_text(value)


@pytest.mark.parametrize(
    "change", [{"description": "x"}, {"tags": ["x"]}, {"start_date": "2026-01-01T00:00:00Z"}, {"doc_md": "x"}]
)
def test_texts_and_dates_are_attributes_c20_b(change):
    old, new = document_hashes(document()), document_hashes(document(**change))
    assert (old[0] == new[0], old[1] == new[1]) == (True, False)


@pytest.mark.parametrize(
    "change", [{"timetable": {"type": "OnceTimetable"}}, {"max_active_runs": 1}, {"tasks": []}, {"catchup": True}]
)
def test_tasks_schedule_and_limits_are_structure_c20_b(change):
    assert document_hashes(document())[0] != document_hashes(document(**change))[0]


def test_attributes_of_tasks_are_attributes_and_links_are_structure_c20_b():
    old, told, linked = document(), document(), document()
    told["tasks"][0]["doc_md"] = "x"
    linked["tasks"][0]["downstream_task_ids"] = []
    assert document_hashes(told)[0] == document_hashes(old)[0]
    assert document_hashes(told)[1] != document_hashes(old)[1]
    assert document_hashes(linked)[0] != document_hashes(old)[0]


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ({"a": 1}, {"a": 1}, None),
        ({"a": 1}, {"a": 2}, "a"),
        ({"a": 1}, {"a": 1.0}, "a"),
        ({"a": 1}, {"a": True}, "a"),
        ({"a": {"b": [1, {"c": 2}]}}, {"a": {"b": [1, {"c": 3}]}}, "a.b[1].c"),
        ({"a": [1]}, {"a": [1, 2]}, "a[1]"),
        ({"a": 1}, {}, "a"),
    ],
)
def test_the_first_field_that_differs_is_named_c20_c(old, new, path):
    assert first_difference(old, new) == path


@given(JSON)
def test_a_copy_does_not_differ(value):
    assert first_difference(value, copy.deepcopy(value)) is None


@given(st.text(st.characters(categories=["Cs", "Cc", "L"])))
def test_any_text_can_be_stored_c04_a(text):
    stored = storable(text, 20)
    stored.encode("utf-8")
    assert "\x00" not in stored
    assert len(stored) <= max(len(text), 20)
