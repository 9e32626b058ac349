"""SIGKILL of any process at any of its armed points, while 300 tasks run: all finish, none twice at once (C02-b, I1)."""

import pytest

from tests.faults.dag_files import web
from tests.faults.journal import bodies_run_again, never_finished, overlaps
from tests.faults.platform import Platform
from tests.waiting import wait_until

TASKS = 300


def assert_all_ran(platform: Platform, tasks: int = TASKS) -> None:
    """All succeeded; no body overlapped, and none ran again without a killed attempt before it."""
    notes = platform.notes()
    assert platform.states() == {"success": tasks}, platform.report()
    assert set(platform.run_states()) == {"success"}
    assert overlaps(notes) == []
    assert bodies_run_again(notes) == {}
    for run_id, task_id in {(note.run_id, note.task_id) for note in notes}:
        assert never_finished(notes, run_id, {task_id}) == set()


def test_a_scheduler_killed_within_standalone_starts_again_and_all_tasks_finish(platform: Platform) -> None:
    platform.arm("queue.after_commit:kill:5")
    platform.write_dag(web(platform.folder))
    platform.standalone()
    wait_until(lambda: platform.happened() == {"queue.after_commit"}, 60, what="the scheduler to be killed")
    platform.wait_finished()
    assert_all_ran(platform)
