"""No request that schemathesis makes of the REST API's own document brings a 5xx; good answers are as described."""

from __future__ import annotations

import pytest

from accounts.models import User
from accounts.tokens import token_for
from runs.models import XCom
from tests.factories import NOON, make_dag, make_run, make_ti
from tests.integration.bad_input.documents import rest_document
from tests.integration.bad_input.generated import labels, requests_of
from vault.services import variable_set


@pytest.mark.django_db
@pytest.mark.parametrize("label", labels(rest_document()))
def test_bad_input_to_the_rest_api_is_refused_and_good_answers_fit_the_document(label: str) -> None:
    ti = make_ti(make_run(make_dag(), state="success"), state="success")
    XCom.objects.create(dag_run=ti.dag_run, dag_id="d", run_id="r", task_id="t", key="k", value="1", timestamp=NOON)
    variable_set("v", "1")
    known = {
        "dag_id": "d",
        "dag_run_id": "r",
        "task_id": "t",
        "map_index": -1,
        "try_number": 1,
        "xcom_key": "k",
        "variable_key": "v",
        "pool_name": "default_pool",
    }
    admin = User.objects.create_superuser("admin")
    requests_of("rest").try_out(label, known, {"Authorization": f"Bearer {token_for(admin, lifetime_seconds=600)}"})
