"""Decides what stands on a task instance whose pool does not exist: the reason why it waits, and what to do."""

from __future__ import annotations

from orchestrator.kernel.clock import utcnow
from orchestrator.kernel.service import Result
from runs.models import Pool, TaskInstance
from runs.scheduler.holdings import Holdings
from runs.states import TaskInstanceState

EVERY_SECONDS = 5.0
REASON = "unknown_pool"


class NameUnknownPools:
    """Writes the reason once; the pool's creation ends the wait, because slots are counted anew in each round."""

    name = "name_unknown_pools"
    periodic = True

    def __init__(self, holdings: Holdings) -> None:
        self.holdings = holdings

    def run_once(self, limit: int) -> Result:
        """Look at the pools of what waits for slots; one query where all of them exist."""
        asked = self.holdings.ready.pools
        unknown = asked - set(Pool.objects.filter(pool__in=asked).values_list("pool", flat=True)) if asked else set()
        return Result(done=sum(_name(pool) for pool in unknown), next_in=EVERY_SECONDS)


def _name(pool: str) -> int:
    waiting = TaskInstance.objects.filter(state=TaskInstanceState.SCHEDULED, pool=pool).exclude(wait_reason=REASON)
    text = f"The pool {pool!r} does not exist. Create it, or give the task another pool."
    return waiting.update(wait_reason=REASON, wait_detail={"pool": pool, "message": text}, wait_since=utcnow())
