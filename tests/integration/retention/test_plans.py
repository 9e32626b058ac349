"""C18-b: what retention asks and deletes is found by indexes, in transactions of at most so many rows, children first.

Every statement of a round over rows of every table is taken from the database's own log and explained. PostgreSQL plans by what
tables hold, so there the tables have thousands of rows, in the proportions of a history.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.apps import apps
from django.db import connection, transaction
from django.db.models import CASCADE, Model
from django.test.utils import CaptureQueriesContext

from accounts.models import AuditLog
from dags_app.models import Asset, Bundle, Dag, ParseImportError
from runs.models import AssetDelivery, AssetEvent, BulkFailure, Callback, DagRun, PartitionArrival, PartitionWait
from runs.retention.chunks import children, chunk_delete, chunks, run_models
from runs.retention.rules import Rules
from runs.retention.tables import FLAT
from tests.factories import make_dag, make_run
from tests.integration.retention.rows import any_row
from tests.integration.retention.volume import SMALL as SMALL_SIZE
from tests.integration.retention.volume import fill, sweep

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 6, 1, tzinfo=UTC)
OLD = NOW - timedelta(days=400)
# These have some thousand rows at most, whatever the history: processes, files, versions, backfills, waits of now, sessions.
SMALL = {"job", "import_error", "dag_version", "dag_code", "backfill", "trigger", "session"}
SMALL_TABLES = {flat.model._meta.db_table for flat in FLAT if flat.table in SMALL} | {"dags_app_dag", "dags_app_bundle"}
# Indexes of what is open now: as small as that, whatever the history.
PARTIAL = {index.name for model in apps.get_models() for index in model._meta.indexes if index.condition is not None}
# Looked for among all models, not asked of what is tested.
OF_RUNS = [
    model
    for model in apps.get_models()
    if any(f.name == "dag_run" and f.remote_field and f.remote_field.on_delete is CASCADE for f in model._meta.concrete_fields)
]
MANY, RUNS = 20_000, 4_000
NAMED = r'(?:FROM|JOIN|UPDATE) "(\w+)"'


def sizes() -> dict[type[Model], int]:
    """How many rows the tables get that retention asks or deletes from."""
    deleted = {DagRun, *run_models(), *(flat.model for flat in FLAT)}
    deleted |= {child for model in deleted for child, _ in children(model)}
    naming = {
        field.related_model for model in deleted for field in model._meta.get_fields(include_hidden=True) if field.auto_created
    }
    models = {Dag, Bundle, *deleted, *(model for model in naming if isinstance(model, type))}
    return {DagRun: RUNS} | {model: SMALL_SIZE if model._meta.db_table in SMALL_TABLES else MANY for model in models}


def rules(batch: int = 500) -> Rules:
    moment = NOW - timedelta(days=100)
    return Rules(moment, moment, moment, moment, batch=batch)


def write_history() -> None:
    """An old run with a row of everything that belongs to runs, and an old row of every other table."""
    dag = make_dag()
    old = make_run(dag, "old", state="success", run_after=OLD, end_date=OLD)
    make_run(dag, "young", state="success", run_after=NOW, end_date=NOW)
    for model in OF_RUNS:
        any_row(model, OLD, dag_run=old)
    asset = Asset.objects.create(name="a", uri="a")
    any_row(AssetEvent, OLD, asset=asset)
    any_row(AuditLog, OLD)
    any_row(Callback, OLD, state="delivered")
    any_row(BulkFailure, OLD)
    for flat in FLAT:
        if flat.table in SMALL - {"import_error"}:
            any_row(flat.model, OLD)
    any_row(ParseImportError, OLD, bundle=Bundle.objects.create(name="gone", is_active=False))


@pytest.fixture(scope="module")
def swept(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Leave no traces of large tables to other tests."""
    yield
    if connection.vendor == "postgresql":
        with django_db_blocker.unblock():
            sweep()


@pytest.fixture
def statements(swept: None) -> list[str]:
    """The statements of a whole round."""
    write_history()
    if connection.vendor == "postgresql":
        fill(sizes(), NOW)
    with CaptureQueriesContext(connection) as log:
        for chunk in chunks(rules(batch=2)):
            with transaction.atomic():
                chunk_delete(chunk)
    assert not DagRun.objects.filter(run_id="old").exists()
    assert not any(model._default_manager.filter(dag_run__run_id="old").exists() for model in OF_RUNS)
    found = dict.fromkeys(query["sql"] for query in log.captured_queries)
    return [text for text in found if re.match(r"SELECT|DELETE|UPDATE", text)]


def sizes_of_steps(batch: int) -> list[int]:
    """Delete everything that goes; how many rows each transaction took, with all that a cascade took."""
    sizes = []
    for chunk in chunks(rules(batch=batch)):
        with transaction.atomic():
            sizes.append(chunk_delete(chunk)[0])
    return sizes


def drop_index(model: type[Model], column: str) -> None:
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, model._meta.db_table)
        for name in [name for name, about in found.items() if about["index"] and about["columns"] == [column]]:
            cursor.execute(f'DROP INDEX "{name}"')


