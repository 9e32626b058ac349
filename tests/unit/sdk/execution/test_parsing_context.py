"""What a DAG file and a task are told about the task that the process is for."""

from __future__ import annotations

import os

import pytest

from orchestrator.sdk import get_parsing_context
from orchestrator.sdk.execution.host.task_process import set_task_environment


def test_a_running_task_is_what_its_process_is_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", dict(os.environ))
    assert tuple(get_parsing_context()) == (None, None)
    ti = {"dag_id": "d", "task_id": "g.t", "run_id": "r", "try_number": 1}
    set_task_environment({"ti": ti, "ti_context": {}})
    assert tuple(get_parsing_context()) == ("d", "g.t")
