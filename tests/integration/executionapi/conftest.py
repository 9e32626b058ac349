"""Decides how tests of the Execution API talk to it: as a worker does, with the token of an attempt."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client

from runs.models import TaskInstance
from runs.workload_tokens import issue_execution_token, issue_workload_token
from tests.factories import make_dag, make_run, make_ti

BEGIN = {"state": "running", "hostname": "h", "unixname": "u", "pid": 7, "start_date": "2026-01-05T12:00:00Z"}
END = {"state": "success", "end_date": "2026-01-05T12:00:05Z"}


@pytest.fixture(autouse=True)
def execution_api(settings: Any) -> None:
    """Serve only the paths under ``/execution/``."""
    settings.ROOT_URLCONF = "tests.integration.executionapi.urls"


class Worker:
    """Speaks for one attempt."""

    def __init__(self, ti: TaskInstance) -> None:
        self.ti = ti
        self.workload = issue_workload_token(ti.pk, ti.dispatch_id)
        self.token = issue_execution_token(ti.pk, ti.dispatch_id)
        self.client = Client(raise_request_exception=False)

    def path(self, operation: str) -> str:
        """The path of an operation of the own attempt."""
        return f"task-instances/{self.ti.pk}/{operation}"

    def send(self, method: str, path: str, body: Any = ..., token: str | None = "", version: str = "", query: Any = None) -> Any:
        """Send one request; without ``token`` the execution token is used, ``None`` sends none."""
        headers = {} if token is None else {"Authorization": f"Bearer {token or self.token}"}
        if version:
            headers["Airflow-API-Version"] = version
        content = "" if body is ... else json.dumps(body)
        url = f"/execution/{path}" + (f"?{urlencode(query, doseq=True)}" if query else "")
        return self.client.generic(method, url, content, "application/json", headers=headers)

    def run(self, **more: Any) -> Any:
        """Start the attempt with the workload token."""
        return self.send("PATCH", self.path("run"), BEGIN | more, self.workload)

    def state(self, **body: Any) -> Any:
        """Report a state; success at the usual time where nothing else is given."""
        return self.send("PATCH", self.path("state"), END | body)

    def heartbeat(self) -> Any:
        """Say that the attempt still runs."""
        return self.send("PUT", self.path("heartbeat"), {"hostname": "h", "pid": 7})

    def row(self) -> TaskInstance:
        """The row as it is now."""
        return TaskInstance.objects.get(pk=self.ti.pk)


def batch(*requests: tuple[str, str, str | None, Any]) -> list[dict[str, Any]]:
    """Send ``(method, path, token, body)`` in one batch and return the responses."""
    items = [
        {"id": number, "method": method, "path": path, "token": token, "body": body}
        for number, (method, path, token, body) in enumerate(requests)
    ]
    response = Client().post("/execution/batch", {"requests": items}, "application/json")
    assert response.status_code == 200, response.content
    responses: list[dict[str, Any]] = response.json()["responses"]
    assert [item["id"] for item in responses] == [item["id"] for item in items]
    return responses


def queued_workers(number: int, run: Any = None) -> list[Worker]:
    """Workers of ``number`` queued attempts of one run."""
    run = run or make_run(make_dag())
    return [Worker(make_ti(run, f"t{index}")) for index in range(number)]


@pytest.fixture
def queued(db: None) -> Worker:
    """The worker of an attempt that was handed to it."""
    return Worker(make_ti(make_run(make_dag())))


@pytest.fixture
def running(queued: Worker) -> Worker:
    """The worker of an attempt that runs."""
    assert queued.run().status_code == 200
    return queued