def unindexed(statement: str) -> Iterator[str]:
    """The tables, small ones left out, that the plan of a statement reads from end to end, with batches of the usual size."""
    statement = re.sub(r" LIMIT 2$", f" LIMIT {rules().batch}", statement)
    if connection.vendor == "postgresql":
        yield from _unindexed_by_postgresql(statement)
        return
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {statement}")
        for *_, step in cursor.fetchall():
            if (found := re.match(r"SCAN (\w+)", step)) and found[1] not in SMALL_TABLES and found[1] in statement:
                yield step


def _unindexed_by_postgresql(statement: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {statement}")
        (plan,) = cursor.fetchone()
    root = (plan if isinstance(plan, list) else json.loads(plan))[0]["Plan"]
    return [f"{found}: {root}" for found in _unindexed_nodes(root)]


def _unindexed_nodes(node: dict[str, Any]) -> Iterator[str]:
    table, kind = node.get("Relation Name"), node["Node Type"]
    has_condition = "Index Cond" in node or kind == "Bitmap Heap Scan" or node.get("Index Name") in PARTIAL
    if table and table not in SMALL_TABLES and kind.endswith("Scan") and not has_condition:
        yield f"{kind} of {table}"
    for inner in node.get("Plans", ()):
        yield from _unindexed_nodes(inner)


def test_c18b_no_statement_of_retention_reads_a_large_table_from_end_to_end(statements: list[str]) -> None:
    tables = {model._meta.db_table for model in OF_RUNS} | {flat.model._meta.db_table for flat in FLAT}
    deleted = {table for table in tables for text in statements if text.startswith(f'DELETE FROM "{table}"')}
    assert deleted >= tables, f"nothing of {sorted(tables - deleted)} was deleted: write_history must make such a row"
    small = {named for text in statements for named in re.findall(NAMED, text)} - {model._meta.db_table for model in sizes()}
    assert small == set(), "the planner must know these as large: sizes must name them"
    assert [(found, text) for text in statements for found in unindexed(text)] == []
    drop_index(DagRun, "created_dag_version_id")
    anew = [f"/* SQLite keeps plans by their text */ {text}" for text in statements if 'SELECT "dags_app_dagversion"' in text]
    assert any(list(unindexed(text)) for text in anew), "a missing index must be found"


def test_c18b_deleting_an_event_takes_no_more_rows_at_once_than_the_batch() -> None:
    """Its deliveries go before it, in steps of their own."""
    dag, asset = make_dag(), Asset.objects.create(name="a", uri="a")
    run = make_run(dag, "young", state="success", run_after=NOW, end_date=NOW)
    for _ in range(3):
        event = AssetEvent.objects.create(asset=asset, timestamp=OLD)
        for number in range(5):
            consumer = make_dag(f"consumer_{event.pk}_{number}")
            AssetDelivery.objects.create(event=event, dag=consumer, asset=asset, dag_run=run, created_at=OLD)
    sizes = []
    for chunk in chunks(rules(batch=4), ["asset_event"]):
        with transaction.atomic():
            sizes.append(chunk_delete(chunk)[0])
    assert (max(sizes), sum(sizes)) == (4, 18)
    assert AssetDelivery.objects.count() == AssetEvent.objects.count() == 0


def test_c18b_runs_go_in_steps_of_the_batch_too() -> None:
    dag = make_dag()
    for number in range(10):
        make_run(dag, f"r{number}", state="success", run_after=OLD + timedelta(hours=number), end_date=OLD)
    assert max(sizes_of_steps(batch=4)) <= 4
    assert DagRun.objects.count() == 1


@pytest.mark.parametrize("model", OF_RUNS, ids=lambda model: str(model.__name__))
def test_c18b_what_belongs_to_a_run_goes_in_steps_before_it(model: type[Model]) -> None:
    dag = make_dag()
    old = make_run(dag, "old", state="success", run_after=OLD, end_date=OLD)
    make_run(dag, "young", state="success", run_after=NOW, end_date=NOW)
    for number in range(9):
        any_row(
            model, OLD, dag_run=old, **({"map_index": number} if any(f.name == "map_index" for f in model._meta.fields) else {})
        )
    assert max(sizes_of_steps(batch=4)) <= 4
    assert not model._default_manager.filter(dag_run__run_id="old").exists()


def test_c18b_the_events_that_made_a_run_go_in_steps_before_what_they_arrived_at() -> None:
    dag, asset = make_dag(), Asset.objects.create(name="a", uri="a")
    old = make_run(dag, "old", state="success", run_after=OLD, end_date=OLD)
    make_run(dag, "young", state="success", run_after=NOW, end_date=NOW)
    wait = any_row(PartitionWait, OLD, dag_run=old)
    for _ in range(9):
        event = any_row(AssetEvent, NOW, asset=asset)
        any_row(PartitionArrival, OLD, wait=wait, asset=asset, event=event)
    assert max(sizes_of_steps(batch=4)) <= 4
    assert (PartitionArrival.objects.count(), AssetEvent.objects.count()) == (0, 9)


@pytest.mark.parametrize("condition", ["at < '2020-01-01 00:00:00+00:00'", "id > 5 OR task_id = 't'"])
def test_a_statement_without_an_index_would_be_found(condition: str) -> None:
    assert list(unindexed(f'SELECT "to_state" FROM "runs_statechange" WHERE {condition}'))
