"""A body whose JSON no database keeps is refused with what is wrong, on each database alike."""

from __future__ import annotations

import pytest
from django.test import Client

from runs.models import DagRun
from tests.factories import make_dag

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("conf", "said"),
    [
        ('{"a": NaN}', "NaN"),
        ('{"a": [-Infinity]}', "Infinity"),
        ('{"a": 1e400}', "1e400"),
        ('{"a": %s}' % ("7" * 5000), "digits"),
        ('{"a": "\\u0000"}', "NUL"),
        ('{"\\ud800": 1}', "cannot be kept"),
        ('{"a": ' + "[" * 200 + "]" * 200 + "}", "levels deep"),
    ],
)
def test_a_configuration_that_no_database_keeps_is_refused_with_the_reason(client: Client, conf: str, said: str) -> None:
    make_dag()
    body = f'{{"logical_date": null, "conf": {conf}}}'
    response = client.post("/api/v2/dags/d/dagRuns", body, content_type="application/json")
    assert (response.status_code, said in response.content.decode()) == (422, True), response.content[:500]
    assert not DagRun.objects.exists()
