"""A timetable of a plugin is known by whatever path a DAG file imports the plugin's file."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from orchestrator.sdk.definitions.timetables import AirflowTimetableInvalid, encode_timetable, register_timetable

SOURCE = """
from orchestrator.sdk.definitions.timetables import Timetable

class AfterWork(Timetable):
    {body}
"""


def module(patch: pytest.MonkeyPatch, path: Path, name: str, body: str) -> ModuleType:
    path.write_text(SOURCE.format(body=body))
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    patch.setitem(sys.modules, name, made)
    spec.loader.exec_module(made)
    return made


def test_the_same_file_under_a_longer_path_is_the_plugins_timetable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    register_timetable(module(monkeypatch, tmp_path / "plugin.py", "late_hours", "description = 'late'").AfterWork)
    author = module(monkeypatch, tmp_path / "author.py", "company.plugins.late_hours", "description = 'late'")
    assert encode_timetable(author.AfterWork()) == {"type": "late_hours.AfterWork"}


def test_another_class_of_that_name_is_still_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    register_timetable(module(monkeypatch, tmp_path / "plugin.py", "early_hours", "description = 'early'").AfterWork)
    author = module(monkeypatch, tmp_path / "author.py", "company.plugins.early_hours", "description = 'other'")
    with pytest.raises(AirflowTimetableInvalid, match=r"company\.plugins\.early_hours\.AfterWork is not registered"):
        encode_timetable(author.AfterWork())
