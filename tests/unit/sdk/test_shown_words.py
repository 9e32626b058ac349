"""How the words for states and rules look to authors: as in Airflow, by where they are imported from."""

from datetime import UTC, datetime

import pytest

from orchestrator.sdk import DAG, DagRunState, TaskInstanceState, TriggerRule, WeightRule
from orchestrator.sdk.definitions import rules, shown_words, states
from orchestrator.sdk.exceptions import DagRunTriggerException, TaskDeferred
from orchestrator.sdk.operators.empty import EmptyOperator
from orchestrator.sdk.operators.trigger_dagrun import TriggerDagRunOperator
from orchestrator.sdk.sensors.external_task import ExternalTaskSensor
from orchestrator.sdk.serialization.encode import encode_dag
from tests.unit.sdk.running import context_of

STATES = [TaskInstanceState.SKIPPED]
PAIRS = [
    (getattr(shown_words, name), getattr(module, name))
    for name, module in {
        "TaskInstanceState": states, "DagRunState": states, "DagRunType": states, "TerminalTIState": states,
        "IntermediateTIState": states, "TriggerRule": rules, "WeightRule": rules,
    }.items()
]  # fmt: skip


@pytest.mark.parametrize(("ours", "plain"), PAIRS, ids=lambda kind: kind.__name__)
def test_words_of_the_sdk_show_their_name_and_those_of_utils_their_text(ours: type[str], plain: type[str]) -> None:
    assert [(word.name, word.value) for word in ours] == [(word.name, word.value) for word in plain]  # type: ignore[attr-defined]
    for word in ours:  # type: ignore[attr-defined]
        other = plain(word)
        assert word == other == word.value
        assert (f"{word}", f"{other}") == (f"{ours.__name__}.{word.name}", word.value)


def test_words_of_the_sdk_are_taken_wherever_a_word_is() -> None:
    with DAG("d", schedule=None) as dag:
        task = EmptyOperator(task_id="t", trigger_rule=TriggerRule.ALL_DONE, weight_rule=WeightRule.ABSOLUTE)
    assert encode_dag(dag).tasks[0].trigger_rule == "all_done"
    assert encode_dag(dag).tasks[0].weight_rule == "absolute"
    assert task.trigger_rule == TriggerRule.ALL_DONE
    task.trigger_rule, task.weight_rule = TriggerRule.NONE_FAILED, WeightRule.UPSTREAM
    assert encode_dag(dag).tasks[0].trigger_rule == "none_failed"
    assert encode_dag(dag).tasks[0].weight_rule == "upstream"


def test_operators_hand_the_text_of_a_state_on() -> None:
    trigger = TriggerDagRunOperator(task_id="t", trigger_dag_id="d", allowed_states=[DagRunState.FAILED])
    with DAG("d", schedule=None):
        sensor = ExternalTaskSensor(
            task_id="s", external_dag_id="d", external_task_id="x", allowed_states=STATES, deferrable=True
        )
    with pytest.raises(DagRunTriggerException) as triggered:
        trigger.execute(context_of(sensor))
    assert [str(word) for word in triggered.value.allowed_states] == ["failed"]
    with pytest.raises(TaskDeferred) as deferred:
        sensor.execute(context_of(sensor, logical_date=datetime(2026, 1, 1, tzinfo=UTC)))
    assert [str(word) for word in deferred.value.trigger.allowed_states] == ["skipped"]


def test_the_rules_of_a_task_are_shown_by_their_names_and_compare_as_text() -> None:
    with DAG("d", schedule=None):
        task = EmptyOperator(task_id="t", trigger_rule="all_done")
        teardown = EmptyOperator(task_id="end").as_teardown()
    assert (str(task.trigger_rule), str(task.weight_rule)) == ("TriggerRule.ALL_DONE", "WeightRule.DOWNSTREAM")
    assert str(teardown.trigger_rule) == "TriggerRule.ALL_DONE_SETUP_SUCCESS"
    assert (task.trigger_rule, task.weight_rule) == ("all_done", "downstream")
