"""The log viewer's server half: the end of the file first, parts around a byte, search, the first error, hostile lines (C10)."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from runs import log_window
from runs.logs import log_file
from runs.models import TaskInstance
from tests.factories import NOON, make_dag, make_run, make_ti
from tests.integration.ui.logs import said, write_log
from tests.integration.ui.signed_in import client_of

pytestmark = pytest.mark.django_db
PAGE = "/dags/d/runs/r/tasks/t"


@pytest.fixture
def ti() -> TaskInstance:
    made = make_ti(make_run(make_dag("d"), "r"), "t", state="success", start_date=NOON, end_date=NOON)
    log_file(made).unlink(missing_ok=True)
    return made


@pytest.fixture
def viewer() -> Client:
    return client_of("Viewer")


def part(client: Client, **query: Any) -> Any:
    return client.get(PAGE, query).json()


def test_the_page_has_the_last_500_lines_and_earlier_ones_come_when_asked(ti: TaskInstance, viewer: Client) -> None:
    write_log(ti, [said(f"line {number}") for number in range(1, 1201)])
    page = viewer.get(PAGE)
    text = page.content.decode()
    assert (text.count("<li id="), "line 701<" in text, "line 700<" in text) == (500, True, False)
    assert '>701</a><time datetime="2026-01-05T12:00:01.500000+00:00">12:00:01.500</time>' in text
    earlier = part(viewer, fragment="before", position=page.context["window"].start)
    assert ("line 700<" in earlier["html"], earlier["count"], earlier["number"]) == (True, 500, 201)
    assert earlier["end"] == page.context["window"].start
    first = part(viewer, fragment="before", position=earlier["start"])
    assert (first["start"], first["count"]) == (0, 200)


def test_a_link_to_a_line_shows_it_among_its_neighbours_and_the_later_ones_follow(ti: TaskInstance, viewer: Client) -> None:
    path = write_log(ti, [said(f"line {number}") for number in range(1, 2001)])
    at = path.read_bytes().index(b"line 1000") - 60
    at = path.read_bytes().rindex(b"\n", 0, at + 61) + 1
    page = viewer.get(PAGE, {"at": at})
    assert f'id="B{at}"' in page.content.decode()
    assert len(page.context["window"].lines) == 625
    later = part(viewer, fragment="after", position=page.context["window"].end)
    assert (later["count"], later["end"] == later["size"]) == (500, False)
    inside = part(viewer, fragment="around", position=at + 7)
    assert f'id="B{at}"' in inside["html"]


def test_what_is_written_while_one_reads_comes_and_a_half_line_waits(ti: TaskInstance, viewer: Client) -> None:
    TaskInstance.objects.update(state="running", end_date=None)
    path = write_log(ti, [said("one")])
    window = viewer.get(PAGE).context["window"]
    with path.open("a") as file:
        file.write(json.dumps(said("two")) + '\n{"event": "hal')
    more = part(viewer, fragment="after", position=window.end, number=2)
    assert ("two" in more["html"], "hal" in more["html"], more["live"]) == (True, False, True)
    assert (">2</a>" in more["html"], more["end"] == more["size"]) == (True, True)
    TaskInstance.objects.update(state="success", end_date=NOON)
    last = part(viewer, fragment="after", position=more["end"])
    assert ("hal" in last["html"], last["live"]) == (True, False)


def test_hostile_lines_are_only_text(ti: TaskInstance, viewer: Client) -> None:
    evil = "<script>alert(1)</script>\"'"
    frame = {"filename": evil, "lineno": evil, "name": evil}
    error = {"exc_type": evil, "exc_value": evil, "frames": [frame, None, 3], "exc_notes": [evil], "exceptions": [[None]]}
    records: list[Any] = [
        said(evil, logger=evil, filename=evil, lineno=evil, **{evil: evil, "deep": {"a": [evil]}}),
        said("\x1b[31mred\x1b[0m \x1b]0;title\x07 \x1b[2J \u202etxt.exe", level=evil, timestamp=evil),
        said("::group::" + evil),
        {"event": {"not": "text"}, "level": None, "error_detail": "no list", "timestamp": 7},
        said("x", error_detail=[error, "odd", None]),
        "no json " + evil,
        "[1, 2]",
        "",
    ]
    write_log(ti, records)
    text = viewer.get(PAGE).content.decode()
    lines = text[text.index('id="log"') : text.index("</ol>\n<p")]
    assert evil not in text
    assert "<script>" not in lines
    assert '<span class="c1">red</span>' in lines
    assert ("\x1b" in lines, "title" in lines.partition("red")[2][:80], "\u202e" in lines) == (False, False, False)


def test_levels_have_words_and_information_has_none(ti: TaskInstance, viewer: Client) -> None:
    write_log(ti, [said("a"), said("b", level="WARN"), said("c", level="error"), said("d", level="strange")])
    text = viewer.get(PAGE).content.decode()
    assert 'class="warning" data-logger="task"' in text
    assert ("<b>WARNING</b>" in text, "<b>ERROR</b>" in text, "<b>INFO</b>" in text) == (True, True, False)


def test_frames_of_libraries_are_folded_and_the_authors_own_stand_out(ti: TaskInstance, viewer: Client) -> None:
    frames = [
        {"filename": "/x/orchestrator/sdk/run.py", "lineno": 1, "name": "run"},
        {"filename": "/dags/d.py", "lineno": 7, "name": "load"},
        {"filename": "/usr/lib/python3.11/json/decoder.py", "lineno": 9, "name": "decode"},
    ]
    cause = {"exc_type": "OSError", "exc_value": "disk", "frames": frames[:1], "is_cause": False}
    error = {"exc_type": "ValueError", "exc_value": "no rows", "frames": frames, "is_cause": True}
    write_log(ti, [said("Task failed", level="error", error_detail=[error, cause])])
    text = viewer.get(PAGE).content.decode()
    assert '<ol class="frames own"><li>/dags/d.py:7 in load</li></ol>' in text
    assert text.count("<summary>1 frame of libraries</summary>") == 3
    assert "caused by" in text


def test_the_first_error_is_found_outside_of_the_end_and_stderr_counts_less(ti: TaskInstance, viewer: Client) -> None:
    lines: list[Any] = [said("progress", level="error", logger="task.stderr"), said('not "level":"error"')]
    lines += [said(f"line {number}") for number in range(1000)]
    lines += [said("broken", level="error"), *[said("after") for _ in range(1000)], said("again", level="critical")]
    path = write_log(ti, lines)
    found = part(viewer, fragment="error")
    whole = path.read_bytes()
    assert whole[found["positions"][0] :].startswith(json.dumps(said("broken", level="error")).encode())
    second = part(viewer, fragment="error", position=found["positions"][0] + 1)
    assert b'"again"' in whole[second["positions"][0] :].split(b"\n")[0]
    at_error = viewer.get(PAGE, {"at": "error"}).content.decode()
    assert "broken" in at_error and f'data-at="{found["positions"][0]}"' in at_error
    write_log(ti, [said("fine")])
    assert part(viewer, fragment="error") == {
        "positions": [],
        "scanned": path.stat().st_size,
        "complete": True,
        "size": path.stat().st_size,
    }
    assert "No error was found in the log." in viewer.get(PAGE, {"at": "error"}).content.decode()


def test_the_server_searches_the_whole_file_for_a_text(ti: TaskInstance, viewer: Client) -> None:
    path = write_log(ti, [said('Größe "eins"'), *[said(f"line {n}") for n in range(3000)], said("größe two", rows=17)])
    found = part(viewer, fragment="find", q='Größe "E')
    assert (found["positions"], found["complete"]) == ([0], True)
    assert len(part(viewer, fragment="find", q="two")["positions"]) == 1
    assert len(part(viewer, fragment="find", q="ROWS=17")["positions"]) == 1
    many = part(viewer, fragment="find", q="line")
    assert (len(many["positions"]), many["complete"], many["size"]) == (500, False, path.stat().st_size)
    assert part(viewer, fragment="find", q="")["positions"] == []


def test_a_log_of_a_gigabyte_is_shown_from_its_end_and_never_read_whole(
    ti: TaskInstance, viewer: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_log(ti, [])
    with path.open("r+b") as file:  # a hole of a gigabyte: only the end is on the disk
        file.truncate(1 << 30)
        file.seek(0, os.SEEK_END)
        file.write(b"\n" + b"".join(json.dumps(said(f"line {n}")).encode() + b"\n" for n in range(600)))
    read: list[int] = []
    plain = Path.open

    def counting(self: Path, *args: Any, **kwargs: Any) -> Any:
        file = plain(self, *args, **kwargs)
        if self != path:
            return file
        return _Counting(file, read)

    monkeypatch.setattr(Path, "open", counting)
    text = viewer.get(PAGE).content.decode()
    assert (text.count("<li id="), "line 599<" in text) == (500, True)
    assert sum(read) < 4 * log_window.WINDOW_BYTES
    read.clear()
    part(viewer, fragment="around", position=1 << 29)
    part(viewer, fragment="before", position=1 << 29)
    assert sum(read) < 30 * log_window.WINDOW_BYTES


class _Counting:
    """A file that notes how much is read of it."""

    def __init__(self, file: Any, read: list[int]) -> None:
        self._file, self._read = file, read

    def __enter__(self) -> "_Counting":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def seek(self, *args: int) -> Any:
        return self._file.seek(*args)

    def read(self, size: int) -> bytes:
        data: bytes = self._file.read(size)
        self._read.append(len(data))
        return data


def test_the_log_is_downloaded_as_text_and_as_it_is(ti: TaskInstance, viewer: Client) -> None:
    error = {"exc_type": "ValueError", "exc_value": "no", "frames": [{"filename": "d.py", "lineno": 7, "name": "load"}]}
    path = write_log(ti, [said("\x1b[31mone\x1b[0m"), said("two", level="error", error_detail=[error]), "three"])
    answer: Any = viewer.get(PAGE, {"download": "txt"})
    assert answer["Content-Disposition"] == 'attachment; filename="d_t_try1.txt"'
    text = b"".join(answer.streaming_content).decode()
    assert text.splitlines() == [
        "[2026-01-05T12:00:01.5Z] INFO - one",
        "[2026-01-05T12:00:01.5Z] ERROR - two",
        '  File "d.py", line 7, in load',
        "ValueError: no",
        "three",
    ]
    raw: Any = viewer.get(PAGE, {"download": "jsonl"})
    assert b"".join(raw.streaming_content) == path.read_bytes()
    assert viewer.get(PAGE, {"download": "pdf"}).status_code == 404


def test_where_there_is_no_log_the_page_says_why(ti: TaskInstance, viewer: Client) -> None:
    assert "it was deleted, or the task never started a process" in viewer.get(PAGE).content.decode()
    assert viewer.get(PAGE, {"download": "txt"}).status_code == 404
    assert part(viewer, fragment="after")["html"] == ""
    assert part(viewer, fragment="error")["complete"] is True
    assert viewer.get(PAGE, {"fragment": "nonsense"}).status_code == 404
    TaskInstance.objects.update(state="running", end_date=None)
    assert "the task has not written yet" in viewer.get(PAGE).content.decode()
    TaskInstance.objects.update(state=None, try_number=0, start_date=None)
    assert "has not begun a try yet" in viewer.get(PAGE).content.decode()
    TaskInstance.objects.update(state="upstream_failed", end_date=NOON)
    assert "did not run (upstream failed)" in viewer.get(PAGE).content.decode()
    for odd in ("at=-3", "at=999999999999999999", "at=x", "fragment=after&position=x", "try=99", "try=x", "all"):
        assert viewer.get(f"{PAGE}?{odd}").status_code == 200, odd
