"""One supervisor, real task processes: every way in which an attempt ends has its cause, its report and its log."""

from __future__ import annotations

import os

import pytest

from tests.process.process_watch import children_of, is_gone, wait_until_gone
from tests.waiting import wait_until


def test_a_task_that_succeeds_is_reported_with_its_output_in_the_log(start, api):
    supervisor = start("""
@dag.task
def t(startup, channel):
    print("to stdout", os.environ["AIRFLOW_CTX_DAG_ID"])
    print("to stderr", file=sys.stderr)
    channel.send({"type": "Log", "record": {"timestamp": now(), "level": "info", "event": "logged", "logger": "mine"}})
""")
    ti_id = supervisor.execute("t")
    ended = supervisor.wait_for("Ended", ti_id)
    assert (ended["exit_code"], ended["reported"], ended["dispatch_id"]) == (0, True, f"dispatch-{ti_id}")
    assert api.states[ti_id]["state"] == "success"
    assert supervisor.finish() == 0
    lines = {line["event"]: line for line in supervisor.log_lines(ti_id)}
    assert (lines["to stdout d"]["logger"], lines["to stdout d"]["level"]) == ("task.stdout", "info")
    assert (lines["to stderr"]["logger"], lines["to stderr"]["level"]) == ("task.stderr", "error")
    assert lines["logged"]["logger"] == "mine"
    assert list(lines["to stdout d"])[:3] == ["timestamp", "level", "event"]
    assert supervisor.trailer(ti_id)["peak_rss_kb"] > 1000


def test_a_task_knows_the_folder_of_its_bundle(start, api):
    supervisor = start("@dag.task\ndef t(startup, channel):\n    print('in', startup.bundle_info.path)\n")
    ti_id = supervisor.execute("t")
    supervisor.wait_for("Ended", ti_id)
    assert supervisor.finish() == 0
    assert f"in {supervisor.dags}" in [line["event"] for line in supervisor.log_lines(ti_id)]


def test_the_workload_token_serves_for_the_start_only(start, api):
    """C05-a: what follows carries the execution token that /run returned."""
    supervisor = start("@dag.task\ndef t(startup, channel):\n    ready(channel)\n")
    ti_id = supervisor.execute("t")
    supervisor.wait_for("Ended", ti_id)
    tokens = {request["path"].rsplit("/", 1)[-1]: request["token"] for request in api.requests}
    assert tokens["run"].startswith("head.")
    assert tokens["pid"] == tokens["state"] == f"execution-{ti_id}"


@pytest.mark.parametrize(
    ("body", "cause", "exit_code", "signal_number"),
    [
        ("sys.exit(7)", "exit_code", 7, None),
        ("os._exit(3)", "exit_code", 3, None),
        ("os.kill(os.getpid(), signal.SIGSEGV)", "signal", None, 11),
        ("os.kill(os.getpid(), signal.SIGKILL)", "signal", None, 9),
        ("raise RuntimeError('lost')", "exit_code", 1, None),
    ],
)
def test_a_process_that_ends_without_a_word_is_reported_with_its_cause(start, api, body, cause, exit_code, signal_number):
    supervisor = start(f"@dag.task\ndef t(startup, channel):\n    {body}\n")
    ti_id = supervisor.execute("t")
    ended = supervisor.wait_for("Ended", ti_id)
    assert (ended["cause"], ended["exit_code"], ended["signal"]) == (cause, exit_code, signal_number)
    report = api.states[ti_id]
    assert report["state"] == "failed"
    assert report["evidence"]["cause"] == cause
    assert report["evidence"]["peak_rss_kb"] > 1000
    supervisor.finish()
    assert supervisor.trailer(ti_id)["cause"] == cause


def test_an_attempt_with_retries_left_is_reported_up_for_retry(start, api):
    context = {"should_retry": True, "dag_run": {"dag_id": "d", "run_id": "r"}, "max_tries": 1}
    api.rules.append(lambda request: (200, context) if request["path"].endswith("/run") else None)
    supervisor = start("@dag.task\ndef t(startup, channel):\n    os._exit(1)\n")
    ti_id = supervisor.execute("t")
    supervisor.wait_for("Ended", ti_id)
    assert api.states[ti_id]["state"] == "up_for_retry"


