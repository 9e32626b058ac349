"""Values have the wire form that Airflow 3.3.2 gives them, and come back as there (`data/wire_values.py`, `data/wire_golden.json`)."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from orchestrator.sdk.serialization import values

DATA = Path(__file__).parent / "data"

#: Where this project does more, and why: Airflow writes a form that it cannot read, refuses, or loses a part in silence.
BETTER = {
    "dt_off": "Airflow writes a fixed offset without the offset",
    "np_a": "Airflow refuses arrays",
    "np_af": "Airflow refuses arrays",
    "np_c": "Airflow drops the imaginary part; here it is refused",
    "ts": "Airflow refuses pandas.Timestamp",
}


def load_values() -> Any:
    """Import the values under the name that they had when they were recorded."""
    if "wire_values" not in sys.modules:
        spec = importlib.util.spec_from_file_location("wire_values", DATA / "wire_values.py")
        assert spec is not None and spec.loader is not None
        module = sys.modules["wire_values"] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules["wire_values"]


CASES: dict[str, Any] = load_values().CASES
RECORDED: dict[str, Any] = json.loads((DATA / "wire_golden.json").read_text())
COMPARED = sorted(CASES.keys() - BETTER.keys())


@pytest.fixture(autouse=True)
def allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__ALLOWED_DESERIALIZATION_CLASSES", "airflow.* wire_values.*")


@pytest.mark.parametrize("name", COMPARED)
def test_a_value_has_airflows_wire_form(name: str) -> None:
    recorded = RECORDED[name]
    if "error" in recorded:
        with pytest.raises(Exception) as caught:
            values.encode(CASES[name])
        assert type(caught.value).__name__ == recorded["error"]
        return
    assert json.dumps(values.encode(CASES[name])) == json.dumps(recorded["wire"])


@pytest.mark.parametrize(
    "name", [name for name in COMPARED if "back" in RECORDED[name] and " at 0x" not in RECORDED[name]["back"]]
)
def test_a_value_of_airflow_comes_back_as_there(name: str) -> None:
    back = values.decode(RECORDED[name]["wire"])
    assert f"{type(back).__module__}.{type(back).__qualname__} {back!r}" == RECORDED[name]["back"]


def test_a_class_that_is_not_allowed_is_not_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__ALLOWED_DESERIALIZATION_CLASSES", "airflow.*")
    with pytest.raises(ImportError, match=r"wire_values\.D was not found in allow list"):
        values.decode(RECORDED["D"]["wire"])
