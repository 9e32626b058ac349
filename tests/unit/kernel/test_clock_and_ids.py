"""Instants and ids."""

from datetime import UTC, datetime, timedelta, timezone

from orchestrator.kernel.clock import isoformat_z, utcnow
from orchestrator.kernel.ids import new_id


def test_now_is_aware_and_in_utc() -> None:
    assert utcnow().utcoffset() == timedelta(0)


def test_an_instant_is_written_in_utc_with_z() -> None:
    assert isoformat_z(datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=2)))) == "2026-01-02T01:04:05Z"
    assert isoformat_z(datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)) == "2026-01-02T03:04:05.000006Z"


def test_ids_are_version_seven_and_sort_by_time() -> None:
    ids = [new_id() for _ in range(100)]
    assert {one.version for one in ids} == {7}
    assert ids == sorted(ids)
    assert len(set(ids)) == 100
