"""Decides how much scheduling suffers while retention deletes a long history (C18-b): `python -m benchmarks.retention`.

One platform on a PostgreSQL server of its own runs a chain of tasks again and again. Meanwhile the runs of some DAGs become
old, retention is ordered and deletes 90 % of them, then rests as long as that took; then those of the next DAGs. The gaps
between the end of a task and the start of the next are compared between the rounds and the rests after them: what other
programs do to the machine changes slower than that, so it meets both.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from statistics import median, quantiles

import psycopg

from benchmarks.client import Client, seconds, until
from benchmarks.database import database
from benchmarks.platforms import REPOSITORY, Platform, ours
from benchmarks.processes import machine_busy_seconds
from orchestrator.standalone.linux import adopt_orphans, descendants

# Of the 100 runs of each seeded DAG these stay.
KEPT_RUNS = 10
# The seeded runs are of 2026; a round makes them ten years older.
DAYS = 1000
# Retention has a round of its own a minute after the start, which finds nothing.
FIRST_REST_SECONDS = 90.0
LONGEST_SECONDS = 7200
SAMPLES = 2000
Gaps = list[float]


@dataclass
class Rounds:
    """Orders one round of retention after the other; ``spans`` are those that ended, in seconds since 1970."""

    connection: psycopg.Connection[tuple[float, float]]
    groups: list[list[str]]
    rest_until: float
    spans: list[tuple[float, float]] = field(default_factory=list)
    is_ordered: bool = False

    def look(self) -> bool:
        """Order the next round where the rest is over, note one that ended; return whether all are done."""
        if self.is_ordered:
            self._note()
        elif time.time() >= self.rest_until:
            if not self.groups:
                return True
            self._order(self.groups.pop())
        return False

    def _order(self, dag_ids: list[str]) -> None:
        aged = "run_after = run_after - interval '10 years', end_date = end_date - interval '10 years'"
        self.connection.execute(f"UPDATE runs_dagrun SET {aged} WHERE dag_id = ANY(%s)", [dag_ids])
        self.connection.execute(
            "UPDATE processes_housekeeping SET ordered_at = now(), ended_at = NULL, begun_at = NULL WHERE name = 'prune_history'"
        )
        self.is_ordered = True

    def _note(self) -> None:
        columns = "extract(epoch FROM begun_at)::float, extract(epoch FROM ended_at)::float"
        row = self.connection.execute(
            f"SELECT {columns} FROM processes_housekeeping WHERE name = 'prune_history' AND ended_at > begun_at"
        ).fetchone()
        if row is not None:
            self.spans.append(row)
            self.rest_until = time.time() + row[1] - row[0]
            self.is_ordered = False

    def pairs(self, gaps: list[tuple[float, float]]) -> list[tuple[Gaps, Gaps]]:
        """Return for each round the gaps in milliseconds while it deleted, and in the rest after it."""
        ends = [*(begun for begun, _ in self.spans[1:]), float("inf")]
        found = []
        for (begun, ended), following in zip(self.spans, ends, strict=True):
            during = [gap for at, gap in gaps if begun <= at < ended]
            after = [gap for at, gap in gaps if ended <= at < following]
            if during and after:
                found.append((during, after))
        return found


def main() -> int:
    """Seed, run, print the figures as Markdown."""
    options = _options()
    if options.inside:
        return _inside(options)
    adopt_orphans()
    with tempfile.TemporaryDirectory(prefix="benchmark-home-") as folder, database("postgresql", Path(folder)) as url:
        home = Path(folder) / "home"
        home.mkdir()
        platform = ours(home, url, 32)
        platform.settings |= _retention(options)
        subprocess.run(
            [sys.executable, "manage.py", "migrate", "--verbosity", "0"], cwd=REPOSITORY, env=platform._environment(), check=True
        )
        command = [sys.executable, "-m", "benchmarks.retention", "--inside", *sys.argv[1:]]
        subprocess.run(command, cwd=REPOSITORY, env=platform._environment(), check=True)
        with psycopg.connect(url, autocommit=True) as connection:
            print(_measure(platform, connection, options))
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.retention", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--scale", type=float, default=0.06, help="1 is 5,000,000 task instances with a change of state each")
    parser.add_argument("--rounds", type=int, default=10, help="rounds of retention")
    parser.add_argument("--dags", type=int, default=8, help="seeded DAGs whose runs become old for each round")
    parser.add_argument("--chain", type=int, default=100, help="tasks of the chain")
    parser.add_argument("--batch-rows", type=int, default=500, help="[retention] batch_rows")
    parser.add_argument("--pause-seconds", type=float, default=0.2, help="[retention] pause_seconds")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def _retention(options: argparse.Namespace) -> dict[str, str]:
    values = {
        "dag_runs_days": DAYS,
        "interval_seconds": 10 * LONGEST_SECONDS,
        "keep_runs_per_dag": KEPT_RUNS,
        "batch_rows": options.batch_rows,
        "pause_seconds": options.pause_seconds,
    }
    return {f"AIRFLOW__RETENTION__{name.upper()}": str(value) for name, value in values.items()}


def _inside(options: argparse.Namespace) -> int:
    """Fill the database, in a process that may use Django."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "orchestrator.settings")
    import django

    django.setup()
    from benchmarks.seed import seed, seed_changes

    seed(options.scale)
    seed_changes()
    return 0


