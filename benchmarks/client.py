"""Decides how the benchmark talks to a platform: Airflow's REST API v2, the same code for both."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

PAGE = 100
REQUEST_TIMEOUT_SECONDS = 60
FINISHED = ("success", "failed")
PASSWORDS = "simple_auth_manager_passwords.json.generated"


class Client:
    """A signed-in client. ``url`` without a path, ``home`` with the file of the generated passwords."""

    def __init__(self, url: str, home: Path) -> None:
        self.url, self.home = url, home
        self.errors = 0
        self._token = ""

    def get(self, path: str) -> Any:
        """Return the answer's JSON. Raises urllib.error.HTTPError for 4xx and 5xx, OSError where nothing answers."""
        return self._call("GET", path)

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """Like ``get``, with a body."""
        return self._call("POST", path, body)

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, headers=headers, method=method)
        with urllib.request.urlopen(request, timeout=REQUEST_TIMEOUT_SECONDS) as answer:
            return json.loads(answer.read())

    def answered(self, path: str) -> Any:
        """Like ``get``, but None where there is no good answer; for questions that are asked again. Counts errors."""
        try:
            return self.get(path)
        except urllib.error.HTTPError as error:
            self.errors += error.code >= 500
        except (OSError, ValueError):
            self.errors += bool(self._token)
        return None

    def sign_in(self) -> bool:
        """Get a token; False where the platform is not that far yet."""
        try:
            username, password = next(iter(json.loads((self.home / PASSWORDS).read_text()).items()))
            self._token = self.post("/auth/token", {"username": username, "password": password})["access_token"]
        except (OSError, ValueError, StopIteration):
            return False
        return True

    def trigger(self, dag_id: str) -> str:
        """Start a run of the DAG; returns its id."""
        return str(self.post(f"/api/v2/dags/{dag_id}/dagRuns", {"logical_date": None})["dag_run_id"])

    def finished_run(self, dag_id: str, run_id: str, timeout: float) -> dict[str, Any]:
        """Wait until the run has ended. Raises TimeoutError after ``timeout`` seconds."""
        path = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}"
        run: dict[str, Any] = until(lambda: _if_finished(self.answered(path)), timeout, f"run {run_id} of {dag_id}")
        return run

    def count(self, dag_id: str, run_id: str, state: str) -> int:
        """Return how many task instances of the run are in ``state``."""
        answer = self.get(f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances?limit=1&state={state}")
        return int(answer["total_entries"])

    def task_instances(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        """Return all task instances of the run, page by page."""
        path = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances?limit={PAGE}&offset="
        found: list[dict[str, Any]] = []
        while page := self.get(f"{path}{len(found)}")["task_instances"]:
            found += page
        return found


def until(question: Callable[[], Any], timeout: float, what: str) -> Any:
    """Return the first true answer, asked less and less often so that the asking costs little. Raises TimeoutError."""
    began = time.monotonic()
    while not (answer := question()):
        elapsed = time.monotonic() - began
        if elapsed > timeout:
            raise TimeoutError(f"after {timeout:.0f} s still waiting for {what}")
        time.sleep(min(2.0, max(0.05, elapsed / 20)))
    return answer


def seconds(moment: str) -> float:
    """Return an instant of the REST API as seconds since 1970."""
    return datetime.fromisoformat(moment).timestamp()


def _if_finished(run: dict[str, Any] | None) -> dict[str, Any] | None:
    return run if run and run["state"] in FINISHED else None
