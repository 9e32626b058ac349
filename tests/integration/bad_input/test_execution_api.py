"""No request that schemathesis makes of the Execution API's own document brings a 5xx; good answers are as described."""

from __future__ import annotations

import pytest

from runs.models import XCom
from runs.workload_tokens import issue_execution_token
from tests.factories import NOON, make_dag, make_run, make_ti
from tests.integration.bad_input.documents import execution_document
from tests.integration.bad_input.generated import labels, requests_of
from vault.services import variable_set


@pytest.mark.django_db
@pytest.mark.parametrize("label", labels(execution_document()))
def test_bad_input_to_the_execution_api_is_refused_and_good_answers_fit_the_document(label: str) -> None:
    ti = make_ti(make_run(make_dag()), state="running")
    XCom.objects.create(dag_run=ti.dag_run, dag_id="d", run_id="r", task_id="t", key="k", value="1", timestamp=NOON)
    variable_set("v", "1")
    known = {"task_instance_id": str(ti.pk), "dag_id": "d", "run_id": "r", "task_id": "t", "key": "k", "variable_key": "v"}
    token = issue_execution_token(ti.pk, ti.dispatch_id)
    requests_of("execution").try_out(label, known, {"Authorization": f"Bearer {token}"})