def _measure(platform: Platform, connection: psycopg.Connection[tuple[float, float]], options: argparse.Namespace) -> str:
    row = connection.execute("SELECT count(*), count(DISTINCT dag_id) FROM runs_taskinstance").fetchone()
    tasks, dags = (int(row[0]), int(row[1])) if row else (0, 0)
    ids = [f"dag_{number:04}" for number in range(1, min(dags, options.rounds * options.dags) + 1)]
    groups = [ids[start : start + options.dags] for start in range(0, len(ids), options.dags)]
    rounds = Rounds(connection, groups, time.time() + FIRST_REST_SECONDS)
    busy, began = machine_busy_seconds(), time.monotonic()
    platform.install(f"chain_{options.chain}")
    client = platform.start()
    try:
        gaps = _run_chains(client, f"chain_{options.chain}", options.chain, rounds)
        own = sum(_processor_seconds(pid) for pid in descendants(os.getpid()))
    finally:
        platform.stop()
    others = machine_busy_seconds() - busy - own
    shared = 100 * others / ((time.monotonic() - began) * (os.cpu_count() or 1))
    return _table(rounds.pairs(gaps), f"{tasks:,} task instances, {len(ids)} of {dags} DAGs lost 90 % of their runs", shared)


def _run_chains(client: Client, dag_id: str, size: int, rounds: Rounds) -> list[tuple[float, float]]:
    """Run the chain until all rounds and rests are over; return when each task began, and its gap in milliseconds."""
    until(lambda: client.answered(f"/api/v2/dags/{dag_id}"), 60, f"DAG {dag_id} to be visible")
    limit = time.monotonic() + LONGEST_SECONDS
    gaps = []
    while not rounds.look():
        if time.monotonic() > limit:
            raise TimeoutError(f"after {LONGEST_SECONDS} s retention is not done")
        run_id = client.trigger(dag_id)
        client.finished_run(dag_id, run_id, 60 + size)
        ordered = sorted(client.task_instances(dag_id, run_id), key=lambda one: seconds(one["start_date"]))
        for earlier, later in pairwise(ordered):
            start = seconds(later["start_date"])
            gaps.append((start, 1000 * (start - seconds(earlier["end_date"]))))
    return gaps


def _processor_seconds(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(int(value) for value in fields[11:15]) / os.sysconf("SC_CLK_TCK")


def _table(pairs: list[tuple[Gaps, Gaps]], what: str, others: float) -> str:
    """Return the figures as Markdown; how sure they are comes from drawing the pairs anew, many times."""
    lines = ["| | gaps | p50 | p95 | p99 |", "| --- | --- | --- | --- | --- |"]
    for name, place in (("while it deletes", 0), ("at rest", 1)):
        gaps = [gap for pair in pairs for gap in pair[place]]
        cuts = _cuts(gaps)
        lines.append(f"| {name} | {len(gaps):,} | {cuts[49]:.1f} ms | {cuts[94]:.1f} ms | {cuts[98]:.1f} ms |")
    lines += ["", f"{what} in {len(pairs)} rounds. Other programs used {max(0.0, others):.0f} % of the machine."]
    for name, cut in (("p50", 49), ("p95", 94)):
        each = [100 * (_cuts(during)[cut] / _cuts(after)[cut] - 1) for during, after in pairs]
        low, high = _range(pairs, cut)
        lines.append(
            f"{name} while it deletes: {_change(pairs, cut):+.0f} % (90 % of draws: {low:+.0f} to {high:+.0f} %); "
            f"median of the rounds {median(each):+.0f} %, they are {', '.join(f'{one:+.0f}' for one in each)}."
        )
    return "\n".join(lines)


def _cuts(gaps: Gaps) -> list[float]:
    return quantiles(gaps, n=100, method="inclusive") if len(gaps) > 1 else gaps * 99


def _change(pairs: list[tuple[Gaps, Gaps]], cut: int) -> float:
    """Return by how many percent a quantile of all gaps is higher while it deletes."""
    during, after = ([gap for pair in pairs for gap in pair[place]] for place in (0, 1))
    return 100 * (_cuts(during)[cut] / _cuts(after)[cut] - 1)


def _range(pairs: list[tuple[Gaps, Gaps]], cut: int) -> tuple[float, float]:
    draw = random.Random(1)
    found = sorted(_change(draw.choices(pairs, k=len(pairs)), cut) for _ in range(SAMPLES))
    return found[SAMPLES // 20], found[-SAMPLES // 20]


if __name__ == "__main__":
    sys.exit(main())
