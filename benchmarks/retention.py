"""Decides how much scheduling suffers while retention deletes a long history: `python -m benchmarks.retention`.

One platform on a PostgreSQL server of its own runs a chain of tasks again and again: for a minute beside the history at
rest, then while retention deletes 90 % of it, then for a minute after that. The gaps between the end of a task and the
start of the next are compared.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from statistics import quantiles

import psycopg

from benchmarks.client import Client, seconds, until
from benchmarks.database import database
from benchmarks.platforms import REPOSITORY, Platform, ours
from benchmarks.processes import machine_busy_seconds
from orchestrator.standalone.linux import adopt_orphans, descendants

# Of the 100 runs of each seeded DAG these stay.
KEPT_RUNS = 10
AFTER_SECONDS = 60
LONGEST_SECONDS = 3600
PHASES = ("before", "while it deletes", "after")


@dataclass
class Progress:
    """When the history began to shrink and when it was gone, in seconds since 1970; ``runs`` are counted in the database."""

    connection: psycopg.Connection[tuple[int]]
    runs: int
    left: int
    began: float = 0.0
    ended: float = 0.0
    gaps: list[tuple[float, float]] = field(default_factory=list)

    def look(self) -> None:
        """Note a change."""
        now = time.time()
        count = self.connection.execute("SELECT count(*) FROM runs_dagrun WHERE dag_id LIKE 'dag\\_%'").fetchone()
        found = count[0] if count else 0
        if not self.began and found < self.runs:
            self.began = now
        if not self.ended and found <= self.left:
            self.ended = now

    def of_phase(self, phase: str) -> list[float]:
        """Return the gaps of a phase in milliseconds."""
        ended = self.ended or float("inf")
        spans = dict(zip(PHASES, ((0.0, self.began), (self.began, ended), (ended, float("inf"))), strict=True))
        first, last = spans[phase]
        return [gap for at, gap in self.gaps if first <= at < last]


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
            print(_measure(platform, connection, options.chain))
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.retention", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--scale", type=float, default=0.06, help="1 is 5,000,000 task instances with a change of state each")
    parser.add_argument("--chain", type=int, default=100, help="tasks of the chain")
    parser.add_argument("--batch-rows", type=int, default=500, help="[retention] batch_rows")
    parser.add_argument("--pause-seconds", type=float, default=0.2, help="[retention] pause_seconds")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def _retention(options: argparse.Namespace) -> dict[str, str]:
    values = {
        "dag_runs_days": 1,
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


def _measure(platform: Platform, connection: psycopg.Connection[tuple[int]], size: int) -> str:
    row = connection.execute("SELECT count(*) FROM runs_dagrun").fetchone()
    runs = row[0] if row else 0
    tasks = connection.execute("SELECT count(*) FROM runs_taskinstance").fetchone()
    progress = Progress(connection, runs, runs * KEPT_RUNS // 100)
    busy, began = machine_busy_seconds(), time.monotonic()
    dag_id = f"chain_{size}"
    platform.install(dag_id)
    client = platform.start()
    try:
        until(lambda: client.answered(f"/api/v2/dags/{dag_id}"), 60, f"DAG {dag_id} to be visible")
        _run_chains(client, dag_id, size, progress)
        own = sum(_processor_seconds(pid) for pid in descendants(os.getpid()))
    finally:
        platform.stop()
    others = machine_busy_seconds() - busy - own
    shared = 100 * others / ((time.monotonic() - began) * (os.cpu_count() or 1))
    return _table(progress, tasks[0] if tasks else 0, shared)


def _run_chains(client: Client, dag_id: str, size: int, progress: Progress) -> None:
    """Run the chain until a minute after the history is gone."""
    limit = time.monotonic() + LONGEST_SECONDS
    while not progress.ended or time.time() < progress.ended + AFTER_SECONDS:
        if time.monotonic() > limit:
            raise TimeoutError(f"after {LONGEST_SECONDS} s retention is not done")
        run_id = client.trigger(dag_id)
        client.finished_run(dag_id, run_id, 60 + size)
        ordered = sorted(client.task_instances(dag_id, run_id), key=lambda one: seconds(one["start_date"]))
        for earlier, later in pairwise(ordered):
            start = seconds(later["start_date"])
            progress.gaps.append((start, 1000 * (start - seconds(earlier["end_date"]))))
        progress.look()


def _processor_seconds(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(int(value) for value in fields[11:15]) / os.sysconf("SC_CLK_TCK")


def _table(progress: Progress, tasks: int, others: float) -> str:
    lines = ["| | gaps | p50 | p95 | p99 |", "| --- | --- | --- | --- | --- |"]
    for phase in PHASES:
        gaps = progress.of_phase(phase)
        if len(gaps) > 1:
            cuts = quantiles(gaps, n=100, method="inclusive")
            lines.append(f"| {phase} | {len(gaps):,} | {cuts[49]:.1f} ms | {cuts[94]:.1f} ms | {cuts[98]:.1f} ms |")
    took = progress.ended - progress.began
    lines += ["", f"{tasks:,} task instances in {progress.runs:,} runs; 90 % of the runs went in {took:.0f} s. "]
    lines[-1] += f"Other programs used {max(0.0, others):.0f} % of the machine."
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