def test_a_skip_is_reported_as_the_task_said_it(start, api):
    supervisor = start("""
@dag.task
def t(startup, channel):
    channel.send({"type": "TaskState", "state": "skipped", "end_date": now()})
    return "silent"
""")
    ti_id = supervisor.execute("t")
    supervisor.wait_for("Ended", ti_id)
    assert api.states[ti_id]["state"] == "skipped"
    assert api.states[ti_id]["evidence"]["cause"] == "skip"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("raise ValueError('broken file')", "ValueError: broken file"),
        ("sys.exit('not today')", "SystemExit: not today"),
        ("os._exit(4)", "ended the process itself (exit code 4)"),
        ("os.kill(os.getpid(), signal.SIGSEGV)", "signal 11"),
        ("time.sleep(300)", "took longer than 5 s"),
    ],
)
def test_a_file_that_cannot_be_imported_fails_the_attempt_with_the_reason_in_its_log(start, api, body, words):
    # Long enough for a busy machine to begin the import in, and to end it where it ends by itself.
    limit = 5 if "sleep" in body else 60
    supervisor = start(f"print('importing')\nsys.stdout.flush()\n{body}\n", import_timeout_seconds=limit)
    ti_id = supervisor.execute("t")
    assert supervisor.wait_for("Ended", ti_id)["cause"] == "dag_import_error"
    assert api.states[ti_id]["state"] == "failed"
    assert words in api.states[ti_id]["evidence"]["cause_detail"]
    supervisor.finish()
    assert words in supervisor.log_text(ti_id)
    assert "importing" in supervisor.events(ti_id)


def test_a_dag_that_is_not_in_the_file_has_its_own_cause(start, api):
    supervisor = start()
    ti_id = supervisor.execute("t", dag_id="other")
    assert supervisor.wait_for("Ended", ti_id)["cause"] == "dag_not_found"
    assert api.states[ti_id]["evidence"]["cause"] == "dag_not_found"


def test_a_start_that_the_server_refuses_runs_nothing(start, api):
    """C01-b: 409 on /run; the process is ended, nothing is written about the attempt."""
    refusal = {"detail": {"reason": "invalid_state", "previous_state": "running"}}
    api.rules.append(lambda request: (409, refusal) if request["path"].endswith("/run") else None)
    supervisor = start("@dag.task\ndef t(startup, channel):\n    print('it ran')\n")
    ti_id = supervisor.execute("t")
    assert "previous_state" in supervisor.wait_for("Rejected", ti_id)["detail"]
    supervisor.finish()
    assert "it ran" not in supervisor.log_text(ti_id)
    assert "409" in supervisor.events(ti_id)[-1]
    assert not api.states


def test_a_refused_start_ends_its_process_even_before_that_leads_a_group_of_its_own(start, api, tmp_path):
    """C01-b, I3: the refusal may come before the forked child has made its session; the child must not wait for ever."""
    refusal = {"detail": {"reason": "invalid_state", "previous_state": "running"}}
    held = tmp_path / "never"

    def refuse_once_forked(request):
        if request["path"].endswith("/run"):
            wait_until((tmp_path / "never.reached").exists, what="the forked child")
            return 409, refusal
        return None

    api.rules.append(refuse_once_forked)
    faults = {"ORCHESTRATOR_FAULTS": f"task.after_fork:block:{held}"}
    supervisor = start("@dag.task\ndef t(startup, channel):\n    print('it ran')\n", environment=faults)
    ti_id = supervisor.execute("t")
    assert "previous_state" in supervisor.wait_for("Rejected", ti_id)["detail"]
    assert not api.states


def test_a_dead_host_takes_its_tasks_along_and_the_cause_is_infrastructure(start, api):
    supervisor = start("@dag.task\ndef t(startup, channel):\n    ready(channel)\n    time.sleep(60)\n")
    ti_id = supervisor.execute("t")
    task = api.wait_for(lambda: api.xcoms.get("pid"))
    zygote = children_of(supervisor.process.pid)[0]
    host = children_of(zygote)[0]
    os.kill(host, 9)
    wait_until_gone(task)
    assert supervisor.wait_for("Ended", ti_id)["cause"] == "host_died"
    assert api.states[ti_id]["evidence"]["cause"] == "host_died"
    again = supervisor.execute("t")
    api.wait_for(lambda: again in api.running)


@pytest.mark.parametrize("victim", ["supervisor", "zygote"])
def test_no_process_of_a_task_outlives_the_supervisor(start, api, victim):
    """C03-b: not the task, not what it started, not what hides in a session of its own."""
    supervisor = start("""
import subprocess
@dag.task
def t(startup, channel):
    plain = subprocess.Popen(["sleep", "300"])
    hidden = subprocess.Popen(["sleep", "300"], start_new_session=True)
    pids = [os.getpid(), plain.pid, hidden.pid]
    channel.request({"type": "SetXCom", "key": "pids", "value": pids, "dag_id": "d", "run_id": "r", "task_id": "t"})
    time.sleep(300)
""")
    ti_id = supervisor.execute("t")
    pids = api.wait_for(lambda: api.xcoms.get("pids"))
    assert not any(is_gone(pid) for pid in pids)
    zygote = children_of(supervisor.process.pid)[0]
    os.kill(zygote if victim == "zygote" else supervisor.process.pid, 9)
    for pid in pids:
        wait_until_gone(pid)
    wait_until_gone(zygote)
    if victim == "zygote":
        assert supervisor.wait_for("Ended", ti_id)["cause"] == "host_died"


