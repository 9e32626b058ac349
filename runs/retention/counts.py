"""Decides how many rows a cleaning would delete, without deleting any."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from runs.retention.chunks import RUN_TABLE, run_models, table_names
from runs.retention.old_runs import old_runs
from runs.retention.rules import Rules
from runs.retention.tables import FLAT, table_name


def rows_that_go(rules: Rules, tables: Collection[str] | None = None) -> Counter[str]:
    """Return rows per table. Versions and events that become free by the same cleaning are not foreseen."""
    chosen = set(table_names() if tables is None else tables)
    going: Counter[str] = Counter()
    models = [model for model in run_models() if RUN_TABLE in chosen or table_name(model) in chosen]
    for runs in old_runs(rules) if models else ():
        for model in models:
            going[table_name(model)] += model._default_manager.filter(dag_run_id__in=[run.pk for run in runs]).count()
        going[RUN_TABLE] += len(runs) if RUN_TABLE in chosen else 0
    for flat in FLAT:
        before = flat.before(rules)
        if flat.table in chosen and before is not None:
            rows = flat.model._default_manager.filter(**{f"{flat.age}__lt": before})
            going[flat.table] += flat.narrowed(rows, rules).count()
    return going
