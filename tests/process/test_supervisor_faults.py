"""One supervisor against trouble: an API that is away or hostile, a full disk, floods of output, stops and drains."""

from __future__ import annotations

import json
import signal

import pytest

from tests.process.process_watch import wait_until_gone
from tests.waiting import wait_until

SLEEPER = """
@dag.task
def t(startup, channel):
    ready(channel)
    time.sleep(300)
"""


def test_a_report_survives_an_api_server_that_is_away_for_a_while(start, api):
    supervisor = start(
        """
@dag.task
def t(startup, channel):
    ready(channel)
    here = os.path.dirname(__file__)
    open(os.path.join(here, "heard"), "w").close()
    while not os.path.exists(os.path.join(here, "go")):
        time.sleep(0.02)
"""
    )
    ti_id = supervisor.execute("t")
    task = api.wait_for(lambda: api.xcoms.get("pid"))
    api.wait_for(lambda: (supervisor.dags / "heard").exists())  # else the server may go with its answer, for which the task waits
    api.stop()
    (supervisor.dags / "go").touch()
    wait_until_gone(task)
    api.start()
    assert api.state_of(ti_id)["state"] == "success"
    assert supervisor.wait_for("Ended", ti_id)["reported"] is True


@pytest.mark.parametrize(
    "trouble",
    [
        (301, b""),
        (429, b"slow down"),
        (500, b"{}"),
        (502, b"<html>bad gateway</html>"),
        (200, b"<html>welcome</html>"),
        (200, b'{"responses": []}'),
        "close",
    ],
)
def test_answers_that_are_none_are_repeated_until_there_is_one(start, api, trouble):
    """C04-c."""
    left = [trouble, trouble, trouble]
    api.whole_batch = lambda: left.pop() if left else None
    supervisor = start("@dag.task\ndef t(startup, channel):\n    ready(channel)\n")
    ti_id = supervisor.execute("t")
    assert supervisor.wait_for("Ended", ti_id)["reported"] is True
    assert not left
    assert api.states[ti_id]["state"] == "success"


def test_an_answer_that_got_lost_is_asked_for_again_and_the_task_runs_once(start, api):
    """C01-d: the server did it, only its answer was lost."""
    lost = []

    def lose_first(request):
        if not request["path"].endswith("/heartbeat") and request["path"] not in lost:
            lost.append(request["path"])
            return 503, {"detail": "lost"}
        return None

    api.rules.append(lose_first)
    supervisor = start("@dag.task\ndef t(startup, channel):\n    print('body')\n    ready(channel)\n")
    ti_id = supervisor.execute("t")
    assert supervisor.wait_for("Ended", ti_id)["reported"] is True
    supervisor.finish()
    assert supervisor.events(ti_id).count("body") == 1


@pytest.mark.parametrize(("status", "kind"), [(403, "PERMISSION_DENIED"), (413, "API_SERVER_ERROR"), (422, "API_SERVER_ERROR")])
def test_a_refusal_of_a_request_is_an_error_for_the_task_not_for_the_supervisor(start, api, status, kind):
    """C04-c."""
    api.rules.append(lambda request: (status, {"detail": "no"}) if request["path"].startswith("variables") else None)
    supervisor = start("""
@dag.task
def t(startup, channel):
    print(channel.request({"type": "GetVariable", "key": "a/b"})["error"])
""")
    ti_id = supervisor.execute("t")
    supervisor.wait_for("Ended", ti_id)
    assert "GET variables/a%2Fb" in api.seen()
    supervisor.finish()
    assert kind in supervisor.events(ti_id)


def test_a_lease_that_cannot_be_renewed_ends_the_task_before_others_may_have_it(start, api):
    """C03-b: the task is gone while the lease still lives; the report follows when the server is back."""
    supervisor = start(SLEEPER, heartbeat_seconds=0.2, lease_seconds=5)  # not so short that a busy machine loses it
    ti_id = supervisor.execute("t")
    task = api.wait_for(lambda: api.xcoms.get("pid"))
    api.stop()
    wait_until_gone(task)
    api.start()
    assert api.state_of(ti_id)["evidence"]["cause"] == "lease_lost"
    assert supervisor.wait_for("Ended", ti_id)["cause"] == "lease_lost"


