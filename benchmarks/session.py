"""Decides what a measurement gets to work with: a running platform, a client and the processes that belong to it."""

import os
from dataclasses import dataclass

from benchmarks.client import Client
from benchmarks.platforms import Platform
from benchmarks.processes import ProcessorTimes
from orchestrator.standalone.linux import descendants


@dataclass
class Session:
    """A started platform. ``seconds_per_task`` bounds how long a run may take."""

    platform: Platform
    client: Client
    idle_seconds: float
    seconds_per_task: float

    def processor_times(self) -> ProcessorTimes:
        """Return what all processes have used, the database server included."""
        return ProcessorTimes(descendants(os.getpid()))

    def timeout(self, tasks: int) -> float:
        """Return after how many seconds a run of so many tasks counts as failed."""
        return 60 + tasks * self.seconds_per_task
