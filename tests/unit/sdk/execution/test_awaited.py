"""What coroutines and links of operators may ask: XComs, connections and hooks."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from orchestrator.sdk import BaseOperatorLink
from orchestrator.sdk.definitions.connection import Connection
from orchestrator.sdk.definitions.dag import DAG
from orchestrator.sdk.definitions.xcom import BaseXCom
from orchestrator.sdk.execution.channel import amask_secret
from orchestrator.sdk.hooks.base import BaseHook
from orchestrator.sdk.operators.python import PythonOperator
from tests.attempts import Supervisor, attempt


def dag_of(work: Any, operator: Any = PythonOperator) -> DAG:
    with DAG("d", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC)) as dag:
        operator(task_id="t", python_callable=work)
    return dag


def test_a_coroutine_pulls_and_pushes_xcoms() -> None:
    async def work(ti: Any) -> list[Any]:
        await ti.axcom_push("key", {"a": 1})
        where = {"dag_id": ti.dag_id, "task_id": "t", "run_id": ti.run_id}
        await BaseXCom.aset("other", 2, **where)
        pulled = await ti.axcom_pull("t", key="key", map_indexes=-1)
        one, value = await BaseXCom.aget_one(key="other", **where), await BaseXCom.aget_value(ti_key=ti, key="key")
        return [pulled, one, value, await BaseXCom.aget_all(key="other", **where)]

    ended = attempt(dag_of(work), "t")
    assert ended.xcoms["t", "return_value"] == {-1: [{"a": 1}, 2, {"a": 1}, [2]]}


def test_a_coroutine_gets_connections_and_hides_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_SITE", "http://user@host:80/?a=1")
    monkeypatch.setattr(Connection, "get_hook", lambda self, hook_params=None: [self.conn_id, hook_params])

    async def work() -> list[Any]:
        found = await Connection.async_get("site")
        await amask_secret("hush hush")
        return [await found.aget_uri(), await found.aextra_dejson(), await BaseHook.aget_hook("site", {"x": 1})]

    ended = attempt(dag_of(work), "t")
    assert ended.xcoms["t", "return_value"] == {-1: ["http://user@host:80/?a=1", {"a": "1"}, ["site", {"x": 1}]]}
    assert "hush hush" in [message["value"] for message in ended.of_type("MaskSecret")]


def test_a_link_of_an_operator_reads_what_its_task_pushed() -> None:
    class Job(BaseOperatorLink):
        name = "Job"

        def get_link(self, operator: Any, *, ti_key: Any) -> str:
            return f"https://jobs/{BaseXCom.get_value(ti_key=ti_key, key='job')}"

    class Starts(PythonOperator):
        operator_extra_links = (Job(),)

    ended = attempt(dag_of(lambda ti: ti.xcom_push("job", 7), Starts), "t", Supervisor())
    assert ended.xcoms["t", "_link_Job"] == {-1: "https://jobs/7"}