def test_a_server_without_its_database_ends_nothing(start, api):
    """C03-a: database_unavailable means that nobody can take the attempt over."""
    supervisor = start(SLEEPER, heartbeat_seconds=0.1, lease_seconds=4)  # not so short that a busy machine loses it
    ti_id = supervisor.execute("t")
    api.wait_for(lambda: "pid" in api.xcoms)
    away = (503, {"detail": {"reason": "database_unavailable"}})
    api.rules.append(lambda request: away if request["path"].endswith("/heartbeat") else None)
    beats = len([path for path in api.seen() if path.endswith("/heartbeat")])
    api.wait_for(lambda: len([path for path in api.seen() if path.endswith("/heartbeat")]) > beats + 50)  # over 5 s
    assert ti_id not in api.states
    supervisor.send({"type": "Terminate", "ti_id": ti_id, "reason": "enough"})
    assert supervisor.wait_for("Ended", ti_id)["cause"] == "marked"


def test_a_heartbeat_that_is_refused_stops_the_task_with_the_reason_as_its_last_line(start, api):
    """C03-e."""
    detail = {"reason": "marked", "message": "marked success", "actor": "ada", "current_state": "success"}
    supervisor = start(SLEEPER, heartbeat_seconds=0.2)
    ti_id = supervisor.execute("t")
    api.wait_for(lambda: "pid" in api.xcoms)
    api.rules.append(lambda request: (409, {"detail": detail}) if request["path"].endswith("/heartbeat") else None)
    ended = supervisor.wait_for("Ended", ti_id)
    assert (ended["cause"], ended["reported"]) == ("marked", False)
    supervisor.finish()
    assert supervisor.events(ti_id)[-1] == "The server stopped this attempt: marked success by ada (state is now success)"
    assert ti_id not in api.states


def test_a_report_that_conflicts_is_not_repeated(start, api):
    api.rules.append(lambda request: (409, {"detail": {"reason": "x"}}) if request["path"].endswith("/state") else None)
    supervisor = start("@dag.task\ndef t(startup, channel):\n    pass\n")
    ti_id = supervisor.execute("t")
    assert supervisor.wait_for("Ended", ti_id)["reported"] is False
    assert len([path for path in api.seen() if path.endswith("/state")]) == 1


def test_a_report_that_the_server_finds_wrong_becomes_a_failure_that_says_so(start, api):
    def refuse_success(request):
        wrong = request["path"].endswith("/state") and request["body"]["state"] == "success"
        return (422, {"detail": "outlet_events"}) if wrong else None

    api.rules.append(refuse_success)
    supervisor = start("@dag.task\ndef t(startup, channel):\n    pass\n")
    ti_id = supervisor.execute("t")
    supervisor.wait_for("Ended", ti_id)
    assert "422" in api.states[ti_id]["evidence"]["cause_detail"]


def test_a_flood_of_output_neither_blocks_others_nor_grows_the_supervisor(start, api):
    """100 MB printed; the log is cut at its limit with a marker, and the trailer says how much is missing."""
    supervisor = start(
        """
@dag.task
def flood(startup, channel):
    ready(channel)
    line = "x" * 999 + "\\n"
    block = line * 1000
    for _ in range(100):
        os.write(1, block.encode())

@dag.task
def small(startup, channel):
    pass
""",
        log_max_bytes=2_000_000,
    )
    flood = supervisor.execute("flood")
    api.wait_for(lambda: "pid" in api.xcoms)
    small = supervisor.execute("small")
    supervisor.wait_for("Ended", small)
    supervisor.wait_for("Ended", flood)
    with open(f"/proc/{supervisor.process.pid}/status") as status:
        peak = int(status.read().split("VmHWM:")[1].split()[0])
    assert peak < 80_000
    supervisor.finish()
    assert (supervisor.logs / f"{flood}.log").stat().st_size < 2_500_000
    assert any("reached 2000000 bytes" in event for event in supervisor.events(flood))
    assert supervisor.trailer(flood)["dropped_lines"] > 90_000


def test_a_full_disk_costs_log_lines_but_never_the_task(start, api):
    """C10-c: /dev/full answers every write with "no space left"."""
    supervisor = start(
        '@dag.task\ndef t(startup, channel):\n    for n in range(30000):\n        print("line", n)\n', log_spool_bytes=50_000
    )
    supervisor.logs.mkdir()
    ti_id = "00000000-0000-0000-0000-0000000000aa"
    (supervisor.logs / f"{ti_id}.log").symlink_to("/dev/full")
    supervisor.execute("t", ti_id=ti_id)
    assert supervisor.wait_for("Ended", ti_id)["cause"] is None
    report = api.states[ti_id]
    assert report["state"] == "success"
    assert report["evidence"]["dropped_log_lines"] > 1000


def test_a_log_folder_that_cannot_be_made_never_fails_the_task(start, api):
    supervisor = start("@dag.task\ndef t(startup, channel):\n    print('x')\n")
    supervisor.logs.write_text("a file, not a folder")
    ti_id = supervisor.execute("t")
    assert supervisor.wait_for("Ended", ti_id)["reported"] is True
    assert api.states[ti_id]["state"] == "success"


