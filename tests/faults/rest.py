"""Decides how a test talks to a running platform as a person's program does: over the REST API."""

import json
import urllib.request
from datetime import UTC, datetime
from typing import Any

from tests.faults.platform import Platform
from tests.waiting import wait_until


class Rest:
    """A signed-in client; errors are raised with the server's answer."""

    def __init__(self, platform: Platform) -> None:
        platform.wait_answers()
        self._url = platform.deployment.url
        file = platform.deployment.home / "simple_auth_manager_passwords.json.generated"
        wait_until(file.exists, 60, what="the password of the administrator")
        password = json.loads(file.read_text())["admin"]
        self._token = self.call("POST", "/auth/token", {"username": "admin", "password": password}, token="")["access_token"]

    def call(self, method: str, path: str, body: Any = None, token: str | None = None) -> Any:
        """Send one request and return the answer's document."""
        headers = {"Content-Type": "application/json"}
        if token is None:
            headers["Authorization"] = f"Bearer {self._token}"
        content = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self._url}{path}", content, headers, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read() or b"null")

    def trigger(self, dag_id: str) -> str:
        """Start a run of a DAG by hand, for now, as the button in the UI does; return its id."""
        now = datetime.now(UTC).isoformat()
        run = self.call("POST", f"/api/v2/dags/{dag_id}/dagRuns", {"logical_date": now})
        return str(run["dag_run_id"])
