"""Decides how what follows a change finds the DAG's definition, without a query each time."""

from __future__ import annotations

from uuid import UUID

from dags_app.selectors import SpecUnreadableError, spec_of
from orchestrator.kernel.clock import monotonic
from orchestrator.sdk.serialization.spec import DagSpec

# A version's attributes may change in place; what is that old is looked at again.
FRESH_SECONDS = 2.0
MOST_KEPT = 256

_kept: dict[UUID, tuple[float, DagSpec]] = {}


def recent_spec(version_id: UUID | None) -> DagSpec | None:
    """Return the DAG of a version as it was at most two seconds ago, None where it cannot be read.

    Runs end and begin by the hundred a second; a DAG without callbacks and deadlines must not pay a query for each.
    """
    if version_id is None:
        return None
    now = monotonic()
    kept = _kept.get(version_id)
    if kept is not None and now - kept[0] < FRESH_SECONDS:
        return kept[1]
    try:
        spec = spec_of(version_id)
    except SpecUnreadableError:
        return None
    if len(_kept) >= MOST_KEPT:
        _kept.clear()
    _kept[version_id] = (now, spec)
    return spec
