"""What a DAG file and a task are told about the task that the process is for."""

from __future__ import annotations

import os

import pytest

from orchestrator.sdk import get_parsing_context
from orchestrator.sdk.execution.host.task_process import parsing_for, set_task_environment

TI = {"dag_id": "d", "task_id": "g.t", "run_id": "r", "try_number": 1}


def test_a_file_that_is_imported_for_a_task_is_told_which_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", dict(os.environ))
    assert tuple(get_parsing_context()) == (None, None)
    with parsing_for(TI):
        assert tuple(get_parsing_context()) == ("d", "g.t")
    assert tuple(get_parsing_context()) == (None, None)


def test_what_a_task_imports_or_starts_is_imported_for_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", dict(os.environ))
    set_task_environment({"ti": TI, "ti_context": {}})
    assert os.environ["AIRFLOW_CTX_TASK_ID"] == "g.t"
    assert tuple(get_parsing_context()) == (None, None)