def test_lines_are_in_the_file_while_the_task_still_runs(start, api):
    """C10-a: nothing depends on a final upload; the line comes while the task sleeps, and stays when the supervisor is killed."""
    supervisor = start('@dag.task\ndef t(startup, channel):\n    print("early")\n    ready(channel)\n    time.sleep(300)\n')
    ti_id = supervisor.execute("t")
    wait_until(lambda: supervisor.log_text(ti_id).endswith("\n"), 60, what="the line")
    assert ti_id not in api.states
    supervisor.close()
    assert supervisor.events(ti_id) == ["early"]


def test_a_drain_evicts_what_is_not_done_in_time(start, api):
    """C03-d."""
    supervisor = start(SLEEPER)
    ti_id = supervisor.execute("t")
    api.wait_for(lambda: "pid" in api.xcoms)
    late = "00000000-0000-0000-0000-0000000000bb"
    supervisor.send({"type": "Drain", "timeout_seconds": 0.2}, supervisor.workload(late, "t"))  # else it may have ended before
    assert supervisor.wait_for("Rejected", late)["cause"] == "evicted"
    assert supervisor.wait_for("Ended", ti_id)["cause"] == "evicted"
    supervisor.wait_for("Drained")
    assert api.states[ti_id]["evidence"]["cause"] == "evicted"
    assert supervisor.process.wait(60) == 0


def test_sigterm_lets_tasks_finish_and_the_second_one_does_not(start, api):
    """C03-d."""
    supervisor = start(SLEEPER)
    ti_id = supervisor.execute("t")
    task = api.wait_for(lambda: api.xcoms.get("pid"))
    supervisor.process.send_signal(signal.SIGTERM)
    while supervisor.wait_for(("Accepted", "Rejected"), supervisor.execute("t"))["type"] == "Accepted":
        pass  # the signal and the workload may pass each other
    assert ti_id not in api.states
    supervisor.process.send_signal(signal.SIGTERM)
    assert supervisor.wait_for("Ended", ti_id)["cause"] == "evicted"
    wait_until_gone(task)
    assert supervisor.process.wait(60) == 0


def test_without_its_executor_the_supervisor_finishes_its_tasks_and_exits(start, api):
    supervisor = start(
        """
@dag.task
def t(startup, channel):
    ready(channel)
    while not os.path.exists(os.path.join(os.path.dirname(__file__), "go")):
        time.sleep(0.02)
"""
    )
    ti_id = supervisor.execute("t")
    api.wait_for(lambda: "pid" in api.xcoms)
    supervisor.control.close()
    supervisor._lines.close()
    (supervisor.dags / "go").touch()
    assert supervisor.process.wait(60) == 0
    assert api.states[ti_id]["state"] == "success"


def test_hosts_and_the_zygote_end_when_idle_and_come_back(start, api, tmp_path):
    from tests.process.process_watch import children_of

    supervisor = start("@dag.task\ndef t(startup, channel):\n    pass\n", host_idle_seconds=0.2, tidy_seconds=0.1)
    supervisor.wait_for("Ended", supervisor.execute("t"))
    wait_until(lambda: not children_of(supervisor.process.pid), what="the zygote's end")
    ti_id = supervisor.execute("t")
    assert supervisor.wait_for("Ended", ti_id)["reported"] is True


@pytest.mark.parametrize(
    "point", ["supervisor.after_accept", "supervisor.before_run", "supervisor.after_run", "supervisor.before_report"]
)
def test_a_supervisor_that_dies_at_any_point_leaves_no_process(start, api, point):
    supervisor = start(SLEEPER.replace("time.sleep(300)", ""), environment={"ORCHESTRATOR_FAULTS": f"{point}:kill"})
    supervisor.execute("t")
    assert supervisor.process.wait(60) == -signal.SIGKILL
    if api.running:
        wait_until_gone(next(iter(api.running.values()))["pid"])


def test_settings_that_are_wrong_are_named(start, tmp_path, capfd):
    supervisor = start(no_such_setting=1)
    assert supervisor.process.wait(60) == 2
    assert "no_such_setting" in capfd.readouterr().err


def test_the_supervisor_loads_neither_django_nor_user_code(tmp_path):
    """C11-a."""
    import subprocess
    import sys

    text = "import sys, orchestrator.sdk.execution.supervisor.core; import json; print(json.dumps(sorted(sys.modules)))"
    modules = json.loads(subprocess.run([sys.executable, "-c", text], capture_output=True, check=True, text=True).stdout)
    assert not {"django", "jinja2", "pendulum", "orchestrator.sdk.execution.task_runner"} & set(modules)
