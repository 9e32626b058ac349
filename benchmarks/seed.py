"""Decides how a database with a long history is made, and how fast its lists and pages are: `python -m benchmarks.seed`.

The rows are made by the server itself (INSERT … SELECT generate_series), so that millions take minutes.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.database import database

if TYPE_CHECKING:
    from django.db.models import Model

DAGS, RUNS_PER_DAG, TASKS_PER_RUN = 2000, 100, 25
CHUNK_RUNS = 20_000
# One DAG for the largest grid that is promised to be smooth.
WIDE, WIDE_TASKS, WIDE_RUNS = "wide", 500, 50
REPOSITORY = Path(__file__).parent.parent


def main() -> int:
    """Make the database (or take the one of --url), measure lists and pages, print them as Markdown."""
    options = _options()
    if options.inside:
        return _inside(options)
    with tempfile.TemporaryDirectory(prefix="benchmark-home-") as home:
        if options.url:
            return _child(options, home, options.url)
        with database("postgresql", Path(home)) as url:
            return _child(options, home, url)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.seed", description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, default=1.0, help="1 is 2,000 DAGs, 200,000 runs and 5,000,000 task instances")
    parser.add_argument("--repeat", type=int, default=40, help="requests per list or page")
    parser.add_argument("--only", type=lambda given: given.split(","), default=["lists", "pages"], help="lists, pages, or both")
    parser.add_argument("--url", help="measure this database and seed it only where it has no runs; default: a fresh server")
    parser.add_argument("--out", type=Path, help="also write the figures as JSON to this file")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def _child(options: argparse.Namespace, home: str, url: str) -> int:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    environment |= {"AIRFLOW_HOME": home, "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": url, "AIRFLOW__CORE__LOAD_EXAMPLES": "False"}
    environment |= {"AIRFLOW__API_AUTH__JWT_SECRET": "signs tokens in benchmarks " * 4}
    migrate = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
    subprocess.run(migrate, cwd=REPOSITORY, env=environment, check=True)
    again = [sys.executable, "-m", "benchmarks.seed", "--inside", *sys.argv[1:]]
    return subprocess.run(again, cwd=REPOSITORY, env=environment, check=False).returncode


def _inside(options: argparse.Namespace) -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "orchestrator.settings")
    import django

    django.setup()
    from benchmarks.measures import lists, pages
    from runs.models import DagRun

    if not DagRun.objects.exists():
        seed(options.scale)
        seed_wide()
    parts = {"lists": lists, "pages": pages}
    rows = {}
    for name in options.only:
        rows[name] = parts[name].measure(options.repeat)
        print(parts[name].as_markdown(rows[name]), end="\n\n")
    if options.out:
        options.out.write_text(json.dumps(rows, indent=1) + "\n")
    return 0


def seed(scale: float) -> None:
    """Fill an empty, migrated PostgreSQL database; prints how long each table takes."""
    from dags_app.models import Bundle, Dag, DagTag, DagVersion
    from runs.models import DagRun, TaskInstance

    dags = max(10, int(DAGS * scale))
    Bundle.objects.get_or_create(name="dags-folder")
    name = "'dag_' || lpad(d::text, 4, '0')"
    _fill(Dag, f"FROM generate_series(1, {dags}) d", dag_id=name, dag_display_name=name, bundle_id="'dags-folder'",
          relative_fileloc=f"{name} || '.py'", fileloc=f"'/dags/' || {name} || '.py'", owners="'owner_' || d % 20",
          is_paused="d % 3 = 0", created_at="now()", last_parsed_time="now()")  # fmt: skip
    _fill(DagVersion, f"FROM generate_series(1, {dags}) d", id=_uuid("d"), dag_id=name, version_number="1",
          structure_hash="'s' || d", attributes_hash="'a' || d", document=_document(name), created_at="now()",
          last_updated="now()")  # fmt: skip
    _execute("UPDATE dags_app_dag SET latest_version_id = v.id FROM dags_app_dagversion v WHERE v.dag_id = dags_app_dag.dag_id")
    _fill(DagTag, f"FROM generate_series(1, {dags}) d", dag_id=name, name="'tag_' || d % 30")
    runs = dags * RUNS_PER_DAG
    day = f"timestamptz '2026-01-01' + (r / {dags}) * interval '1 day' + (r % {dags}) * interval '1 second'"
    of_run = f"'dag_' || lpad((r % {dags} + 1)::text, 4, '0')"
    run_id = f"'scheduled__' || to_char({day}, 'YYYY-MM-DD\"T\"HH24:MI:SS') || '+00:00'"
    _fill(DagRun, f"FROM generate_series(0, {runs - 1}) r", dag_id=of_run, run_id=run_id, run_type="'scheduled'",
          state="CASE WHEN r % 17 = 0 THEN 'failed' ELSE 'success' END", logical_date=day, data_interval_start=day,
          data_interval_end=day, run_after=day, queued_at=day, start_date=day, end_date=f"{day} + interval '5 minutes'",
          created_dag_version_id=_uuid(f"r % {dags} + 1"), updated_at=day)  # fmt: skip
    start = "r.run_after + t * interval '10 seconds'"
    for first in range(0, runs, CHUNK_RUNS):
        chunk = f"(SELECT * FROM runs_dagrun ORDER BY id LIMIT {CHUNK_RUNS} OFFSET {first})"
        _fill(TaskInstance, f"FROM {chunk} r CROSS JOIN generate_series(0, {TASKS_PER_RUN - 1}) t",
              id=_uuid(f"r.id * {TASKS_PER_RUN} + t"), dag_run_id="r.id", dag_id="r.dag_id", run_id="r.run_id",
              task_id="'task_' || lpad(t::text, 2, '0')", try_number="1",
              state="CASE WHEN (r.id + t) % 50 = 0 THEN 'failed' ELSE 'success' END", start_date=start,
              end_date=f"{start} + interval '8 seconds'", duration="8 + t", queued_dttm=start, scheduled_dttm=start,
              hostname="'worker-1'", operator="'PythonOperator'", dag_version_id="r.created_dag_version_id",
              pool="'pool_' || t % 5", queue="'default'", updated_at=start)  # fmt: skip
    _execute("ANALYZE")


def seed_wide() -> None:
    """Add a DAG of 500 tasks with 50 runs, newer than all others."""
    from dags_app.models import Dag, DagVersion
    from runs.models import DagRun, TaskInstance

    dag, version = f"'{WIDE}'", "'ffffffff-0000-0000-0000-000000000000'::uuid"
    _fill(Dag, "", dag_id=dag, dag_display_name=dag, bundle_id="'dags-folder'", relative_fileloc="'wide.py'",
          fileloc="'/dags/wide.py'", owners="'owner_1'", created_at="now()", last_parsed_time="now()")  # fmt: skip
    _fill(DagVersion, "", id=version, dag_id=dag, version_number="1", structure_hash="'w'", attributes_hash="'w'",
          document=_document(dag, WIDE_TASKS), created_at="now()", last_updated="now()")  # fmt: skip
    _execute(f"UPDATE dags_app_dag SET latest_version_id = {version} WHERE dag_id = {dag}")
    day = "timestamptz '2026-09-01' + r * interval '1 hour'"
    _fill(DagRun, f"FROM generate_series(1, {WIDE_RUNS}) r", dag_id=dag, run_id="'scheduled__wide_' || r", run_type="'scheduled'",
          state="CASE WHEN r % 7 = 0 THEN 'failed' ELSE 'success' END", logical_date=day, data_interval_start=day,
          data_interval_end=day, run_after=day, queued_at=day, start_date=day, end_date=f"{day} + interval '50 minutes'",
          created_dag_version_id=version, updated_at=day)  # fmt: skip
    start, state = "r.run_after + t * interval '5 seconds'", "CASE WHEN (r.id + t) % 70 = 0 THEN 'failed' ELSE 'success' END"
    _fill(TaskInstance, f"FROM runs_dagrun r CROSS JOIN generate_series(0, {WIDE_TASKS - 1}) t WHERE r.dag_id = {dag}",
          id="(lpad(to_hex(r.id * 1000 + t), 32, 'e'))::uuid", dag_run_id="r.id", dag_id="r.dag_id", run_id="r.run_id",
          task_id="'task_' || lpad(t::text, 3, '0')", try_number="1", state=state,
          start_date=start, end_date=f"{start} + interval '4 seconds'", duration="4", queued_dttm=start, scheduled_dttm=start,
          hostname="'worker-1'", operator="'PythonOperator'", dag_version_id=version, pool="'default_pool'", queue="'default'",
          updated_at=start)  # fmt: skip
    _execute("ANALYZE")


def seed_changes() -> None:
    """Add a change of state of each seeded task instance, for measurements of what deletes them."""
    from runs.models import StateChange

    _fill(StateChange, "FROM runs_taskinstance t", dag_run_id="t.dag_run_id", ti_id="t.id", task_id="t.task_id",
          try_number="1", from_state="'running'", to_state="t.state", at="t.end_date")  # fmt: skip
    _execute("ANALYZE")


def _document(name: str, tasks_per_run: int = TASKS_PER_RUN) -> str:
    """The smallest document of each DAG; lists read nothing else of it."""
    from orchestrator.sdk.serialization.spec import DagSpec, TaskSpec, to_json

    digits = len(str(tasks_per_run))
    tasks = [TaskSpec(task_id=f"task_{number:0{digits}}") for number in range(tasks_per_run)]
    text = json.dumps(to_json(DagSpec(dag_id="@@", tasks=tasks))).replace("'", "''")
    return f"replace('{text}', '@@', {name})"


def _uuid(number: str) -> str:
    """An id that grows with the number, as those of the platform grow with time."""
    return f"lpad(to_hex(({number})::bigint), 32, '0')::uuid"


def _fill(model: type[Model], source: str, **given: str) -> None:
    """Insert rows; columns that are not given get the default of the model."""
    columns = {field.column: given.pop(field.column, None) or _default(field) for field in model._meta.concrete_fields}
    if given:
        raise ValueError(f"{model.__name__} has no columns {', '.join(given)}")
    if "id" not in given and columns.get("id") == "DEFAULT":
        del columns["id"]
    began = time.monotonic()
    _execute(f"INSERT INTO {model._meta.db_table} ({', '.join(columns)}) SELECT {', '.join(columns.values())} {source}")
    print(f"{model.__name__}: {time.monotonic() - began:.1f} s", file=sys.stderr)


def _default(field: Any) -> str:
    if field.primary_key:
        return "DEFAULT"
    value = field.get_default()
    if value is None:
        return "NULL"
    if isinstance(value, bool | int | float):
        return str(value)
    return "'{}'::jsonb" if value == {} else "'[]'::jsonb" if value == [] else "'" + str(value) + "'"


def _execute(statement: str) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(statement)


if __name__ == "__main__":
    sys.exit(main())
