"""What storing a version of a DAG makes known of assets."""

from __future__ import annotations

import pytest

from dags_app.models import Asset, AssetAlias, AssetReference, AssetWatcher, DagWarning
from dags_app.processor.assets import assets_drop
from orchestrator.sdk.definitions.asset import Asset as A
from orchestrator.sdk.definitions.asset import AssetAlias as Alias
from orchestrator.sdk.definitions.asset import AssetWatcher as Watcher
from orchestrator.sdk.triggers.file import FileDeleteTrigger
from tests.assets import changed, stored

pytestmark = pytest.mark.django_db


def mentions(dag_id: str) -> set[tuple[str, str, str]]:
    rows = AssetReference.objects.filter(dag=dag_id).select_related("asset", "alias")
    return {
        (row.role, row.task_id, (row.asset or row.alias).name if row.asset or row.alias else row.name or row.uri) for row in rows
    }


def active() -> set[str]:
    return set(Asset.objects.filter(is_active=True).values_list("name", flat=True))


def test_schedule_outlets_and_inlets_become_references_of_every_kind():
    schedule = (A("a") & A.ref(name="n")) | (Alias("al", group="g") & A.ref(uri="s3://u/k"))
    stored("d", schedule, outlets=[A("o", uri="s3://o/k", extra={"x": 1}), Alias("al", group="g")], inlets=[A("i")])
    scheduled = {("schedule", "", name) for name in ("a", "n", "al", "s3://u/k")}
    assert mentions("d") == scheduled | {("outlet", "t", "o"), ("outlet", "t", "al"), ("inlet", "t", "i")}
    assert Asset.objects.get(name="o").extra == {"x": 1}
    assert AssetAlias.objects.get().group == "g"
    assert active() == {"a", "o", "i"}


def test_a_new_version_leaves_what_stays_and_drops_what_went():
    dag = stored("d", A("a") & A("b"))
    kept = AssetReference.objects.get(asset__name="a").created_at
    changed(dag, A("a") & A("c"))
    assert mentions("d") == {("schedule", "", "a"), ("schedule", "", "c")}
    assert AssetReference.objects.get(asset__name="a").created_at == kept
    assert active() == {"a", "c"}


def test_an_asset_of_a_dag_that_is_gone_is_inactive_and_active_when_it_is_back():
    dag = stored("d", A("a"))
    assets_drop(["d"])
    assert active() == set() and Asset.objects.count() == 1
    changed(dag, A("a"))
    assert active() == {"a"}


def test_a_dag_without_assets_costs_one_query(django_assert_num_queries):
    from dags_app.processor.assets import assets_store
    from tests.assets import spec

    dag = stored("d")
    with django_assert_num_queries(1):
        assets_store(dag, spec("d"))


def test_two_assets_with_one_uri_are_a_warning_and_the_one_that_is_written_is_active():
    stored("reader", inlets=[A("s3://x/k")])
    stored("writer", outlets=[A("named", uri="s3://x/k")])
    assert active() == {"named"}
    warning = DagWarning.objects.get()
    assert (warning.dag_id, warning.warning_type) == ("reader", "asset conflict")
    assert warning.message == (
        'Cannot activate asset Asset(name="s3://x/k", uri="s3://x/k", group="asset"); uri is already associated to \'named\''
    )


def test_of_two_writers_the_first_keeps_the_name_until_it_goes():
    first = stored("first", outlets=[A("x", uri="s3://1/k")])
    stored("second", outlets=[A("x", uri="s3://2/k")])
    assert DagWarning.objects.get().dag_id == "second"
    changed(first, outlets=[])
    assert Asset.objects.get(is_active=True).uri == "s3://2/k"
    assert not DagWarning.objects.exists()


def test_watchers_follow_the_dags_that_declare_them():
    watched = A("w", watchers=[Watcher("one", FileDeleteTrigger("/tmp/a")), Watcher("two", FileDeleteTrigger("/tmp/a"))])
    dag = stored("d", watched)
    stored("plain", outlets=[A("w")])  # another mention of the asset, without watchers, changes nothing
    rows = AssetWatcher.objects.order_by("name")
    assert [row.name for row in rows] == ["one", "two"]
    assert len({row.kwargs_hash for row in rows}) == 1
    changed(dag, A("w", watchers=[Watcher("one", FileDeleteTrigger("/tmp/b"))]))
    assert [row.name for row in rows.all()] == ["one"]
    changed(dag, None)
    assert not AssetWatcher.objects.exists()
