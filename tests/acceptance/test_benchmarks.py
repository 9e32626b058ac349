"""The benchmark runs, measures and leaves nothing behind; how fast anything is does not matter here."""

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from benchmarks.__main__ import BEGIN, END, write_between_markers
from benchmarks.client import Client
from benchmarks.measures import MEASURES, chosen
from benchmarks.measures.runs import RunUnfinishedError
from benchmarks.outcome import Figure, Outcome
from benchmarks.processes import ProcessorTimes
from benchmarks.report import markdown
from benchmarks.retention import Rounds, _table
from tests.oracle import REPOSITORY


def test_a_small_benchmark_of_ours_measures_without_failures_and_leaves_no_home_behind(tmp_path: Path) -> None:
    out = tmp_path / "result.json"
    command = [sys.executable, "-m", "benchmarks", "--database", "sqlite", "--only", "first_run,chain_20", "--out", str(out)]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=500, env=_environment(tmp_path))
    assert done.returncode == 0, done.stderr
    outcomes = json.loads(out.read_text())["outcomes"]
    assert [(one["measure"], one["failures"], one["errors"], one["problem"]) for one in outcomes] == [
        ("first_run", 0, 0, ""),
        ("chain_20", 0, 0, ""),
    ]
    assert all(figure["value"] > 0 for one in outcomes for figure in one["figures"])
    assert outcomes[1]["processor"]["scheduler"] > 0
    assert "gap in a chain of 20, p99" in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["result.json"]


def test_an_unknown_measure_is_refused_with_the_names_that_there_are() -> None:
    with pytest.raises(ValueError, match=r"unknown measure nop: choose from first_run, .*noop_1000"):
        chosen(["nop"], quick=False)


def test_quick_leaves_out_what_takes_long_and_only_takes_a_shape_or_a_name() -> None:
    assert [measure.name for measure in chosen(["noop", "idle"], quick=True)] == ["idle", "noop_100"]
    assert [measure.name for measure in chosen(["noop_1000", "fan"], quick=True)] == ["noop_1000", "fan_100"]


def test_c18b_gaps_while_retention_works_are_compared_with_those_of_the_rest_after_it() -> None:
    rounds = Rounds(connection=None, groups=[], rest_until=0.0, spans=[(100.0, 200.0), (300.0, 400.0)])  # type: ignore[arg-type]
    gaps = [(50.0, 1.0), (150.0, 2.0), (199.0, 3.0), (201.0, 4.0), (300.0, 5.0), (400.0, 6.0)]
    assert rounds.pairs(gaps) == [([2.0, 3.0], [4.0]), ([5.0], [6.0])]


def test_c18b_the_table_says_by_how_much_the_gaps_rise_and_how_sure_that_is() -> None:
    said = _table([([11.0, 11.0], [10.0, 10.0]), ([13.0, 13.0], [10.0, 10.0])], "much", 7.4)
    assert "| at rest | 4 | 10.0 ms | 10.0 ms | 10.0 ms |" in said
    assert "much in 2 rounds. Other programs used 7 % of the machine." in said
    assert "p95 while it deletes: +30 % (90 % of draws: +10 to +30 %); median of the rounds +20 %, they are +10, +30." in said


def test_the_table_shows_the_median_of_all_repetitions_and_counts_every_failure() -> None:
    outcomes = [_outcome(value, failures) for value, failures in ((3, 0), (9, 1), (4, 1))]
    report = markdown(outcomes, "how")
    assert "| throughput | 4 tasks/s |" in report
    assert "| tasks that did not succeed | 2 |" in report


def test_processor_time_before_the_first_moment_does_not_count_where_a_process_has_ended() -> None:
    before, after = ProcessorTimes([]), ProcessorTimes([])
    before.labels, before.parents, before.own, before.ended = (
        {1: "host", 2: "task"},
        {1: 0, 2: 1},
        {1: 1.0, 2: 5.0},
        {1: 0.0, 2: 0.0},
    )
    after.labels, after.parents, after.own, after.ended = {1: "host"}, {1: 0}, {1: 1.5}, {1: 7.0}
    assert after.since(before) == {"host": 0.5, "host: ended children": 2.0}


def test_the_results_replace_only_what_stands_between_the_markers(tmp_path: Path) -> None:
    page = tmp_path / "README.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    write_between_markers(page, "new\n")
    assert page.read_text() == f"before\n{BEGIN}\nnew\n{END}\nafter\n"
    page.write_text("no markers")
    with pytest.raises(ValueError, match="results: begin"):
        write_between_markers(page, "new\n")


def _outcome(value: float, failures: int) -> Outcome:
    return Outcome([Figure("throughput", value, "tasks/s")], failures, platform="ours", database="sqlite", measure="noop_100")


def _environment(temporary: Path) -> dict[str, str]:
    return os.environ | {"TMPDIR": str(temporary)}


def test_a_run_that_does_not_end_counts_only_the_tasks_that_have_not_succeeded() -> None:
    client = _StuckClient()
    session = SimpleNamespace(client=client, timeout=lambda tasks: 0, processor_times=lambda: ProcessorTimes([]))
    measure = next(measure for measure in MEASURES if measure.name == "noop_100")
    with pytest.raises(RunUnfinishedError, match="1 of 100 tasks have not succeeded") as caught:
        measure.run(session, measure)  # type: ignore[arg-type]
    assert caught.value.failures == 1


class _StuckClient(Client):
    """Talks to a platform on which one task of a run never ends."""

    def __init__(self) -> None:
        super().__init__("", Path())

    def answered(self, path: str) -> dict[str, str]:
        return {"state": "running"}

    def trigger(self, dag_id: str) -> str:
        return "run"

    def count(self, dag_id: str, run_id: str, state: str) -> int:
        return 99
