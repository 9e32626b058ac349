"""DAGs whose tasks ask the server, through Airflow's own worker, for whatever a plain task does not need."""

from datetime import UTC, datetime, timedelta

from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.providers.standard.sensors.external_task import ExternalTaskSensor
from airflow.providers.standard.triggers.temporal import DateTimeTrigger
from airflow.sdk import (
    Asset,
    AssetAlias,
    BaseOperator,
    ExceptionRetryPolicy,
    RetryAction,
    RetryRule,
    Variable,
    dag,
    get_current_context,
    task,
)

ORDERS, OTHER, ALIAS = Asset("worker_orders"), Asset("worker_other"), AssetAlias("worker_alias")
MARKS = Asset("worker_marks")
POLICY = ExceptionRetryPolicy(
    rules=[
        RetryRule(exception=KeyError, action=RetryAction.FAIL, reason="no use"),
        RetryRule(exception=ValueError, action=RetryAction.RETRY, retry_delay=timedelta(0)),
    ]
)
START = datetime(2026, 1, 1, tzinfo=UTC)


class Late(BaseOperator):
    """Waits for a trigger that is not done in time."""

    def execute(self, context):
        moment = datetime.now(UTC) + timedelta(hours=1)
        self.defer(trigger=DateTimeTrigger(moment=moment), method_name="done", timeout=timedelta(seconds=1))

    def done(self, context, event=None):
        return "never"


@dag(dag_id="worker_assets", schedule=None, start_date=START)
def worker_assets():
    @task(outlets=[ORDERS, ALIAS])
    def produce(*, outlet_events):
        outlet_events[ORDERS].extra = {"rows": 7}
        outlet_events[ALIAS].add(OTHER, extra={"rows": 8})

    @task(inlets=[ORDERS, ALIAS])
    def consume(*, inlet_events):
        run = inlet_events[ORDERS][-1]
        return [
            run.extra["rows"],
            run.source_task_instance.task_id,
            [e.extra["rows"] for e in inlet_events[ALIAS]],
            len(inlet_events[ORDERS]),
        ]

    @task(inlets=[MARKS], outlets=[MARKS])
    def beside_asset(*, asset_state_store):
        store = asset_state_store[MARKS]
        store.set("mark", {"at": 1})
        store.set("gone", 2)
        store.delete("gone")
        return [store.get("mark"), store.get("gone", default="nothing")]

    @task(retries=1, retry_delay=timedelta(0))
    def beside_task(*, task_state_store):
        if (job := task_state_store.get("job/1")) is None:
            task_state_store.set("job/1", "submitted")
            raise RuntimeError("the first try leaves a value")
        task_state_store.delete("job/1")
        return [job, task_state_store.get("job/1")]

    produce() >> consume()
    beside_asset()
    beside_task()


@dag(dag_id="worker_flow", schedule=None, start_date=START)
def worker_flow():
    @task
    def numbers(x):
        return x

    @task
    def sequence(values):
        return [len(values), values[0], values[-1], list(values[1:]), list(values[::-1]), list(values)]

    @task.branch
    def choose():
        return "left"

    @task
    def left():
        return None

    @task
    def right():
        return None

    @task.short_circuit(ignore_downstream_trigger_rules=True)
    def stop():
        return False

    @task(retries=3, retry_delay=timedelta(hours=1), retry_policy=POLICY)
    def no_retry():
        raise KeyError("x")

    @task(retries=3, retry_delay=timedelta(hours=1), retry_policy=POLICY)
    def one_retry():
        if get_current_context()["ti"].try_number == 1:
            raise ValueError("again, at once")

    @task
    def variables():
        for name in ("b", "a", "c"):
            Variable.set(f"asked_{name}", name)
        Variable.delete("asked_c")
        return [Variable.keys(prefix="asked_"), Variable.get("asked_c", default="nothing")]

    sequence(numbers.expand(x=[3, 4, 5]))
    choose() >> [left(), right()]
    stop() >> task(lambda: None, task_id="stopped")()
    no_retry()
    one_retry()
    variables()
    Late(task_id="late")
    HITLOperator(task_id="ask", subject="Go on?", options=["yes", "no"], defaults=["yes"], response_timeout=timedelta(seconds=2))


@dag(dag_id="worker_child", schedule=None, start_date=START)
def worker_child():
    task(lambda: None, task_id="done")()


@dag(dag_id="worker_runs", schedule=None, start_date=START)
def worker_runs():
    given = {"trigger_dag_id": "worker_child", "logical_date": "{{ logical_date }}", "trigger_run_id": "child_{{ ds }}"}
    waits = {"wait_for_completion": True, "poke_interval": 1}
    trigger = TriggerDagRunOperator(task_id="trigger", conf={"a": 1}, **given, **waits)
    again = TriggerDagRunOperator(task_id="again", reset_dag_run=True, **given, **waits)
    deferred = TriggerDagRunOperator(task_id="deferred", trigger_dag_id="worker_child", deferrable=True, **waits)
    sensor = ExternalTaskSensor(
        task_id="sensor", external_dag_id="worker_child", external_task_id="done", poke_interval=1, mode="reschedule", timeout=600
    )

    @task
    def reads():
        ti = get_current_context()["ti"]
        child = "worker_child"
        run_id = f"child_{get_current_context()['ds']}"
        return {
            "state": ti.get_dagrun_state(child, run_id),
            "runs": ti.get_dr_count(child, run_ids=[run_id]),
            "tasks": ti.get_ti_count(child, run_ids=[run_id], states=["success"]),
            "states": ti.get_task_states(child, run_ids=[run_id]),
            "crumbs": [crumb["task_id"] for crumb in ti.get_task_breadcrumbs(child, run_id)],
            "dag": ti.get_dag(child).dag_id,
        }

    trigger >> again >> reads()
    trigger >> [sensor, deferred]


@dag(dag_id="worker_previous", schedule=None, start_date=START)
def worker_previous():
    @task
    def previous():
        context = get_current_context()
        ti = context["ti"]
        run, before = ti.get_previous_dagrun(state="success"), ti.get_previous_ti()
        first = [run.run_id if run else None, before.run_id if before else None, before.state if before else None]
        return [*first, str(context["prev_start_date_success"])[:2], str(context["prev_data_interval_end_success"])[:10]]

    previous()


worker_assets()
worker_flow()
worker_child()
worker_runs()
worker_previous()
