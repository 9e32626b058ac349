"""Decides what runs in memory remember: runs, task instances, XComs, variables, connections, events, kept values."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from orchestrator.kernel.ids import new_id
from orchestrator.sdk.execution.masking import SecretsMasker
from orchestrator.sdk.testing.given import as_text, connections_of

Json = Any
Place = tuple[str, str, str, int]
"""DAG, run, task, map index."""


@dataclass
class TaskResult:
    """One task instance of a run in memory, under the names of Airflow's task instance.

    ``logs`` are the records of all tries, ``exception`` is what the last try raised, ``duration`` is in seconds.
    """

    dag_id: str
    run_id: str
    task_id: str
    map_index: int = -1
    state: str | None = None
    try_number: int = 0
    max_tries: int = 0
    rendered_map_index: str | None = None
    rendered_fields: dict[str, Json] = field(default_factory=dict)
    exception: BaseException | None = None
    logs: list[dict[str, Any]] = field(default_factory=list)
    start_date: datetime | None = None
    end_date: datetime | None = None
    operator: str = ""
    id: str = field(default_factory=lambda: str(new_id()))
    next_method: str | None = None
    next_kwargs: Json = None
    first_poke: datetime | None = None
    pokes: int = 0
    deferred_at: datetime | None = None
    store: Store | None = field(default=None, repr=False, compare=False)

    @property
    def duration(self) -> float | None:
        """Seconds between the start and the end of the last try, leaps of the clock included."""
        if self.start_date is None or self.end_date is None:
            return None
        return (self.end_date - self.start_date).total_seconds()

    @property
    def label(self) -> str:
        """``task`` or ``task[3]``."""
        return self.task_id if self.map_index < 0 else f"{self.task_id}[{self.map_index}]"

    @property
    def place(self) -> Place:
        """DAG, run, task and map index."""
        return (self.dag_id, self.run_id, self.task_id, self.map_index)

    @property
    def log_text(self) -> str:
        """The messages of all tries, one per line."""
        return "\n".join(str(record.get("event", "")) for record in self.logs)

    @property
    def xcoms(self) -> dict[str, Any]:
        """What the task pushed, by key."""
        if self.store is None:
            return {}
        found = self.store.xcoms.items()
        return {key: self.store.value(item) for (*place, key), item in found if tuple(place) == self.place}

    @property
    def result(self) -> Any:
        """What the task returned, None if nothing."""
        return self.xcoms.get("return_value")


@dataclass
class StoredXCom:
    """One XCom in its wire format."""

    value: Json
    mapped_length: int | None = None


@dataclass
class Store:
    """What a server would keep in its database. One store may serve several runs, so that later ones see earlier ones.

    Args:
        variables: texts by key; other values become JSON.
        connections: by id: URIs, JSON, mappings of parts, or ``Connection`` objects.
        pools: slots by name; ``default_pool`` is always there.
        answers: what people answer, by task id: ``{"chosen_options": [...], "params_input": {...}}``.
    """

    variables: dict[str, Any] = field(default_factory=dict)
    connections: dict[str, Any] = field(default_factory=dict)
    pools: dict[str, int] | None = None
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    runs: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    instances: dict[Place, TaskResult] = field(default_factory=dict)
    xcoms: dict[tuple[str, str, str, int, str], StoredXCom] = field(default_factory=dict)
    asset_events: list[dict[str, Any]] = field(default_factory=list)
    triggered: list[dict[str, Any]] = field(default_factory=list)
    task_values: dict[tuple[str, str, str, int], dict[str, Json]] = field(default_factory=dict)
    asset_values: dict[str, dict[str, Json]] = field(default_factory=dict)
    questions: dict[str, dict[str, Any]] = field(default_factory=dict)
    masker: SecretsMasker = field(default_factory=SecretsMasker, repr=False)

    def __post_init__(self) -> None:
        self.variables = {key: as_text(value) for key, value in self.variables.items()}
        self.connections = connections_of(self.connections)

    def add(self, instance: TaskResult) -> TaskResult:
        """Take in a task instance."""
        instance.store = self
        self.instances[instance.place] = instance
        return instance

    def forget_run(self, dag_id: str, run_id: str) -> None:
        """Forget a run of that id, its task instances and their XComs: a new one takes its place."""
        self.runs.pop((dag_id, run_id), None)
        for place in [place for place in self.instances if place[:2] == (dag_id, run_id)]:
            del self.instances[place]
        for key in [key for key in self.xcoms if key[:2] == (dag_id, run_id)]:
            del self.xcoms[key]

    def of_run(self, dag_id: str, run_id: str) -> list[TaskResult]:
        """Return the task instances of a run."""
        return [item for place, item in self.instances.items() if place[:2] == (dag_id, run_id)]

    def pushed(self, dag_id: str, run_id: str, task_id: str, key: str) -> dict[int, StoredXCom]:
        """Return the XComs of a task by map index, in order."""
        wanted = (dag_id, run_id, task_id)
        found = {place[3]: item for place, item in self.xcoms.items() if place[:3] == wanted and place[4] == key}
        return dict(sorted(found.items()))

    def earlier_runs(self, dag_id: str, logical_date: str | None, state: str | None = None) -> list[dict[str, Any]]:
        """Return the runs of a DAG before a logical date, the newest first."""
        if logical_date is None:
            return []
        limit = datetime.fromisoformat(logical_date)
        runs = [run for (owner, _), run in self.runs.items() if owner == dag_id and run["logical_date"]]
        found = [run for run in runs if datetime.fromisoformat(run["logical_date"]) < limit]
        found = [run for run in found if state is None or run["state"] == state]
        return sorted(found, key=lambda run: datetime.fromisoformat(run["logical_date"]), reverse=True)

    @staticmethod
    def value(item: StoredXCom) -> Any:
        """Return an XCom as its task gave it."""
        from orchestrator.sdk.serialization.values import decode

        return decode(json.loads(json.dumps(item.value)), trusted=True)
