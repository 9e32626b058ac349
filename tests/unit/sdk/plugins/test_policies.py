"""Decides whether cluster policies change, refuse and skip DAGs, and give a task its variables and a file its time."""

from __future__ import annotations

import pytest

from orchestrator.sdk import policies
from orchestrator.sdk.definitions.dag import DAG
from orchestrator.sdk.exceptions import AirflowClusterPolicyError, AirflowClusterPolicySkipDag, AirflowClusterPolicyViolation
from orchestrator.sdk.operators.empty import EmptyOperator


def dag_of(dag_id="d"):
    with DAG(dag_id, schedule=None) as dag:
        EmptyOperator(task_id="t")
    return dag


def test_without_policies_nothing_happens(clean):
    policies.apply_to_dag(dag_of())
    assert policies.context_vars({}) == {}
    assert policies.import_timeout("f", 30.0) == 30.0


def test_policies_change_dags_and_tasks_whatever_their_arguments_are_called(local_settings):
    local_settings(
        "def dag_policy(the_dag):\n    the_dag.tags.add('checked')\ndef task_policy(anything):\n    anything.queue = 'big'\n"
    )
    dag = dag_of()
    policies.apply_to_dag(dag)
    assert "checked" in dag.tags and dag.task_dict["t"].queue == "big"


@pytest.mark.parametrize("kind", [AirflowClusterPolicyViolation, AirflowClusterPolicySkipDag])
def test_a_policy_forbids_or_skips_a_dag(local_settings, kind):
    local_settings(
        f"from airflow.exceptions import {kind.__name__}\ndef dag_policy(dag):\n    raise {kind.__name__}('no tags')\n"
    )
    with pytest.raises(kind, match="no tags"):
        policies.apply_to_dag(dag_of())


def test_an_error_inside_a_policy_says_that_it_is_the_policys(local_settings):
    local_settings("def task_policy(task):\n    return task.nothing\n")
    with pytest.raises(AirflowClusterPolicyError, match="AttributeError"):
        policies.apply_to_dag(dag_of())


def test_variables_of_the_context_get_the_prefix_and_must_be_text(local_settings):
    local_settings("def get_airflow_context_vars(context):\n    return {'team': 'a', 'AIRFLOW_CTX_X': 'b'}\n")
    assert policies.context_vars({}) == {"AIRFLOW_CTX_TEAM": "a", "AIRFLOW_CTX_X": "b"}


def test_a_variable_that_is_no_text_is_refused_by_name(local_settings):
    local_settings("def get_airflow_context_vars(context):\n    return {'team': 1}\n")
    with pytest.raises(TypeError, match="value <1> must be string"):
        policies.context_vars({})


def test_a_file_gets_its_own_time(local_settings):
    local_settings("def get_dagbag_import_timeout(dag_file_path):\n    return 90 if 'slow' in dag_file_path else None\n")
    assert (policies.import_timeout("/slow.py", 30.0), policies.import_timeout("/x.py", 30.0)) == (90.0, 30.0)


def test_only_the_names_in_all_count(local_settings):
    local_settings("__all__ = []\ndef dag_policy(dag):\n    raise AssertionError\n")
    policies.apply_to_dag(dag_of())
