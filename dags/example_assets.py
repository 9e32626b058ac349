"""Assets: DAGs that write one, wait for two, run once per event, or count partitions, and values kept beside an asset."""

from __future__ import annotations

import tempfile
from pathlib import Path

from airflow.providers.standard.triggers.file import FileDeleteTrigger
from airflow.sdk import (
    DAG,
    Asset,
    AssetAlias,
    AssetWatcher,
    IdentityMapper,
    Metadata,
    PartitionedAssetTimetable,
    asset,
    task,
)

FLAG = Path(tempfile.gettempdir()) / "example_assets.flag"

orders = Asset("example_orders", uri="file://example/orders.csv")
prices = Asset("example_prices", watchers=[AssetWatcher("flag", FileDeleteTrigger(str(FLAG), poke_interval=0.2))])
by_region = AssetAlias("example_by_region")

with DAG("example_assets_write", schedule=None, tags=["example"], doc_md=__doc__):

    @task(outlets=[orders])
    def write(asset_state_store=None):
        seen = asset_state_store.get("rows", 0) + 3
        asset_state_store.set("rows", seen)
        yield Metadata(orders, {"rows": seen})

    @task(outlets=[by_region])
    def split(*, outlet_events):
        for region in ("us", "eu"):
            outlet_events[by_region].add(Asset(f"example_orders_{region}"), extra={"region": region})

    write() >> split()

with DAG("example_assets_report", schedule=orders & prices, tags=["example"]):

    @task(inlets=[orders])
    def report(*, triggering_asset_events, inlet_events):
        for key, events in triggering_asset_events.items():
            print(key.name, [event.extra for event in events])
        return inlet_events[orders][-1].extra["rows"]

    report()

with DAG("example_assets_regions", schedule=by_region, tags=["example"]):

    @task(inlets=[by_region])
    def regions(*, inlet_events):
        return sorted({event.extra["region"] for event in inlet_events[by_region]})

    regions()

with DAG("example_assets_each", schedule=by_region, event_policy="each", tags=["example"]):

    @task
    def each(*, triggering_asset_events):
        return [event.extra["region"] for event in triggering_asset_events[by_region]]

    each()

per_day = PartitionedAssetTimetable(assets=orders, default_partition_mapper=IdentityMapper())
with DAG("example_assets_per_day", schedule=per_day, tags=["example"]):

    @task
    def day(*, partition_key):
        return partition_key

    day()


@asset(schedule=None, tags=["example"])
def example_totals(context, example_orders):
    """Write an asset from another one; the function is its own DAG."""
    print(len(context["inlet_events"][example_orders]))
