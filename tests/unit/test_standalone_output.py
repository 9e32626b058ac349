"""How the output of several parts becomes one stream."""

import io
import os

import pytest

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
