"""Decides what one order to clear reaches, in one DAG or across DAGs, on which version each run goes on, and clears it all."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.sdk.serialization.spec import DagSpec
from runs.clear_markers import Reached, with_markers
from runs.clear_selection import ClearRequest, by_run, chosen_instances
from runs.rerun_versions import VersionPreview, preview, version_chosen
from runs.services_clear import ClearOptions, instances_clear


def reached_by(dag_id: str, spec: DagSpec, request: ClearRequest, *, recursive: bool) -> list[Reached]:
    """Return what a request reaches, run by run; ``recursive`` follows the markers into other DAGs.

    Raises:
        MarkerError, RecursionDepthError: as ``with_markers``.
    """
    rows = chosen_instances(dag_id, spec, request)
    if recursive:
        return with_markers(rows, request)
    return [Reached(some[0].dag_run, some) for some in by_run(rows).values()]


def foreseen_of(item: Reached, options: ClearOptions, dag_id: str) -> VersionPreview:
    """Return the version on which a run goes on, and what that changes in it. Raises ``VersionUnavailableError``."""
    chosen = _options_for(item, options, dag_id)
    version = version_chosen(item.run.dag, item.run, latest=chosen.latest, number=chosen.version_number)
    return preview(item.run, version)


def reached_clear(reached: Sequence[Reached], options: ClearOptions, dag_id: str) -> None:
    """Clear everything in the caller's transaction.

    Runs are locked by primary key, whatever the order in which the markers led to them.
    """
    for item in sorted(reached, key=lambda item: item.run.pk):
        instances_clear(item.rows, _options_for(item, options, dag_id))


def _options_for(item: Reached, options: ClearOptions, dag_id: str) -> ClearOptions:
    """The number of a version means one DAG; other DAGs keep the version of their run."""
    if item.run.dag_id == dag_id:
        return options
    return ClearOptions(options.actor, options.reset_dag_runs, options.prevent_running, note=options.note)
