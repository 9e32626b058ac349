"""What stands in a log file: Airflow's lines, limits, and counts of what is missing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from orchestrator.sdk.execution.masking import SecretsMasker
from orchestrator.sdk.execution.supervisor.log_files import LogFile, LogWriter
from orchestrator.sdk.execution.supervisor.settings import VARIABLE, SupervisorSettings
from orchestrator.sdk.execution.supervisor.task_log import LineSplitter, TaskLog


def written(tmp_path: Path, **limits):
    writer = LogWriter()
    settings = SupervisorSettings(execution_api_url="", base_log_folder=str(tmp_path), **limits)
    masker = SecretsMasker()
    log = TaskLog(tmp_path / "dag_id=d" / "attempt=1.log", settings, writer, masker)
    return writer, log, masker


def lines(tmp_path: Path):
    return [json.loads(line) for line in (tmp_path / "dag_id=d" / "attempt=1.log").read_text().splitlines()]


def test_a_log_has_folders_lines_and_a_trailer_that_is_masked_too(tmp_path):
    writer, log, masker = written(tmp_path)
    masker.add("top-secret-word")
    log.output(["one", "two top-secret-word"], "task.stdout", "info")
    log.close({"cause": "user_exception", "cause_detail": "top-secret-word"}, "stopped by ada")
    writer.start()
    writer.stop()
    found = lines(tmp_path)
    assert [line["event"] for line in found] == ["one", "two ***", "Task attempt ended", "stopped by ada"]
    assert found[2]["cause_detail"] == "***"


def test_a_log_at_its_limit_says_so_once_and_counts_what_is_missing(tmp_path):
    writer, log, _masker = written(tmp_path, log_max_bytes=500)
    for number in range(100):
        log.output([f"line {number}"], "task.stdout", "info")
    log.close({"cause": "success"})
    writer.start()
    writer.stop()
    found = lines(tmp_path)
    assert sum("reached 500 bytes" in line["event"] for line in found) == 1
    assert found[-1]["dropped_lines"] + len(found) - 2 == 100


def test_a_spool_that_is_full_drops_lines_but_takes_the_trailer(tmp_path):
    file = LogFile(tmp_path / "x.log", 100, 0o600, 0o700)
    file.put(b"a" * 90, 1)
    file.put(b"b" * 90, 4)
    file.put(b"trailer", 1, force=True)
    assert file.dropped_lines == 4
    assert file.write()
    file.finish()
    assert (tmp_path / "x.log").read_bytes() == b"a" * 90 + b"trailer"


def test_a_line_without_an_end_is_cut_and_bytes_that_are_no_text_are_shown():
    found: list[str] = []
    splitter = LineSplitter(found.extend)
    for _ in range(4):
        splitter.feed(b"x" * 50_000)
    splitter.feed(b"\xff\nlast")
    splitter.finish()
    assert max(map(len, found)) <= 64 * 1024
    assert found[-1] == "last"
    assert "".join(found) == "x" * 200_000 + "\\xff" + "last"


@pytest.mark.parametrize("text", [None, "{", "{}", '{"execution_api_url": "u", "base_log_folder": "l", "max_host": 1}'])
def test_settings_that_cannot_be_used_are_refused(text):
    with pytest.raises(ValueError, match=VARIABLE):
        SupervisorSettings.from_environment({VARIABLE: text} if text else {})
