"""Armed faults happen where, when and as often as they were asked to."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.kernel import faults
from tests.waiting import wait_until


@pytest.fixture(autouse=True)
def _disarmed() -> Iterator[None]:
    yield
    faults.arm("")


def test_without_faults_a_point_does_nothing() -> None:
    faults.fault_point("dispatch.after_commit")


def test_a_fault_happens_at_its_passage_and_not_again() -> None:
    faults.arm("here:raise:2")
    faults.fault_point("elsewhere")
    faults.fault_point("here")
    with pytest.raises(faults.FaultError, match="here"):
        faults.fault_point("here")
    faults.fault_point("here")


def test_a_fault_happens_once_for_all_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORCHESTRATOR_FAULTS_ONCE", str(tmp_path))
    faults.arm("here:raise")
    with pytest.raises(faults.FaultError):
        faults.fault_point("here")
    faults.arm("here:raise")
    faults.fault_point("here")


def test_a_block_waits_for_its_file_and_tells_that_it_was_reached(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    faults.arm(f"here:block:{gate}")
    passing = threading.Thread(target=faults.fault_point, args=("here",))
    passing.start()
    wait_until(Path(f"{gate}.reached").exists, what="the block")
    assert passing.is_alive()
    gate.touch()
    passing.join(60)
    assert not passing.is_alive()


def test_an_unknown_action_is_an_error() -> None:
    with pytest.raises(ValueError, match="unknown action"):
        faults.parse("here:explode")
