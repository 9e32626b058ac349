"""Decides how long each kind of row is kept, by configuration or by the words of ``db clean``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fnmatch import fnmatchcase

from orchestrator.config import conf
from orchestrator.config.option import ConfigurationError


@dataclass(frozen=True, slots=True)
class Rules:
    """What is old: rows from before ``runs_before`` and so on; None keeps that kind for ever.

    ``runs_before_by_dag`` are patterns of dag ids with their own moment, the first that fits counts. ``keep_runs`` is how
    many of a DAG's newest runs stay, however old. ``batch`` is the most rows of one transaction. ``only_dags`` and
    ``not_dags`` narrow what belongs to a DAG.
    """

    runs_before: datetime | None
    events_before: datetime | None
    audit_before: datetime | None
    processes_before: datetime | None
    runs_before_by_dag: Mapping[str, datetime | None] = field(default_factory=dict)
    keep_runs: int = 1
    batch: int = 500
    only_dags: frozenset[str] = frozenset()
    not_dags: frozenset[str] = frozenset()

    def before(self, dag_id: str) -> datetime | None:
        """Return the moment before which runs of a DAG are old; None where they are kept."""
        if dag_id in self.not_dags or (self.only_dags and dag_id not in self.only_dags):
            return None
        fitting = (moment for pattern, moment in self.runs_before_by_dag.items() if fnmatchcase(dag_id, pattern))
        return next(fitting, self.runs_before)

    @property
    def latest(self) -> datetime | None:
        """Return the moment after which no run of any DAG is old; None where none ever is."""
        return max(filter(None, (self.runs_before, *self.runs_before_by_dag.values())), default=None)


def configured_rules(now: datetime) -> Rules:
    """Return the rules of ``[retention]``. Raises ConfigurationError where the days by DAG are no such table."""
    return Rules(
        runs_before=_before(now, int(conf.get("retention", "dag_runs_days"))),
        events_before=_before(now, int(conf.get("retention", "events_days"))),
        audit_before=_before(now, int(conf.get("retention", "audit_days"))),
        processes_before=_before(now, int(conf.get("retention", "processes_days"))),
        runs_before_by_dag={pattern: _before(now, days) for pattern, days in _days_by_dag().items()},
        keep_runs=int(conf.get("retention", "keep_runs_per_dag")),
        batch=int(conf.get("retention", "batch_rows")),
    )


def logs_before(now: datetime) -> datetime | None:
    """Return the moment before which log files go although their run stays."""
    return _before(now, int(conf.get("retention", "logs_days")))


def rules_before(
    moment: datetime, *, batch: int, only: frozenset[str] = frozenset(), without: frozenset[str] = frozenset()
) -> Rules:
    """Return the rules of ``db clean``: one moment for everything, the newest run of each DAG stays."""
    return Rules(moment, moment, moment, moment, batch=batch, only_dags=only, not_dags=without)


def _before(now: datetime, days: int) -> datetime | None:
    return now - timedelta(days=days) if days > 0 else None


def _days_by_dag() -> dict[str, int]:
    table = conf.get("retention", "dag_runs_days_by_dag") or {}
    if not isinstance(table, dict) or not all(type(days) is int and days >= 0 for days in table.values()):
        raise ConfigurationError(
            f"[retention] dag_runs_days_by_dag = {table!r} is not valid: it must be a JSON object of patterns of dag ids with "
            'days, such as {"billing_*": 3650, "scratch_*": 7}; 0 days keeps the runs for ever.'
        )
    return table
