"""Decides the schedules that mix assets with a clock or with partitions."""

from __future__ import annotations

from typing import Any, Self

from orchestrator.sdk.definitions.asset import AssetAll, BaseAsset
from orchestrator.sdk.definitions.timetables import (
    AssetTriggeredTimetable,
    Timetable,
    decode_timetable,
    encode_timetable,
    register_timetable,
)


class AssetOrTimeSchedule(AssetTriggeredTimetable):
    """Runs by a timetable, and when assets are updated."""

    periodic = True

    def __init__(self, *, assets: Any, timetable: Timetable) -> None:
        condition = assets if isinstance(assets, BaseAsset) else AssetAll(*assets)
        super().__init__(condition.serialize())
        self.timetable = timetable
        self.description = f"Triggered by assets or {timetable.description}"
        self.active_runs_limit = timetable.active_runs_limit
        self.can_be_scheduled = timetable.can_be_scheduled
        self.periodic = timetable.periodic

    @property
    def summary(self) -> str:
        """Return both kinds in short."""
        return f"Asset or {self.timetable.summary}"

    def validate(self) -> None:
        """Check the timetable."""
        self.timetable.validate()

    def serialize(self) -> dict[str, Any]:
        """Return condition and timetable."""
        return {"asset_condition": self.asset_condition, "timetable": encode_timetable(self.timetable)}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> Self:
        """Build it from what ``serialize`` returned."""
        made = cls(assets=[], timetable=decode_timetable(data["timetable"]))
        made.asset_condition = data["asset_condition"]
        return made

    def infer_manual_data_interval(self, *, run_after: Any) -> Any:
        """Return what the timetable says."""
        return self.timetable.infer_manual_data_interval(run_after=run_after)

    def next_dagrun_info(self, *, last_automated_data_interval: Any, restriction: Any) -> Any:
        """Return what the timetable says."""
        return self.timetable.next_dagrun_info(last_automated_data_interval=last_automated_data_interval, restriction=restriction)


class PartitionedAssetTimetable(AssetTriggeredTimetable):
    """Runs once per partition when the assets of that partition are updated."""

    partitioned = True

    def __init__(
        self, assets: BaseAsset, partition_mapper_config: dict[Any, Any] | None = None, default_partition_mapper: Any = None
    ) -> None:
        from orchestrator.sdk.definitions.partition_mappers import IdentityMapper

        _check_mappers(assets, partition_mapper_config or {}, default_partition_mapper)
        super().__init__(assets.serialize())
        self.partition_mapper_config = dict(partition_mapper_config or {})
        self.default_partition_mapper = default_partition_mapper or IdentityMapper()
        self._facts: dict[str, Any] | None = None

    @property
    def summary(self) -> str:
        """Return the kind in words."""
        return "Partitioned Asset"

    def serialize(self) -> dict[str, Any]:
        """Return condition and mappers."""
        if self._facts is not None:
            return self._facts
        from orchestrator.sdk.definitions.partitions.codec import encode

        config = [[asset.serialize(), encode(mapper)] for asset, mapper in self.partition_mapper_config.items()]
        return {
            "asset_condition": self.asset_condition,
            "partition_mapper_config": config,
            "default_partition_mapper": encode(self.default_partition_mapper),
        }

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> Self:
        """Build it from what ``serialize`` returned; the mappers stay facts."""
        made = cls(AssetAll())
        made.asset_condition, made._facts = data["asset_condition"], dict(data)
        return made


def _check_mappers(assets: Any, config: Any, default: Any) -> None:
    from orchestrator.sdk.definitions.partition_mappers import PartitionMapper

    if not isinstance(assets, BaseAsset):
        raise TypeError(f"PartitionedAssetTimetable(assets=) takes an asset, or several joined by & and |, not {assets!r:.100}")
    for asset, mapper in config.items():
        if not isinstance(asset, BaseAsset) or not isinstance(mapper, PartitionMapper):
            raise TypeError(f"partition_mapper_config maps assets to partition mappers, not {asset!r:.60} to {mapper!r:.60}")
    if default is not None and not isinstance(default, PartitionMapper):
        raise TypeError(f"default_partition_mapper takes a partition mapper, not {default!r:.100}")


# Both are part of the platform, so their stored form needs no import path.
register_timetable(AssetOrTimeSchedule)
register_timetable(PartitionedAssetTimetable)
