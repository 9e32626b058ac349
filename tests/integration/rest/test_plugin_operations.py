"""Decides whether plugins, providers, warnings, another parse and the deletion of a DAG are there as Airflow's REST API has them."""

from __future__ import annotations

import pytest
from django.utils import timezone

from accounts.models import AuditLog
from dags_app.models import Dag, DagVersion, DagWarning, ParsedFile
from dags_app.plugins import plugins_store
from runs.models import DagRun, TaskInstance
from tests.factories import make_dag, make_run

pytestmark = pytest.mark.django_db

PLUGIN = {"name": "mine", "source": "$PLUGINS_FOLDER/mine.py", "listeners": ["mine"], "timetables": ["mine.T"], "hooks": []}


def test_plugins_and_their_errors_are_listed_apart(client, fits_schema):
    plugins_store({"plugins": [PLUGIN], "errors": [{"source": "/p/bad.py", "error": "broken"}]}, timezone.now())
    body = client.get("/api/v2/plugins").json()
    fits_schema("PluginCollectionResponse", body)
    fits_schema("PluginResponse", body["plugins"][0])
    assert (body["total_entries"], body["plugins"][0]["listeners"]) == (1, ["mine"])
    assert client.get("/api/v2/plugins?limit=1&offset=1").json() == {"plugins": [], "total_entries": 1}
    errors = client.get("/api/v2/plugins/importErrors").json()
    assert errors == {"import_errors": [{"source": "/p/bad.py", "error": "broken"}], "total_entries": 1}


def test_providers_are_ours_and_the_installed_ones(client, fits_schema):
    body = client.get("/api/v2/providers").json()
    fits_schema("ProviderResponse", body["providers"][0])
    assert "apache-airflow-providers-standard" in [item["package_name"] for item in body["providers"]]


def test_warnings_are_listed_and_filtered(client, fits_schema):
    dag = make_dag("d")
    DagWarning.objects.create(dag=dag, warning_type="non-existent pool", message="m", timestamp=timezone.now())
    body = client.get("/api/v2/dagWarnings").json()
    fits_schema("DAGWarningResponse", body["dag_warnings"][0])
    assert client.get("/api/v2/dagWarnings?warning_type=runtime%20varying%20value").json()["total_entries"] == 0
    assert client.get("/api/v2/dagWarnings?warning_type=moon").status_code == 422


def test_a_file_is_asked_for_by_the_token_of_its_dag(client):
    dag = make_dag("d")
    Dag.objects.filter(pk="d").update(relative_fileloc="d.py")
    ParsedFile.objects.create(bundle=dag.bundle, relative_fileloc="d.py")
    token = client.get("/api/v2/dags/d").json()["file_token"]
    assert client.put(f"/api/v2/parseDagFile/{token}").status_code == 201
    assert ParsedFile.objects.get().reparse_requested_at is not None
    assert AuditLog.objects.filter(event="reparse_dag_file").exists()
    answer = client.put("/api/v2/parseDagFile/garbage")
    assert (answer.status_code, answer.json()) == (404, {"detail": "File not found"})


def test_a_deleted_dag_takes_its_runs_and_versions_along(client):
    run = make_run(make_dag("d"))
    assert client.delete("/api/v2/dags/d").status_code == 204
    assert not Dag.objects.exists() and not DagRun.objects.filter(pk=run.pk).exists() and not DagVersion.objects.exists()
    assert AuditLog.objects.filter(event="delete_dag", dag_id="d").exists()
    answer = client.delete("/api/v2/dags/d")
    assert (answer.status_code, answer.json()) == (404, {"detail": "Dag with id: d was not found"})


def test_a_dag_whose_task_runs_is_not_deleted(client):
    run = make_run(make_dag("d"))
    TaskInstance.objects.create(
        dag_run=run, dag_id="d", run_id=run.run_id, task_id="t", state="running", updated_at=timezone.now()
    )
    answer = client.delete("/api/v2/dags/d")
    assert answer.status_code == 409
    assert answer.json() == {"detail": "Task instances of dag with id: 'd' are still running"}
    assert Dag.objects.filter(pk="d").exists()
