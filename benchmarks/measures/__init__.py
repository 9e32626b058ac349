"""Decides which measurements there are, in which order they run, and which DAG file each needs."""

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.measures import dag_file, expansion, first_run, idle, rest, runs
from benchmarks.outcome import Outcome
from benchmarks.session import Session


@dataclass(frozen=True)
class Measure:
    """``dag_id`` names the DAG file that is there from the start; ``tasks`` is its size."""

    name: str
    dag_id: str
    tasks: int
    run: Callable[[Session, "Measure"], Outcome]
    is_quick: bool = False
    is_large: bool = False

    @property
    def group(self) -> str:
        """Measures of one group share one start of the platform."""
        return "start" if self.dag_id == "once_1" else "large" if self.is_large else "load"


MEASURES = (
    Measure("first_run", "once_1", 1, first_run.measure, is_quick=True),
    Measure("idle", "once_1", 1, idle.measure, is_quick=True),
    Measure("noop_100", "noop_100", 100, runs.measure_throughput, is_quick=True),
    Measure("noop_1000", "noop_1000", 1000, runs.measure_throughput),
    Measure("chain_20", "chain_20", 20, runs.measure_gaps, is_quick=True),
    Measure("chain_200", "chain_200", 200, runs.measure_gaps),
    Measure("chain_1000", "chain_1000", 1000, runs.measure_gaps, is_large=True),
    Measure("fan_100", "fan_100", 102, runs.measure_cost, is_quick=True),
    Measure("fan_1000", "fan_1000", 1002, runs.measure_cost),
    Measure("fan_5000", "fan_5000", 5002, runs.measure_cost, is_large=True),
    Measure("fan_10000", "fan_10000", 10002, runs.measure_cost, is_large=True),
    Measure("mapped_100", "mapped_100", 100, runs.measure_cost, is_quick=True),
    Measure("mapped_1000", "mapped_1000", 1000, runs.measure_cost),
    Measure("mapped_10000", "mapped_10000", 10000, runs.measure_cost, is_large=True),
    Measure("expand_10000", "expand_10000", 10000, expansion.measure, is_large=True),
    Measure("dag_file", "visible_1", 1, dag_file.measure, is_quick=True),
    Measure("new_dag_file", "visible_1", 1, dag_file.measure_new),
    Measure("rest", "noop_100", 100, rest.measure, is_quick=True),
    Measure("idle_after_load", "noop_100", 100, idle.measure_after_load, is_quick=True),
)


GROUPS = ("start", "load", "large")


def chosen(only: list[str], quick: bool) -> list[Measure]:
    """Return the measures whose name is, or whose shape is, in ``only`` (empty: all). Raises ValueError for an unknown name."""
    known = {measure.name for measure in MEASURES} | {_shape(measure.name) for measure in MEASURES}
    unknown = [name for name in only if name not in known]
    if unknown:
        raise ValueError(f"unknown measure {', '.join(unknown)}: choose from {', '.join(m.name for m in MEASURES)}")
    wanted = [m for m in MEASURES if not only or m.name in only or _shape(m.name) in only]
    kept = [m for m in wanted if m.is_quick or not quick or m.name in only]
    return sorted(kept, key=lambda measure: GROUPS.index(measure.group))


def _shape(name: str) -> str:
    return name.rstrip("0123456789").rstrip("_")
