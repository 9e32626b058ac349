"""C04-c: which answers are repeated, for how long, and which are final."""

from __future__ import annotations

import pytest

from orchestrator.sdk.execution.answers import Answer, Patience, must_repeat, retry_after


@pytest.mark.parametrize("status", [0, 301, 302, 401, 408, 429, 500, 502, 503, 504])
def test_trouble_is_repeated_while_the_patience_lasts(status):
    answer = Answer(status, None, {})
    assert must_repeat(answer, Patience.TASK, 299, alone=True)
    assert not must_repeat(answer, Patience.TASK, 301, alone=True)
    assert not must_repeat(answer, Patience.BEAT, 0.1, alone=True)
    assert must_repeat(answer, Patience.REPORT, 10**9, alone=True)


@pytest.mark.parametrize("status", [200, 201, 204, 400, 403, 404, 405, 409, 410, 413, 422])
def test_a_clear_answer_is_final(status):
    assert not must_repeat(Answer(status, None, {}), Patience.REPORT, 0, alone=True)


@pytest.mark.parametrize("status", [403, 404, 405, 413, 422])
def test_an_answer_about_a_whole_batch_is_final_for_none_of_its_requests(status):
    assert must_repeat(Answer(status, None, {}), Patience.TASK, 0, alone=False)


@pytest.mark.parametrize(
    ("value", "seconds"), [("7", 7.0), ("100000", 60.0), ("-1", 0.0), ("Wed, 21 Oct 2026 07:28:00 GMT", 0.0)]
)
def test_retry_after_is_read_and_capped(value, seconds):
    assert retry_after(Answer(429, None, {"Retry-After": value})) == seconds


def test_only_an_absent_database_keeps_leases():
    assert Answer(503, {"detail": {"reason": "database_unavailable"}}, {}).lease_is_kept
    assert not Answer(503, {"detail": "busy"}, {}).lease_is_kept
    assert not Answer(409, {"detail": {"reason": "database_unavailable"}}, {}).lease_is_kept
