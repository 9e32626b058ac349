"""The pages of pools, configuration, providers and plugins: who sees and changes what (C13, C29)."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import AuditLog
from dags_app.models import Plugin
from orchestrator.config import conf
from orchestrator.config.options import OPTIONS
from runs.models import Pool
from tests.factories import make_dag, make_run, make_ti
from tests.integration.ui.costs import queries_of
from tests.integration.ui.signed_in import client_of

pytestmark = pytest.mark.django_db


def text_of(client: Client, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status, path
    return str(answer.content.decode())


@pytest.fixture
def pool() -> Pool:
    Pool.objects.get_or_create(pool="default_pool", defaults={"slots": 128})
    made = Pool.objects.create(pool="db/one", slots=4, include_deferred=True)
    run = make_run(make_dag("etl"))
    for number, state in enumerate(("running", "running", "queued", "deferred", "scheduled")):
        make_ti(run, f"t{number}", state=state, pool="db/one")
    return made


def test_a_pool_shows_what_holds_its_slots_and_leads_there(pool: Pool) -> None:
    viewer = client_of("Viewer")
    text = text_of(viewer, "/pools")
    assert "2 running" in text and "1 queued" in text and "1 deferred" in text and ">full<" in text
    assert "pool=db%2Fone&amp;state=running" in text and "/pools/add" not in text
    assert viewer.get("/pools/add").status_code == viewer.post("/pools/edit/db/one").status_code == 403
    first = queries_of(viewer, "/pools")
    for number in range(5):
        Pool.objects.create(pool=f"p{number}", slots=1)
    assert queries_of(viewer, "/pools") == first <= 7


def test_a_pool_is_made_changed_and_deleted_and_the_default_one_stays(pool: Pool) -> None:
    client = client_of("Op", name="ann")
    assert client.post("/pools/add", {"pool": "new", "slots": "-1"}).status_code == 302
    assert "no limit" in text_of(client, "/pools")
    assert client.post("/pools/add", {"pool": "new", "slots": "-2"}).status_code == 422
    assert client.post("/pools/edit/new", {"slots": "7", "include_deferred": "on"}).status_code == 302
    row = Pool.objects.get(pool="new")
    assert (row.slots, row.include_deferred) == (7, True)
    assert AuditLog.objects.get(event="patch_pool").after == {"slots": 7, "include_deferred": True}
    assert client.get("/pools/delete?selected=default_pool").status_code == 404
    client.post("/pools/delete", {"selected": ["default_pool", "new", "db/one"]})
    assert list(Pool.objects.values_list("pool", flat=True)) == ["default_pool"]
    assert set(AuditLog.objects.values_list("event", flat=True)) == {"post_pool", "patch_pool", "delete_pool"}


@pytest.fixture
def exposed(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("AIRFLOW__API__EXPOSE_CONFIG", "True")
    monkeypatch.setenv("AIRFLOW__CORE__PARALLELISM", "77")
    monkeypatch.setenv("AIRFLOW__CORE__FERNET_KEY", "cFRTY2p5dGhpcyBpcyBhIHNlY3JldCBrZXkgb2YgdDE=")
    conf.reload()
    yield
    monkeypatch.undo()
    conf.reload()


def test_the_configuration_is_shown_only_where_it_is_exposed() -> None:
    text = text_of(client_of("Admin"), "/configs", 403)
    assert "expose_config" in text and "parallelism" not in text
    assert client_of("User").get("/configs").status_code == 403


def test_the_configuration_tells_where_a_value_comes_from_and_hides_secrets(exposed: None) -> None:
    client = client_of("Op")
    text = text_of(client, "/configs")
    assert text.count('<th scope="row">') == len(OPTIONS)
    assert "cFRTY2p5dGhp" not in text
    changed = text_of(client, "/configs?changed=on&q=parallelism")
    assert "77" in changed and "AIRFLOW__CORE__PARALLELISM" in changed and 'id="core.dag_concurrency"' not in changed
    assert 'id="core.parallelism"' in text_of(client, "/configs?source=environment")
    assert 'id="core.parallelism"' not in text_of(client, "/configs?source=default")
    assert "Nothing matches" in text_of(client, "/configs?q=zzzz")
    assert 'id="core.fernet_key"' not in text_of(client, "/configs?q=cFRTY2p5dGhp")


def test_providers_and_plugins_are_for_everybody(db: None) -> None:
    viewer = client_of("Viewer")
    assert "apache-airflow-providers-standard" in text_of(viewer, "/providers")
    assert "Nothing matches" in text_of(viewer, "/providers?q=zzzz")
    assert "No plugin" in text_of(viewer, "/plugins")
    Plugin.objects.create(
        name="good", source="good.py", content={"macros": ["m.one"], "fastapi_apps": [{"name": "web"}]}, loaded_at=timezone.now()
    )
    Plugin.objects.create(source="bad.py", error="NameError: <b>x</b>", loaded_at=timezone.now())
    text = text_of(viewer, "/plugins")
    assert "m.one" in text and "web" in text and "NameError: &lt;b&gt;" in text and "not loaded" in text
