"""Decides what is said of an event of an asset: for each consumer the run that has it, or why it waits or is over (C23-c)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dags_app.models import Dag
from runs.assets.fates import Fate, FateState, fates_of
from runs.explain.answer import Explanation, said
from runs.explain.dag import explain_dag, explain_waits
from runs.models import AssetEvent

Json = Any


def explain_event(event: AssetEvent) -> list[dict[str, Json]]:
    """Return one document per consumer, or per partition of it.

    A consumer is asked why it waits once, however many of its partitions wait for the event.
    """
    fates = fates_of(event)
    dags = Dag.objects.in_bulk({fate.dag_id for fate in fates if fate.is_asked})
    found = []
    for dag_id in dict.fromkeys(fate.dag_id for fate in fates):
        own = [fate for fate in fates if fate.dag_id == dag_id]
        reasons = _reasons(dags[dag_id], [fate for fate in own if fate.is_asked]) if dag_id in dags else {}
        found += [_document(fate, reasons.get(fate.wait_id) if fate.is_asked else None) for fate in own]
    return found


def _reasons(dag: Dag, asked: Sequence[Fate]) -> dict[int | None, Explanation]:
    """Return why a DAG has no run yet, by the id of a partition that waits; None for the DAG without partitions."""
    waits = [fate.wait for fate in asked if fate.wait is not None]
    found: dict[int | None, Explanation] = {wait.pk: why for wait, why in zip(waits, explain_waits(dag, waits), strict=True)}
    if len(waits) < len(asked):
        found[None] = explain_dag(dag)[0]
    return found


def _document(fate: Fate, why: Explanation | None) -> dict[str, Json]:
    facts = why.document() if why else {"reason": None, "sentence": _sentence(fate), "blockers": [], "eta": None}
    return {
        "dag_id": fate.dag_id,
        "partition_key": fate.wait.partition_key if fate.wait else None,
        "state": str(fate.state),
        "dag_run_id": fate.run.run_id if fate.run else None,
        **facts,
        "since": said(fate.at),
    }


def _sentence(fate: Fate) -> str:
    if fate.run is not None:
        return f"Run {fate.run.run_id} of DAG {fate.dag_id} has it."
    if fate.state is FateState.WAITING:
        return f"It starts no run of DAG {fate.dag_id} ({fate.reason}); the next run takes it too."
    return f"No run of DAG {fate.dag_id} takes it: {fate.reason}."
