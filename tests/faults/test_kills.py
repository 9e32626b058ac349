"""SIGKILL of any process at any of its armed points, while 300 tasks run: all finish, none twice at once (C02-b, I1)."""

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
    wait_until(lambda: platform.happened() == {"queue.after_commit"}, 120, what="the scheduler to be killed")
    platform.wait_finished()
    assert_all_ran(platform)


def faults(kind: str, points: dict[str, int]) -> str:
    """The text that kills a process of one kind at each of its points, at the given passage."""
    return ",".join(f"{kind}{name}:kill:{nth}" for name, nth in points.items())


def run_with_kills(platform: Platform, text: str, parts: tuple[str, ...], seconds: float = 0.2) -> None:
    """Run the 300 tasks while the faults happen one after the other; all end after the last."""
    platform.arm(text)
    # Processes that die every other second live too short for the usual five; leases stay as they are.
    platform.deployment.env["AIRFLOW__WORKERS__HEARTBEAT_SECONDS"] = "0.5"
    platform.write_dag(web(platform.folder, seconds=seconds))
    platform.keep(*parts)
    names = {entry.split(":")[0] for entry in text.split(",")}
    try:
        wait_until(lambda: platform.happened() == names or platform.has_ended("web"), 300, what="all kills", interval=0.1)
    except AssertionError as error:
        raise AssertionError(f"{error}; missing: {names - platform.happened()}\n{platform.report()}") from None
    platform.wait_finished()
    assert platform.happened() == names
    assert_all_ran(platform)


SEPARATE = ("api_server", "scheduler", "dag_processor")
SCHEDULER = {
    "executor.before_register": 1,
    "create_run.after_commit": 1,
    "start_run.after_commit": 1,
    "claim_run.after_claim": 1,
    "load_run.after_create": 1,
    "advance.before_commit": 3,
    "advance.after_commit": 5,
    "queue.before_commit": 6,
    "queue.after_commit": 9,
    "queue.after_hand_over": 12,
    "take_events.after_delete": 8,
    "finish_run.before_commit": 1,
}


def test_a_scheduler_killed_at_twelve_points_loses_nothing(platform: Platform) -> None:
    run_with_kills(platform, faults("", SCHEDULER), SEPARATE)


SUPERVISOR = {
    "before_hello": 1,
    "after_accept": 5,
    "before_run": 20,
    "after_run": 40,
    "after_fork": 60,
    "after_exit": 70,
    "before_report": 90,
    "after_report": 110,
    "before_ended": 130,
    "before_heartbeat": 1,
}


def test_a_supervisor_killed_at_ten_points_loses_nothing(platform: Platform) -> None:
    run_with_kills(platform, faults("supervisor.", SUPERVISOR), SEPARATE, seconds=1.0)


HOST = {
    "host.before_import": 1,
    "host.after_import": 1,
    "host.before_fork": 10,
    "host.after_fork": 30,
    "host.after_forked": 50,
    "host.before_reap": 60,
    "host.after_reap": 80,
    "host.after_exited": 100,
    "zygote.before_fork": 2,
    "zygote.after_fork": 3,
}


def test_a_dag_host_killed_at_ten_points_loses_nothing(platform: Platform) -> None:
    run_with_kills(platform, faults("", HOST), SEPARATE)


TASK = {
    "after_fork": 10,
    "before_startup": 30,
    "before_run": 50,
    "before_context": 70,
    "before_render": 90,
    "before_execute": 110,
    "after_execute": 130,
    "before_report": 150,
    "after_report": 170,
    "before_exit": 190,
}


def test_a_task_killed_at_ten_points_is_tried_again(platform: Platform) -> None:
    run_with_kills(platform, faults("task.", TASK), SEPARATE)


API = {
    "before_batch": 5,
    "after_batch": 15,
    "before_group": 25,
    "before_commit": 40,
    "after_commit": 50,
    "before_start": 20,
    "after_start": 25,
    "before_finish": 30,
    "after_finish": 35,
    "before_renew": 1,
}


def test_an_api_server_killed_at_ten_points_loses_nothing(platform: Platform) -> None:
    run_with_kills(platform, faults("api.", API), SEPARATE, seconds=1.0)
