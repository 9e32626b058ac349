"""Retry policies: which error leads to which report (C25-c)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from orchestrator.sdk.definitions.dag import DAG
from orchestrator.sdk.definitions.retry_policy import (
    ExceptionRetryPolicy,
    RetryAction,
    RetryDecision,
    RetryPolicy,
    RetryRule,
)
from orchestrator.sdk.exceptions import AirflowFailException
from orchestrator.sdk.operators.python import PythonOperator
from orchestrator.sdk.serialization.encode import encode_dag
from tests.attempts import attempt

POLICY = ExceptionRetryPolicy(
    rules=[
        RetryRule("builtins.KeyError", RetryAction.FAIL, reason="no such row"),
        RetryRule([ConnectionError, TimeoutError], retry_delay=timedelta(seconds=30)),
        RetryRule(ValueError, match_subclasses=False, retry_delay=timedelta(minutes=1), reason="odd input"),
    ]
)


class Custom(RetryPolicy):
    def evaluate(self, exception: BaseException, try_number: int, max_tries: int, context: Any = None) -> RetryDecision:
        if isinstance(exception, LookupError):
            raise RuntimeError("the policy itself fails")
        return RetryDecision.retry(timedelta(seconds=try_number), f"{max_tries} {context['ti'].task_id}")


def dag_of(error: BaseException, policy: Any) -> DAG:
    def work() -> None:
        raise error

    with DAG("d", schedule=None, start_date=datetime(2026, 1, 1)) as dag:
        PythonOperator(task_id="t", python_callable=work, retries=5, retry_policy=policy)
    return dag


def final(error: BaseException, policy: Any = POLICY, should_retry: bool = True) -> dict[str, Any]:
    return attempt(dag_of(error, policy), "t", should_retry=should_retry, max_tries=5).final


@pytest.mark.parametrize(
    ("error", "kind", "delay", "reason"),
    [
        (KeyError("x"), "TaskState", None, None),
        (ConnectionRefusedError("x"), "RetryTask", 30.0, "Matched rule for ConnectionRefusedError"),
        (ValueError("x"), "RetryTask", 60.0, "odd input"),
        (UnicodeError("a ValueError by inheritance"), "RetryTask", None, None),
        (SystemExit(4), "RetryTask", None, None),
    ],
)
def test_the_first_rule_that_matches_decides(error: BaseException, kind: str, delay: float | None, reason: str | None) -> None:
    report = final(error)
    assert (report["type"], report.get("retry_delay_seconds"), report.get("retry_reason")) == (kind, delay, reason)


def test_a_policy_never_prolongs_what_the_retries_allow_and_is_not_asked_about_a_wanted_failure() -> None:
    assert final(ConnectionError("x"), should_retry=False)["type"] == "TaskState"
    assert final(AirflowFailException("x"), Custom())["type"] == "TaskState"


def test_a_policy_of_the_author_gets_try_limit_and_context_and_its_own_failure_changes_nothing() -> None:
    report = final(ValueError("x"), Custom())
    assert (report["retry_delay_seconds"], report["retry_reason"]) == (1.0, "5 t")
    assert final(KeyError("x"), Custom())["type"] == "RetryTask"


def test_the_serialized_form_is_airflows_and_reads_back() -> None:
    document = POLICY.serialize()
    assert document == {
        "__type": "ExceptionRetryPolicy",
        "rules": [
            {"exception": "builtins.KeyError", "action": "fail", "match_subclasses": True, "reason": "no such row"},
            {
                "exception": ["builtins.ConnectionError", "builtins.TimeoutError"],
                "action": "retry",
                "match_subclasses": True,
                "retry_delay": 30.0,
            },
            {
                "exception": "builtins.ValueError",
                "action": "retry",
                "match_subclasses": False,
                "retry_delay": 60.0,
                "reason": "odd input",
            },
        ],
        "default": "default",
    }
    assert ExceptionRetryPolicy.deserialize(document).serialize() == document


def test_a_policy_without_a_json_form_does_not_keep_its_dag_from_being_parsed() -> None:
    policy = encode_dag(dag_of(ValueError("x"), Custom())).tasks[0].retry_policy
    assert policy["__type"].endswith("Custom")


def test_mistakes_are_named() -> None:
    with pytest.raises(ValueError, match=r"'ValueError'.*dotted import path"):
        RetryRule("ValueError")
    with pytest.raises(TypeError):
        RetryPolicy()  # type: ignore[abstract]
    assert not RetryRule("no.such.Error").matches(ValueError("x"))
    with pytest.raises(AttributeError):
        RetryDecision().reason = "frozen"  # type: ignore[misc]
