"""Decides whether versions grow when the structure of a DAG changes, and never otherwise (C20)."""

from __future__ import annotations

import json
import os

import pytest

from dags_app.models import Dag, DagVersion
from dags_app.services import file_request_reparse
from tests.factories import make_run
from tests.integration.dags_app.conftest import Folder


def versions(dag_id: str) -> int:
    return DagVersion.objects.filter(dag_id=dag_id).count()


def again(folder: Folder, name: str) -> None:
    """Parse a file again although it has not changed."""
    file_request_reparse("dags-folder", name)
    folder.parse()


def test_the_same_bytes_never_make_a_second_version_c20_a(folder: Folder):
    folder.dag("d.py", "d", "tags={'b', 'a', 'c'}")
    folder.parse()
    first = Dag.objects.get(pk="d").latest_version
    make_run(Dag.objects.get(pk="d"))
    for seed in ("0", "1", "2"):
        folder.client.close()  # the next zygote has another order of sets
        os.environ["PYTHONHASHSEED"] = seed
        try:
            again(folder, "d.py")
        finally:
            del os.environ["PYTHONHASHSEED"]
    newest = Dag.objects.get(pk="d").latest_version
    assert (versions("d"), newest.pk, newest.document) == (1, first.pk, first.document)
    assert folder.file("d.py").warnings == []


def test_an_attribute_is_revised_under_the_same_version_c20_b(folder: Folder):
    folder.dag("d.py", "d", "description='old'")
    folder.parse()
    make_run(Dag.objects.get(pk="d"))
    folder.dag("d.py", "d", "description='new'")
    folder.parse()
    dag = Dag.objects.get(pk="d")
    assert (dag.description, versions("d")) == ("new", 1)
    assert json.loads(dag.latest_version.document)["description"] == "new"


def test_another_structure_is_a_new_version_once_a_run_uses_the_old_one_c20_b(folder: Folder):
    folder.dag("d.py", "d")
    folder.parse()
    folder.dag("d.py", "d", "max_active_runs=3")
    folder.parse()
    assert versions("d") == 1
    run = make_run(Dag.objects.get(pk="d"))
    folder.dag("d.py", "d", "max_active_runs=5")
    folder.parse()
    assert folder.state("d") == ("d.py", False, 2)
    run.refresh_from_db()
    assert run.created_dag_version.version_number == 1


@pytest.mark.parametrize("argument", ["description=str(time.time_ns())", "max_active_runs=time.time_ns() % 2**31"])
def test_a_file_that_differs_at_each_parse_keeps_its_version_and_names_the_field_c20_c(folder: Folder, argument):
    folder.write("d.py", f"import time\nd = DAG('d', {argument})\n")
    folder.parse()
    first = DagVersion.objects.get(dag_id="d").document
    again(folder, "d.py")
    assert DagVersion.objects.get(dag_id="d").document == first
    assert f"`{argument.split('=')[0]}` moved" in folder.file("d.py").warnings[0]


def test_a_lasting_change_from_outside_of_the_file_is_let_in_after_two_equal_parses_c20_c(folder: Folder, tmp_path):
    outside = tmp_path / "outside.txt"
    outside.write_text("1")
    folder.write("d.py", f"d = DAG('d', description=open({str(outside)!r}).read())\n")
    folder.parse()
    outside.write_text("2")
    again(folder, "d.py")
    assert Dag.objects.get(pk="d").description == "2"
    assert json.loads(DagVersion.objects.get(dag_id="d").document)["description"] == "2"


def test_the_source_that_was_parsed_is_kept_with_the_version(folder: Folder):
    path = folder.dag("d.py", "d")
    folder.parse()
    assert Dag.objects.get(pk="d").latest_version.code.source_code == path.read_text()


def test_pausing_at_first_sight_only(folder: Folder):
    folder.dag("a.py", "a")
    folder.dag("b.py", "b", "is_paused_upon_creation=False")
    folder.parse()
    assert dict(Dag.objects.values_list("dag_id", "is_paused")) == {"a": True, "b": False}
    Dag.objects.update(is_paused=True)
    folder.dag("b.py", "b", "is_paused_upon_creation=False, max_active_runs=2")
    folder.parse()
    assert Dag.objects.get(pk="b").is_paused


def test_the_next_run_follows_the_schedule_and_moves_when_the_schedule_does(folder: Folder):
    start = "from datetime import datetime\nd = DAG('d', start_date=datetime(2020, 1, 1), catchup=True, schedule="
    folder.write("d.py", start + "'@daily')\n")
    folder.parse()
    assert Dag.objects.get(pk="d").next_dagrun_create_after.isoformat() == "2020-01-01T00:00:00+00:00"
    folder.write("d.py", start + "'30 4 * * *')\n")
    folder.parse()
    assert Dag.objects.get(pk="d").next_dagrun_create_after.isoformat() == "2020-01-01T04:30:00+00:00"
    folder.write("d.py", start + "None)\n")
    folder.parse()
    assert Dag.objects.get(pk="d").next_dagrun_create_after is None


def test_a_date_that_never_comes_is_told_on_the_dag_and_stops_nothing_i4(folder: Folder):
    folder.write("d.py", "d = DAG('d', schedule='0 0 30 2 *')\ne = DAG('e', schedule='@daily')\n")
    folder.parse()
    assert "0 0 30 2 *" in Dag.objects.get(pk="d").scheduling_error
    assert Dag.objects.get(pk="e").next_dagrun_create_after is not None
