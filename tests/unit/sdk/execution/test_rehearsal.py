"""A zygote practises without a trace (C11)."""

import logging
import os
import signal
from collections.abc import Iterator

import pytest

from orchestrator.kernel import faults
from orchestrator.sdk import policies
from orchestrator.sdk.definitions.contexts import DagContext
from orchestrator.sdk.execution.channel import current_channel
from orchestrator.sdk.execution.rehearsal import rehearse
from orchestrator.sdk.plugins import loading


@pytest.fixture
def nothing_loaded(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As in a zygote: no plugins, no policies, no DAGs (other tests may have made some in this process)."""
    monkeypatch.setattr(DagContext, "autoregistered_dags", {})
    loading.forget()
    policies.forget()
    yield
    loading.forget()
    policies.forget()


@pytest.mark.usefixtures("nothing_loaded")
def test_it_runs_a_task_to_its_end_and_leaves_the_process_as_it_was() -> None:
    root, environment = logging.getLogger(), dict(os.environ)
    before = (root.handlers[:], root.level, signal.getsignal(signal.SIGTERM), dict(DagContext.autoregistered_dags))
    assert rehearse(3) == 3
    assert dict(os.environ) == environment
    assert (root.handlers[:], root.level, signal.getsignal(signal.SIGTERM), dict(DagContext.autoregistered_dags)) == before
    assert current_channel() is None
    assert not loading.is_loaded()
    assert policies._state.found is None


def test_faults_are_for_real_tasks() -> None:
    faults.arm("task.before_report:raise")
    try:
        assert rehearse(1) == 0
    finally:
        faults.arm("")
