"""How the output of several parts becomes one stream."""

import io
import os
from pathlib import Path

import pytest

from orchestrator.standalone.log_file import RotatingFile
from orchestrator.standalone.output import LONGEST_LINE_BYTES, Output, PartReader, is_coloured
from orchestrator.standalone.part import Part, describe_exit


def test_lines_get_the_name_of_their_part_also_when_they_arrive_in_pieces() -> None:
    stream = io.StringIO()
    read_end, write_end = os.pipe()
    reader = PartReader(read_end, "scheduler", Output(stream, coloured=False))
    os.write(write_end, b"one\ntw")
    assert reader.read()
    os.write(write_end, b"o\nlast")
    os.close(write_end)
    assert not reader.read()
    assert stream.getvalue().splitlines() == [f"scheduler     | {word}" for word in ("one", "two", "last")]


def test_a_line_without_end_is_cut_instead_of_kept() -> None:
    stream = io.StringIO()
    read_end, write_end = os.pipe()
    reader = PartReader(read_end, "scheduler", Output(stream, coloured=False))
    for _ in range(3):
        os.write(write_end, b"x" * (LONGEST_LINE_BYTES // 2))
        reader.read()
    assert len(stream.getvalue()) > LONGEST_LINE_BYTES
    os.close(write_end)
    reader.read()


def test_bytes_that_are_no_text_do_not_stop_the_stream() -> None:
    stream = io.StringIO()
    read_end, write_end = os.pipe()
    os.write(write_end, b"\xff\n")
    os.close(write_end)
    PartReader(read_end, "scheduler", Output(stream, coloured=False)).read()
    assert "\ufffd" in stream.getvalue()


@pytest.mark.parametrize(
    ("environment", "expected"), [({}, False), ({"FORCE_COLOR": "1"}, True), ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False)]
)
def test_colour_is_for_terminals_or_by_wish(environment: dict[str, str], expected: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert is_coloured(io.StringIO()) is expected


def test_a_reader_that_went_away_is_remembered() -> None:
    stream = io.StringIO()
    stream.close()
    output = Output(stream, coloured=False)
    output.line("scheduler", "x")
    assert output.is_broken


def test_an_end_is_described_and_followed_by_longer_and_longer_pauses() -> None:
    assert describe_exit(0) == "ended with exit code 0"
    assert describe_exit(9) == "was ended by SIGKILL"
    part = Part("scheduler", lambda: None)
    sentences = []
    for _ in range(4):
        part.started_at = 1e12
        sentences.append(part.ended(256))
    assert [text.rsplit("in ", 1)[1].split(" s")[0] for text in sentences] == ["1", "2", "4", "8"]
    assert "restarted 4 times" in sentences[-1]


def test_c18e_the_stream_is_kept_in_a_file_that_begins_anew_at_a_size(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "standalone.log"
    output = Output(io.StringIO(), coloured=True, file=RotatingFile(path, most_bytes=60, older=2))
    for number in range(12):
        output.line("scheduler", f"line {number}")
    kept = [path.with_name(f"standalone.log{suffix}") for suffix in (".2", ".1", "")]
    assert sorted(path.parent.iterdir()) == sorted(kept)
    assert max(one.stat().st_size for one in kept) <= 60
    assert "".join(one.read_text() for one in kept).splitlines() == [f"scheduler     | line {number}" for number in range(6, 12)]


def test_c18e_a_file_that_was_there_is_added_to_and_one_that_cannot_be_written_stops_nobody(tmp_path: Path) -> None:
    path = tmp_path / "standalone.log"
    for _ in range(2):
        RotatingFile(path, most_bytes=1000, older=0).write("x")
    assert path.read_text() == "x\nx\n"
    stream = io.StringIO()
    Output(stream, coloured=False, file=RotatingFile(path / "below", most_bytes=10, older=0)).line("scheduler", "on")
    assert stream.getvalue() == "scheduler     | on\n"
