"""Instants that PostgreSQL gives are the same as Django reads them, only sooner (C07)."""

from datetime import UTC, datetime

import pytest
from django.db import connection

from orchestrator.database import is_postgresql

pytestmark = pytest.mark.skipif(not is_postgresql(), reason="reads what PostgreSQL gives")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "written",
    ["2026-02-20 10:00:00+00", "2026-02-20 10:00:00.000001+00", "2026-02-20 10:00:00.5-07:30", "0001-01-01 00:00:00+00"],
)
def test_an_instant_comes_back_in_utc(written: str) -> None:
    from orchestrator.postgres_instants import InstantLoader

    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::timestamptz", [written])
        (found,) = cursor.fetchone()
    assert connection.connection.adapters.get_loader(1184, 0) is InstantLoader
    assert found == datetime.fromisoformat(written)
    assert found.tzinfo is UTC


@pytest.mark.django_db
def test_another_time_zone_of_the_session_is_no_other_instant() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL timezone TO 'Asia/Kolkata'")
        cursor.execute("SELECT '2026-02-20 10:00:00+00'::timestamptz")
        (found,) = cursor.fetchone()
    assert found == datetime(2026, 2, 20, 10, tzinfo=UTC)
