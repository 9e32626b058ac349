"""How values are written out for people."""

import json

from runs.pages.ti_values import kind_of, pretty


def test_what_is_short_stays_on_one_line_within_something_long() -> None:
    value = {"rows": 12, "items": list(range(20)), "deep": {"text": "ü" * 90, "none": None}}
    text = pretty(value)
    assert json.loads(text) == value
    assert f'  "items": {json.dumps(list(range(20)))},' in text.splitlines()
    assert pretty({"a": 1}) == '{"a": 1}'


def test_no_value_is_too_deep() -> None:
    value: list[object] = ["x" * 200]
    for _ in range(80):
        value = [value]
    assert json.loads(pretty(value)) == value


def test_kinds_have_words() -> None:
    assert [kind_of(value) for value in (None, True, 1.5, "x", [], {}, {"__classname__": "a.B"})] == [
        "nothing", "true or false", "number", "text", "list", "mapping", "a.B",
    ]  # fmt: skip
