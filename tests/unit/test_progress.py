"""Progress of long work: a bar where somebody watches, plain lines otherwise."""

from __future__ import annotations

from io import StringIO

from orchestrator.management.progress import Progress


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_terminal_gets_a_bar_with_what_is_left() -> None:
    out, clock = Terminal(), Clock()
    with Progress("rows deleted", 4, out, clock) as progress:
        clock.now += 1
        progress.add(1, "now dag_run")
        assert out.getvalue() == "\r[#######                       ]  25%  1 of 4 rows deleted  3 s left  now dag_run\033[K"
        progress.add(1)  # too soon for another picture
        assert out.getvalue().count("\r") == 1
        progress.add(2)
    assert out.getvalue().endswith("\r[##############################] 100%  4 of 4 rows deleted\033[K\n")


def test_a_file_gets_a_line_now_and_then_and_none_for_short_work() -> None:
    out, clock = StringIO(), Clock()
    with Progress("files parsed", None, out, clock) as progress:
        for _ in range(3):
            clock.now += 4
            progress.add(1000)
    assert out.getvalue() == "3,000 files parsed\n"


def test_it_goes_through_what_is_to_be_done() -> None:
    progress = Progress("pools imported", None, StringIO())
    assert list(progress.through(["a", "b"])) == ["a", "b"]
    assert (progress.done, progress.total) == (2, 2)
