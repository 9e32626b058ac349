"""Decides when a run in memory takes over a new version of its DAG."""

from __future__ import annotations

from dags_app.models import Dag
from orchestrator.kernel.service import Result
from runs.scheduler.holdings import Holdings


class FollowVersions:
    """Has runs of bundles without versions read again when their DAG changes, as in Airflow."""

    name = "follow_versions"
    periodic = True

    def __init__(self, holdings: Holdings) -> None:
        self.holdings = holdings

    def run_once(self, limit: int) -> Result:
        """Compare the versions in memory with the newest ones; one query."""
        following = [owned for owned in self.holdings.runs.values() if owned.follows_versions]
        held = {owned.dag_id for owned in following}
        if not held:
            return Result(next_in=1.0)
        values = ("dag_id", "latest_version_id", "latest_version__structure_hash", "latest_version__attributes_hash")
        known = Dag.objects.filter(dag_id__in=held).exclude(latest_version=None)
        newest = {row[0]: row[1:] for row in known.values_list(*values)}
        behind = [
            owned.pk
            for owned in following
            if owned.dag_id in newest and newest[owned.dag_id] != (owned.version_id, *owned.version_hashes)
        ]
        self.holdings.stale.update(behind)
        return Result(done=len(behind), next_in=1.0)
