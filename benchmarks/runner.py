"""Decides the order of everything: repetition, database, platform, then one measurement after the other, each alone."""

import os
import sys
import tempfile
import time
from argparse import Namespace
from itertools import groupby
from pathlib import Path

from benchmarks.database import KINDS, database
from benchmarks.measures import Measure, chosen
from benchmarks.outcome import Outcome
from benchmarks.platforms import airflow, ours
from benchmarks.processes import machine_busy_seconds
from benchmarks.session import Session

SECONDS_PER_TASK_OURS = 0.5
SECONDS_PER_TASK_PEER = 3.0


def run_all(options: Namespace) -> list[Outcome]:
    """Run what the options ask for. What cannot be measured is an outcome with a problem, never an end of the whole."""
    kinds = KINDS if options.database == "both" else (options.database,)
    outcomes: list[Outcome] = []
    for _ in range(options.repeat):
        for kind in kinds:
            for is_peer in (False, True) if options.peer_python else (False,):
                outcomes += _run_platform(options, kind, is_peer)
    return outcomes


def _run_platform(options: Namespace, kind: str, is_peer: bool) -> list[Outcome]:
    measures = [m for m in chosen(options.only, options.quick) if not (is_peer and m.is_large and not options.peer_large)]
    outcomes: list[Outcome] = []
    # Each group has a home of its own: large DAG files must not disturb the start, nor the small runs.
    for _group, members in groupby(measures, key=lambda measure: measure.group):
        outcomes += _run_group(options, kind, is_peer, list(members))
    return outcomes


def _run_group(options: Namespace, kind: str, is_peer: bool, measures: list[Measure]) -> list[Outcome]:
    home = Path(tempfile.mkdtemp(prefix="benchmark-home-"))
    with database(kind, home) as url:
        platform = (
            airflow(options.peer_python, home, url, options.parallelism) if is_peer else ours(home, url, options.parallelism)
        )
        for measure in measures:
            platform.install(measure.dag_id)
        try:
            _say(f"{platform.name} on {kind} starts")
            client = platform.start()
            bound = SECONDS_PER_TASK_PEER if is_peer else SECONDS_PER_TASK_OURS
            session = Session(platform, client, options.idle_seconds, bound)
            return [_run_measure(session, kind, measure) for measure in measures]
        except (RuntimeError, TimeoutError) as error:
            _say(f"{platform.name} did not start: {error}\n{platform.output()}")
            problem = f"did not start: {error}"
            return [
                Outcome([], m.tasks, problem=problem, platform=platform.name, database=kind, measure=m.name) for m in measures
            ]
        finally:
            platform.stop()


def _run_measure(session: Session, kind: str, measure: Measure) -> Outcome:
    load, busy, began, errors = os.getloadavg()[0], machine_busy_seconds(), time.monotonic(), session.client.errors
    before = session.processor_times()
    try:
        outcome = measure.run(session, measure)
    except (TimeoutError, OSError, ValueError, KeyError, TypeError) as error:
        outcome = Outcome([], problem=f"{type(error).__name__}: {error}", failures=getattr(error, "failures", measure.tasks))
        _say(f"{measure.name} failed: {outcome.problem}\n{session.platform.output()}")
    elapsed = time.monotonic() - began
    mine = sum(session.processor_times().since(before).values())
    strangers = max(0.0, machine_busy_seconds() - busy - mine)
    outcome.others = 100 * strangers / (elapsed * (os.cpu_count() or 1))
    outcome.load, outcome.errors = load, session.client.errors - errors
    outcome.platform, outcome.database, outcome.measure = session.platform.name, kind, measure.name
    _say(describe(outcome))
    return outcome


def describe(outcome: Outcome) -> str:
    """Return one line for the progress."""
    figures = "; ".join(f"{figure.name} {figure.value:.{figure.digits}f} {figure.unit}" for figure in outcome.figures)
    return f"{outcome.measure}: {figures or outcome.problem}; {outcome.failures} failures; others {outcome.others:.0f} %"


def _say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)
