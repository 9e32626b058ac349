"""A session with Airflow's Python client, run by a Python that has it: reads by every method, then writes by name.

Arguments: the server's URL, a token, the DAG and the run to read. Prints one JSON document: the name of each method with "ok" or its error.
"""

import importlib
import inspect
import json
import pkgutil
import sys
from datetime import UTC, datetime

import airflow_client.client as airflow
from airflow_client.client import api as api_package

WRITES = ("delete", "post", "patch", "put", "create", "update", "bulk", "clear", "trigger", "materialize", "cancel", "pause",
          "unpause", "set", "reparse", "favorite", "unfavorite", "test", "enqueue", "wait", "login", "logout")  # fmt: skip


#: Batch reads take their filters in the body.
BATCH = {"dag_id": "~", "dag_run_id": "~"}


def main(base: str, token: str, dag_id: str, run_id: str) -> None:
    """Run the session."""
    configuration = airflow.Configuration(host=base, access_token=token)
    with airflow.ApiClient(configuration) as client:
        known = known_values(client, dag_id, run_id)
        results = {}
        for api in apis(client):
            for name, method in reads(api):
                results[name] = outcome(method, known | BATCH if name.endswith("_batch") else known)
        results |= {step.__name__: outcome(lambda step=step: step(client, dag_id), {}) for step in STEPS}
    print(json.dumps(results))


def apis(client):
    for module in pkgutil.iter_modules(api_package.__path__):
        loaded = importlib.import_module(f"{api_package.__name__}.{module.name}")
        for name, kind in inspect.getmembers(loaded, inspect.isclass):
            if name.endswith("Api"):
                yield kind(client)


def reads(api):
    for name, method in inspect.getmembers(api, inspect.ismethod):
        is_variant = name.endswith(("_with_http_info", "_without_preload_content")) or name.startswith("_")
        if not is_variant and name.split("_")[0] not in WRITES:
            yield name, method


def outcome(method, known):
    required = [
        p.name for p in inspect.signature(method).parameters.values() if p.default is p.empty and p.kind is not p.VAR_KEYWORD
    ]
    unknown = [name for name in required if name not in known]
    if unknown:
        return f"left out: no {', '.join(unknown)}"
    try:
        method(**{name: known[name] for name in required})
    except airflow.ApiException as error:
        return f"{error.status} {str(error.body)[:200]}"
    except Exception as error:
        return f"{type(error).__name__}: {str(error)[:400]}"
    return "ok"


def known_values(client, dag_id, run_id):
    tasks = airflow.TaskInstanceApi(client).get_task_instances(dag_id, run_id).task_instances
    return {
        "dag_id": dag_id, "dag_run_id": run_id, "task_id": tasks[0].task_id, "map_index": -1, "try_number": 1, "task_try_number": 1,
        "version_number": 1, "pool_name": "default_pool", "section": "core", "option": "parallelism", "xcom_key": "return_value",
        "event_log_id": airflow.EventLogApi(client).get_event_logs(limit=1).event_logs[0].event_log_id,
        "task_instances_batch_body": airflow.TaskInstancesBatchBody(), "dag_runs_batch_body": airflow.DAGRunsBatchBody(),
    }  # fmt: skip


def connections(client, _dag_id):
    api = airflow.ConnectionApi(client)
    body = airflow.ConnectionBody(connection_id="by_client", conn_type="http", host="h", password="p")
    assert api.post_connection(body).password == "***"
    assert api.get_connection("by_client").host == "h"
    body.host = "other"
    assert api.patch_connection("by_client", body).host == "other"
    api.delete_connection("by_client")


def variables(client, _dag_id):
    api = airflow.VariableApi(client)
    api.post_variable(airflow.VariableBody(key="by_client", value={"a": 1}))
    assert json.loads(api.get_variable("by_client").value) == {"a": 1}
    api.delete_variable("by_client")


def pools(client, _dag_id):
    api = airflow.PoolApi(client)
    api.post_pool(airflow.PoolBody(name="by_client", slots=3))
    assert api.patch_pool("by_client", airflow.PoolPatchBody(slots=4)).slots == 4
    api.delete_pool("by_client")


def runs(client, dag_id):
    airflow.DAGApi(client).patch_dag(dag_id, airflow.DAGPatchBody(is_paused=False))
    api = airflow.DagRunApi(client)
    body = airflow.TriggerDAGRunPostBody(dag_run_id="by_client", logical_date=datetime(2026, 1, 9, tzinfo=UTC), conf={"x": 1})
    assert api.trigger_dag_run(dag_id, body).dag_run_id == "by_client"
    assert api.patch_dag_run(dag_id, "by_client", airflow.DAGRunPatchBody(note="n")).note == "n"
    api.patch_dag_run(dag_id, "by_client", airflow.DAGRunPatchBody(state="success"))
    api.clear_dag_run(dag_id, "by_client", airflow.DAGRunClearBody(dry_run=True))
    airflow.TaskInstanceApi(client).post_clear_task_instances(
        dag_id, airflow.ClearTaskInstancesBody(dry_run=False, dag_run_id="by_client", only_failed=False)
    )
    api.patch_dag_run(dag_id, "by_client", airflow.DAGRunPatchBody(state="failed"))
    api.delete_dag_run(dag_id, "by_client")


def favourites(client, dag_id):
    api = airflow.DAGApi(client)
    api.favorite_dag(dag_id)
    api.unfavorite_dag(dag_id)


def backfills(client, _dag_id):
    api = airflow.BackfillApi(client)
    body = airflow.BackfillPostBody(
        dag_id="example_bash_operator", from_date=datetime(2026, 1, 1, tzinfo=UTC), to_date=datetime(2026, 1, 2, tzinfo=UTC)
    )
    assert len(api.create_backfill_dry_run(body).backfills) > 0
    made = api.create_backfill(body)
    assert api.pause_backfill(made.id).is_paused
    api.cancel_backfill(made.id)


STEPS = [connections, variables, pools, runs, favourites, backfills]

if __name__ == "__main__":
    main(*sys.argv[1:])