def test_what_a_task_leaves_behind_is_ended_and_named_in_the_log(start, api):
    supervisor = start("""
import subprocess
@dag.task
def t(startup, channel):
    left = subprocess.Popen(["sh", "-c", "trap '' TERM; while true; do sleep 1; done"])
    channel.request({"type": "SetXCom", "key": "left", "value": left.pid, "dag_id": "d", "run_id": "r", "task_id": "t"})
""")
    ti_id = supervisor.execute("t")
    supervisor.wait_for("Ended", ti_id)
    wait_until_gone(api.xcoms["left"])
    supervisor.finish()
    assert any("left processes behind" in event for event in supervisor.events(ti_id))


def test_a_task_that_ignores_sigterm_is_killed_and_the_reason_is_the_last_line(start, api):
    """C03-e."""
    supervisor = start(
        """
@dag.task
def t(startup, channel):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    ready(channel)
    while True:
        time.sleep(1)
""",
        killed_task_cleanup_time=0.3,
    )
    ti_id = supervisor.execute("t")
    api.wait_for(lambda: "pid" in api.xcoms)
    supervisor.send({"type": "Terminate", "ti_id": ti_id, "reason": "cleared by ada 12:03"})
    ended = supervisor.wait_for("Ended", ti_id)
    assert (ended["cause"], ended["signal"], ended["reported"]) == ("cleared", 9, False)
    supervisor.finish()
    assert supervisor.events(ti_id)[-1] == "cleared by ada 12:03"
    assert any("SIGKILL" in event for event in supervisor.events(ti_id))
    assert ti_id not in api.states


def test_a_task_that_overruns_its_limit_and_blocks_signals_is_ended_from_outside(start, api):
    supervisor = start(
        """
from datetime import timedelta
def t(startup, channel):
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGALRM})
    while True:
        time.sleep(1)
dag.task(t, execution_timeout=timedelta(seconds=0.2))
""",
        execution_timeout_grace_seconds=0.2,
        killed_task_cleanup_time=0.2,
    )
    ti_id = supervisor.execute("t")
    assert supervisor.wait_for("Ended", ti_id)["cause"] == "execution_timeout"
    assert api.states[ti_id]["evidence"]["cause"] == "execution_timeout"


def test_a_file_that_starts_threads_is_not_forked(start, api):
    supervisor = start("""
print("importing in", os.getpid())
threading.Thread(target=time.sleep, args=(300,), daemon=True).start()
@dag.task
def t(startup, channel):
    print("running in", os.getpid())
""")
    for _ in range(2):
        ti_id = supervisor.execute("t")
        supervisor.wait_for("Ended", ti_id)
        assert api.states[ti_id]["state"] == "success"
    supervisor.finish()
    said = [event.rsplit(" ", 1) for event in supervisor.events(ti_id) if " in " in event]
    assert dict(said)["importing in"] == dict(said)["running in"]


def test_a_changed_file_is_imported_again(start, api):
    supervisor = start("@dag.task\ndef t(startup, channel):\n    print('first')\n")
    supervisor.wait_for("Ended", supervisor.execute("t"))
    supervisor.write_dag("@dag.task\ndef t(startup, channel):\n    print('second one')\n")
    ti_id = supervisor.execute("t")
    supervisor.wait_for("Ended", ti_id)
    supervisor.finish()
    assert "second one" in supervisor.events(ti_id)


def test_secrets_that_a_task_fetched_do_not_reach_its_log(start, api):
    """C29-d."""
    connection = {"conn_id": "db", "conn_type": "x", "host": None, "login": "u", "password": "hunter2secret", "port": None}
    connection |= {"schema": None, "extra": '{"api_key": "key-of-the-kingdom"}'}
    api.rules.append(lambda request: (200, connection) if request["path"] == "connections/db" else None)
    supervisor = start("""
@dag.task
def t(startup, channel):
    answer = channel.request({"type": "GetConnection", "conn_id": "db"})
    assert answer["password"] == "hunter2secret"
    print("password", answer["password"])
    channel.send({"type": "Log", "record": {"level": "info", "event": "e", "extra": {"a": [answer["extra"]]}}})
    channel.request({"type": "SetRenderedFields", "rendered_fields": {"sql": "x hunter2secret"}})
""")
    ti_id = supervisor.execute("t")
    supervisor.wait_for("Ended", ti_id)
    supervisor.finish()
    text = supervisor.log_text(ti_id)
    assert "password ***" in text
    assert "hunter2secret" not in text
    assert "key-of-the-kingdom" not in text
    assert [r["body"] for r in api.requests if r["path"].endswith("/rtif")] == [{"sql": "x ***"}]


def test_an_xcom_of_a_megabyte_goes_there_and_back(start, api):
    supervisor = start("""
@dag.task
def t(startup, channel):
    where = {"dag_id": "d", "run_id": "r", "task_id": "t", "key": "big"}
    channel.request({"type": "SetXCom", "value": "x" * 1_000_000, **where})
    assert len(channel.request({"type": "GetXCom", **where})["value"]) == 1_000_000
""")
    ti_id = supervisor.execute("t")
    supervisor.wait_for("Ended", ti_id)
    assert api.states[ti_id]["state"] == "success"
