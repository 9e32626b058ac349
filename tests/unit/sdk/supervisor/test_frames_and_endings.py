"""Frames survive any cut; ends have the right bodies, causes and evidence."""

from __future__ import annotations

import signal

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.sdk.execution.frames import FrameDecoder, encode_frame
from orchestrator.sdk.execution.supervisor.attempt import dispatch_id_of
from orchestrator.sdk.execution.supervisor.endings import Exit, cause_of, final_body, silent_end_body


@given(st.lists(st.dictionaries(st.text(max_size=5), st.text(max_size=30), max_size=3), max_size=6), st.integers(1, 40))
def test_messages_arrive_whole_however_the_bytes_are_cut(bodies, step):
    data = b"".join(encode_frame(number, body) for number, body in enumerate(bodies))
    decoder = FrameDecoder()
    found = [message for start in range(0, len(data), step) for message in decoder.feed(data[start : start + step])]
    assert found == list(enumerate(bodies))


def test_wait_statuses_become_exit_codes_and_signals():
    assert (Exit.of(3 << 8).code, Exit.of(3 << 8).signal) == (3, None)
    assert (Exit.of(signal.SIGSEGV | 0x80).code, Exit.of(signal.SIGSEGV | 0x80).signal) == (None, 11)


def test_only_a_sigkill_that_the_kernel_sent_for_memory_is_out_of_memory():
    killed = Exit(None, signal.SIGKILL)
    assert cause_of(killed, oom_killed=True)[0] == "out_of_memory"
    assert cause_of(killed, oom_killed=False)[0] == "signal"
    assert cause_of(Exit(5), oom_killed=False)[0] == "exit_code"


def test_a_success_carries_its_fields_and_the_peak_but_no_cause():
    message = {"type": "SucceedTask", "end_date": "E", "task_outlets": [], "outlet_events": [], "rendered_map_index": None}
    body = {"state": "success", "end_date": "E", "task_outlets": [], "outlet_events": [], "evidence": {"peak_rss_kb": 5}}
    assert final_body(message, 5) == body


def test_a_failure_keeps_the_cause_that_the_task_gave():
    message = {
        "type": "TaskState",
        "state": "failed",
        "evidence": {"cause": "fail_exception", "cause_detail": "no", "exit_code": 2},
    }
    evidence = final_body(message, 5)["evidence"]
    assert evidence == {"cause": "fail_exception", "cause_detail": "no", "exit_code": 2, "peak_rss_kb": 5}


def test_a_deferral_has_no_evidence_because_the_attempt_goes_on():
    message = {"type": "DeferTask", "classpath": "a.B", "next_method": "m", "trigger_kwargs": {}, "evidence": {"cause": "x"}}
    assert final_body(message, 5) == {"state": "deferred", "classpath": "a.B", "next_method": "m", "trigger_kwargs": {}}


def test_a_silent_end_asks_for_a_retry_only_if_there_is_one():
    assert silent_end_body("signal", None, Exit(None, 9), True)["state"] == "up_for_retry"
    assert silent_end_body("signal", None, Exit(None, 9), False)["state"] == "failed"


def test_a_token_without_a_dispatch_id_has_none():
    assert dispatch_id_of("garbage") is None
    assert dispatch_id_of("a.e30.b") is None
