"""No page shows what the name of a value in a configuration says is a secret; what the REST API answers is Airflow's."""

import pytest
from django.test import Client

from dags_app.models import Dag
from runs.models import Backfill, DagRun
from tests.factories import NOON, make_dag, make_run, make_ti
from tests.integration.ui.signed_in import client_of

pytestmark = pytest.mark.django_db
SECRET = "tell-nobody"


@pytest.fixture
def dag() -> Dag:
    """A DAG with two runs and a backfill that were given secrets."""
    dag = make_dag("d")
    for number in (1, 2):
        conf = {"api_token": f"{SECRET}{number}", "same_token": SECRET, "more": {"password": SECRET}, "size": number}
        make_ti(make_run(dag, f"r{number}", state="success", conf=conf), state="success")
    values = {"from_date": NOON, "to_date": NOON, "created_at": NOON, "updated_at": NOON}
    Backfill.objects.create(pk=1, dag=dag, dag_run_conf={"password": SECRET, "size": 3}, **values)
    return dag


@pytest.mark.parametrize(
    "path",
    [
        *("/dags/d/runs/r1", "/dags/d/runs/r1/details", "/dags/d/compare?a=r1&b=r2", "/backfills/1"),
        *("/dags/d/runs?column=conf", "/dags/d/runs?format=csv", "/dag_runs", "/dags/d/runs/r1/tasks/t/details"),
    ],
)
def test_no_page_shows_a_secret_of_a_configuration(dag: Dag, path: str) -> None:
    answer = client_of("Admin").get(path, follow=True)
    page = answer.content.decode() if not answer.streaming else b"".join(answer).decode()
    assert answer.status_code == 200 and SECRET not in page


@pytest.mark.parametrize("path", ["/admin/runs/backfill/1/change/", "/admin/runs/dagrun/{run}/change/"])
def test_no_page_of_the_admin_shows_a_secret_of_a_configuration(dag: Dag, admin_client: Client, path: str) -> None:
    run = DagRun.objects.get(run_id="r1")
    answer = admin_client.get(path.format(run=run.pk))
    page = answer.content.decode()
    assert answer.status_code == 200 and SECRET not in page and "&quot;***&quot;" in page and "&quot;size&quot;: " in page


def test_the_configuration_is_shown_but_for_its_secrets(dag: Dag) -> None:
    viewer = client_of("Viewer")
    details = viewer.get("/dags/d/runs/r1/details").context["details"].conf_text
    assert '"api_token": "***"' in details and '"password": "***"' in details and '"size": 1' in details
    rows = viewer.get("/dags/d/compare?a=r1&b=r2").context["conf"]
    shown = {row.key: (row.one, row.other, row.is_same) for row in rows}
    assert shown["api_token"] == ("***", "***", False)
    assert shown["same_token"] == ("***", "***", True)
    assert shown["size"] == ("1", "2", False) and shown["more"][0] == "{'password': '***'}"
    backfill = viewer.get("/backfills/1").content.decode()
    assert "&#x27;password&#x27;: &#x27;***&#x27;" in backfill and "&#x27;size&#x27;: 3" in backfill
