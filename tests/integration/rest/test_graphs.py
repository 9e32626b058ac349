"""The graphs that Airflow's pages read under /ui: one DAG, a part of it, and what lies between DAGs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import DagRule, User
from accounts.roles import Role
from accounts.tokens import token_for
from dags_app.models import Asset, Dag, DagVersion
from dags_app.processor.assets import assets_store
from dags_app.processor.links import links_store
from orchestrator.kernel.ids import new_id
from orchestrator.sdk.serialization.spec import DagSpec, TaskSpec, to_json
from tests.conformance.test_graphs import GOLDEN, specs
from tests.factories import make_dag

pytestmark = pytest.mark.django_db

STRUCTURE, BETWEEN = "/ui/structure/structure_data", "/ui/dependencies"


def stored(*dag_ids: str) -> None:
    for dag_id in dag_ids or specs():
        dag = make_dag(dag_id, specs()[dag_id])
        assets_store(dag, specs()[dag_id])
        links_store(dag, specs()[dag_id])


def triggering(dag_id: str, other: str) -> Dag:
    link = {"source": dag_id, "target": other, "dependency_type": "trigger", "dependency_id": "t", "label": "t"}
    dag = make_dag(dag_id, spec := DagSpec(dag_id, tasks=[TaskSpec("t")], dependencies=[link]))
    links_store(dag, spec)
    return dag


def ids(body: Any) -> list[str]:
    return [node["id"] for node in body["nodes"]]


def ends(body: Any) -> list[tuple[str, str]]:
    return [(edge["source_id"], edge["target_id"]) for edge in body["edges"]]


def without_null(value: Any) -> Any:
    if isinstance(value, list):
        return [without_null(item) for item in value]
    return {key: without_null(item) for key, item in value.items() if item is not None} if isinstance(value, dict) else value


@pytest.mark.parametrize("query", ["g_groups", "g_setup_nested&root=sg.in.w1&include_downstream=true&depth=1", "g_mapped"])
def test_the_graph_of_a_dag_is_airflows(client: Client, query: str) -> None:
    stored(query.partition("&")[0])
    assert without_null(client.get(f"{STRUCTURE}?dag_id={query}").json()) == GOLDEN["structure"][query]


def test_nodes_and_edges_have_all_fields_of_airflow(client: Client) -> None:
    stored("g_chain")
    body = client.get(f"{STRUCTURE}?dag_id=g_chain").json()
    facts = {"asset_condition_type", "children", "is_mapped", "operator", "setup_teardown_type", "team", "tooltip"}
    assert set(body["nodes"][0]) == {"id", "label", "type", *facts}
    assert set(body["edges"][0]) == {"source_id", "target_id", "is_setup_teardown", "label", "is_source_asset"}
    assert set(client.get(BETWEEN).json()) == {"edges", "nodes"}


def test_what_starts_a_dag_and_what_it_starts_hangs_on_its_tasks(client: Client) -> None:
    stored()
    pks = dict(Asset.objects.values_list("name", "pk"))
    single = client.get(f"{STRUCTURE}?dag_id=g_asset_single&external_dependencies=true").json()
    assert ids(single) == ["c", "d", "trigger:g_trigger:g_asset_single:trig2", str(pks["g_a1"])]
    assert ends(single)[1:] == [("trigger:g_trigger:g_asset_single:trig2", "c"), (str(pks["g_a1"]), "c")]
    made = client.get(f"{STRUCTURE}?dag_id=g_asset_producer&external_dependencies=true").json()
    assert ("produce2", f"asset:{pks['g_a2']}") in ends(made)


def test_the_graph_between_dags_is_airflows_and_so_is_the_part_around_a_node(client: Client) -> None:
    stored()
    names = {f"asset:{pk}": f"asset:{name}" for name, pk in Asset.objects.values_list("name", "pk")}
    for query, wanted in GOLDEN["dependencies"].items():
        answer = client.get(BETWEEN + query)
        assert answer.status_code == wanted.get("status", 200), query
        if answer.status_code == 200:
            assert {names.get(i, i) for i in ids(answer.json())} == {node["id"] for node in wanted["nodes"]}
            found = {(names.get(a, a), names.get(b, b)) for a, b in ends(answer.json())}
            assert found == {tuple(edge) for edge in wanted["edges"]}


def test_a_dag_that_is_gone_is_in_no_other_graph(client: Client) -> None:
    triggering("gone", "d")
    make_dag("d")
    Dag.objects.filter(pk="gone").update(is_stale=True)
    assert client.get(BETWEEN).json() == {"edges": [], "nodes": []}
    assert ids(client.get(f"{STRUCTURE}?dag_id=d&external_dependencies=true").json()) == ["t"]


def test_each_version_has_its_own_graph(client: Client) -> None:
    dag = make_dag("d")
    spec = DagSpec("d", tasks=[TaskSpec("old")])
    hashes = {"structure_hash": str(new_id()), "attributes_hash": "a"}
    DagVersion.objects.create(dag=dag, version_number=7, document=json.dumps(to_json(spec)), **hashes)
    assert ids(client.get(f"{STRUCTURE}?dag_id=d").json()) == ["t"]
    assert ids(client.get(f"{STRUCTURE}?dag_id=d&version_number=7").json()) == ["old"]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 422),
        ("dag_id=nope", 404),
        ("dag_id=d&version_number=2", 404),
        ("dag_id=d&version_number=x", 422),
        ("dag_id=d&depth=-1", 422),
        ("dag_id=d&include_upstream=maybe", 422),
    ],
)
def test_a_wrong_question_about_a_graph_is_refused(client: Client, query: str, status: int) -> None:
    make_dag("d")
    assert client.get(f"{STRUCTURE}?{query}").status_code == status


def test_a_document_that_cannot_be_read_is_404_with_what_to_do(client: Client) -> None:
    dag = make_dag("d")
    DagVersion.objects.filter(dag=dag).update(document="{", structure_hash="unreadable")
    answer = client.get(f"{STRUCTURE}?dag_id=d")
    assert (answer.status_code, "save the DAG file again" in answer.json()["detail"]) == (404, True)


@contextmanager
def counted() -> Iterator[Callable[[], int]]:
    with CaptureQueriesContext(connection) as captured:
        yield lambda: len(captured)


def test_graphs_cost_the_same_number_of_queries_whatever_there_is(client: Client) -> None:
    stored("g_asset_consumer", "g_asset_ref", "g_trigger", "g_sensor")
    paths = [BETWEEN, f"{BETWEEN}?node_id=dag:g_trigger", f"{STRUCTURE}?dag_id=g_sensor&external_dependencies=true"]

    def costs() -> list[int]:
        found = []
        for path in paths:
            client.get(path)
            with counted() as count:
                assert client.get(path).status_code == 200
            found.append(count())
        return found

    few = costs()
    stored(*(dag_id for dag_id in specs() if not Dag.objects.filter(pk=dag_id).exists()))
    for number in range(20):
        triggering(f"t{number}", "g_sensor")
    assert costs() == few


def test_rules_hide_dags_from_graphs_and_let_them_be_read(client: Client) -> None:
    """C30-a: whoever reaches one DAG alone learns of no other that it hangs together with."""
    triggering("theirs", "mine")
    triggering("mine", "hidden_target")
    make_dag("hidden_target")
    user = User.objects.create_user("u")
    user.groups.add(Group.objects.get_or_create(name="User")[0])
    DagRule.objects.create(user=user, dag_id="mine", role=Role.VIEWER)
    limited = Client(headers={"Authorization": f"Bearer {token_for(user, lifetime_seconds=60)}"})
    assert len(ids(client.get(BETWEEN).json())) == 5
    assert limited.get(BETWEEN).json() == {"edges": [], "nodes": []}
    assert limited.get(f"{STRUCTURE}?dag_id=theirs").status_code == 404
    around = limited.get(f"{STRUCTURE}?dag_id=mine&external_dependencies=true")
    assert (around.status_code, "theirs" in around.content.decode()) == (200, False)
    assert Client().get(f"{STRUCTURE}?dag_id=mine").status_code == 401
    nothing = User.objects.create_user("nothing")
    assert Client(headers={"Authorization": f"Bearer {token_for(nothing, lifetime_seconds=60)}"}).get(BETWEEN).status_code == 403
    assert client.post(BETWEEN).status_code == 405
