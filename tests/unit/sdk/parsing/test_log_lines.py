"""The log of a DAG file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from orchestrator.sdk.parsing.log_lines import open_log, write_line


def test_c18e_the_log_of_a_file_begins_anew_at_a_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orchestrator.sdk.parsing.log_lines.LONGEST_LOG_BYTES", 150)
    path = tmp_path / "2026-01-05" / "dags-folder" / "a.py.log"
    for number in range(6):
        log = open_log(str(path))
        write_line(log, "info", f"parse {number}", "stdout")
        os.close(log)
    assert sorted(one.name for one in path.parent.iterdir()) == ["a.py.log", "a.py.log.1"]
    assert "parse 5" in path.read_text()
    assert "parse 3" in path.with_name("a.py.log.1").read_text()


def test_a_log_that_cannot_be_opened_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert open_log(str(tmp_path / "file" / "a.log")) == -1
