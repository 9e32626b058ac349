"""Decides which DAGs show what dynamic mapping does: run by Airflow 3.3.2 when the facts were recorded, and by this project."""

from __future__ import annotations

from datetime import timedelta

from airflow.exceptions import AirflowSkipException
from airflow.providers.standard.operators.bash import BashOperator
from airflow.providers.standard.operators.python import PythonOperator
from airflow.providers.standard.sensors.time_delta import TimeDeltaSensor
from airflow.sdk import dag, get_current_context, setup, task, task_group, teardown


@task
def numbers(count: int) -> list[int]:
    return list(range(1, count + 1))


@task
def double(x: int) -> int:
    return 2 * x


@task
def fail_on(x: int, bad: int = 2) -> int:
    if x == bad:
        raise ValueError(f"{x} is bad")
    return x


@task
def total(values) -> int:
    return sum(values)


@dag(schedule=None)
def map_literals():
    @task
    def join(prefix: str, a: int, b: str) -> str:
        return f"{prefix}{a}{b}"

    joined = join.partial(prefix="p").expand(a=[1, 2], b=["x", "y", "z"])

    @task
    def pair(item) -> list:
        return list(item)

    pair.expand(item={"k1": 1, "k2": 2})

    @task
    def glue(values) -> str:
        return "-".join(values)

    glue(joined)


@dag(schedule=None)
def map_chain():
    first = double.expand(x=numbers(3))
    second = double.override(task_id="again").expand(x=first)
    total(second)


@dag(schedule=None)
def map_zip_concat():
    @task
    def letters() -> list[str]:
        return ["a", "b"]

    @task
    def show(x) -> str:
        return repr(x)

    def odd_only(x):
        if x % 2 == 0:
            raise AirflowSkipException("even")
        return x * 10

    three, two = numbers(3), letters()
    show.override(task_id="zipped").expand(x=three.zip(two))
    show.override(task_id="filled").expand(x=three.zip(two, fillvalue="?"))
    show.override(task_id="joined").expand(x=three.concat(two))
    odd = show.override(task_id="odd").expand(x=three.map(odd_only))
    mapped = double.expand(x=three)
    show.override(task_id="from_mapped").expand(x=mapped.concat(two).map(lambda v: str(v)))
    show.override(task_id="zip_mapped").expand(x=mapped.zip(three.map(lambda n: n + 1), fillvalue=0))

    @task
    def gather(values) -> list:
        return list(values)

    gather(odd)
    gather.override(task_id="gather_zip")(three.zip(two))
    gather.override(task_id="gather_map")(three.map(odd_only))


@dag(schedule=None)
def map_zero():
    @task
    def nothing() -> list:
        return []

    empty = double.expand(x=nothing())
    total(empty)
    total.override(task_id="done_anyway", trigger_rule="all_done")(empty)
    double.override(task_id="mapped_below").expand(x=empty)
    literal = double.override(task_id="literal").expand(x=[])
    total.override(task_id="after_literal", trigger_rule="none_failed")(literal)


@dag(schedule=None)
def map_kwargs():
    @task
    def rows() -> list[dict]:
        return [{"a": 1, "b": 2}, {"a": 3}, {"a": 5, "b": 6}]

    @task
    def add(a: int, b: int = 100) -> int:
        return a + b

    source = rows()
    add.expand_kwargs(source)
    add.override(task_id="by_map").expand_kwargs(source.map(lambda row: {"a": row["a"] * 10}))
    add.override(task_id="literal").expand_kwargs([{"a": 1}, {"a": 2, "b": 3}])
    add.override(task_id="overlap").partial(b=7).expand_kwargs(source)
    add.override(task_id="loose").partial(b=7).expand_kwargs(source, strict=False)
    PythonOperator.partial(task_id="classic", python_callable=lambda *args: list(args)).expand_kwargs(
        [{"op_args": [1]}, {"op_args": [2, 3]}]
    )

    @task
    def no_dicts() -> list:
        return [1, {"a": 1}, {2: 3}]

    add.override(task_id="wrong").expand_kwargs(no_dicts())


@dag(schedule=None)
def map_group():
    @task_group
    def work(x):
        first = fail_on(x)
        second = double(first)
        double.override(task_id="whatever", trigger_rule="all_done")(x) << first
        return second

    out = work.expand(x=[1, 2, 3])

    @task(trigger_rule="all_done")
    def collect(values) -> list:
        return list(values)

    collect(out)
    for rule in (
        "all_success",
        "one_success",
        "one_failed",
        "none_failed",
        "all_failed",
        "none_failed_min_one_success",
        "one_done",
    ):
        total.override(task_id=f"rule_{rule}", trigger_rule=rule)([1]) << out.operator


@dag(schedule=None)
def map_group_upstream():
    @task_group
    def inner(x, y=1):
        a = double(x)

        @task_group
        def deeper(v):
            return double.override(task_id="twice")(v)

        @task
        def both(one, two) -> list:
            return [one, two]

        return both(deeper(a), y)

    source = numbers(2)
    total.override(task_id="first_after")([1]) << inner.expand(x=source).operator
    inner.override(group_id="by_kwargs").expand_kwargs([{"x": 1, "y": 5}, {"x": 2}])

    @task
    def nothing() -> list:
        return []

    out = inner.override(group_id="empty").expand(x=nothing())

    @task
    def size(values) -> int:
        return len(values)

    size(out)
    size.override(task_id="size_done", trigger_rule="all_done")(out)
    mapped = double.override(task_id="mapped").expand(x=source)
    over_mapped = inner.override(group_id="over_mapped").partial(y=3).expand(x=mapped)
    double.override(task_id="over_group").expand(x=over_mapped.map(lambda v: v[0]))


@dag(schedule=None)
def map_bad_results():
    @task
    def an_int() -> int:
        return 5

    @task
    def none() -> None:
        return None

    @task
    def text() -> str:
        return "abc"

    @task
    def too_long() -> list[int]:
        return list(range(1100))

    @task
    def a_set():
        return {7}

    @task
    def pairs() -> dict:
        return {"a": 1, "b": 2}

    for source in (an_int, none, text, too_long, a_set, pairs):
        total.override(task_id=f"after_{source.function.__name__}")(
            double.override(task_id=f"over_{source.function.__name__}").expand(x=source())
        )


@dag(schedule=None)
def map_labels():
    @task(map_index_template="{{ label }}")
    def late(x: int) -> int:
        get_current_context()["label"] = f"number {x}"
        return x

    late.expand(x=[1, 2])

    @task(map_index_template="{{ label }}")
    def late_fails(x: int) -> int:
        get_current_context()["label"] = f"number {x}"
        if x == 2:
            raise ValueError
        if x == 3:
            raise AirflowSkipException
        return x

    late_fails.expand(x=[1, 2, 3])
    BashOperator.partial(task_id="early", map_index_template="{{ task.bash_command }}!", do_xcom_push=False).expand(
        bash_command=["true", "exit 0", "exit 3"]
    )
    BashOperator.partial(task_id="shown", task_display_name="Shown name").expand(bash_command=["echo a", "echo b"])
    double.override(task_id="undefined", map_index_template="{{ nowhere }}-x").expand(x=[1])
    double.override(task_id="broken", map_index_template="{{ 1 / 0 }}").expand(x=[1])
    double.override(task_id="long", map_index_template="{{ 'y' * 200 }}").expand(x=[1])
    double.override(task_id="plain_task", map_index_template="{{ task.task_id }}")(1)

    @task_group
    def labelled(x):
        double.override(task_id="inside", map_index_template="in {{ task.op_args[0] }}")(x)

    labelled.expand(x=[4, 5])


@dag(schedule=None)
def map_branches():
    @task.branch
    def choose(x: int) -> str | None:
        return "left" if x < 3 else None

    left, right = double.override(task_id="left")(1), double.override(task_id="right")(1)
    choose.expand(x=[1, 2]) >> [left, right]

    @task.branch
    def differ(x: int) -> str:
        return ["a", "b"][x]

    differ.expand(x=[0, 1]) >> [double.override(task_id=t)(1) for t in ("a", "b", "c")]

    @task.short_circuit
    def only(x: int) -> bool:
        return x != 2

    only.expand(x=[1, 2]) >> double.override(task_id="after_short")(1)

    @task_group
    def routed(x):
        @task.branch
        def route(x) -> str:
            return f"routed.go_{x}"

        chosen = route(x)
        for name in ("one", "two"):
            chosen >> double.override(task_id=f"go_{name}")(1)

    routed.expand(x=["one", "two"])

    @task_group
    def guarded(x):
        @task.short_circuit
        def guard(x) -> bool:
            return x == 1

        guard(x) >> double.override(task_id="kept")(x)

    guarded.expand(x=[1, 2])

    @task.branch
    def pick() -> str:
        return "mapped_yes"

    pick() >> [double.override(task_id="mapped_yes").expand(x=[1, 2]), double.override(task_id="mapped_no").expand(x=[1, 2])]


@dag(schedule=None)
def map_setups():
    @setup
    def make(x: int) -> int:
        return x

    @teardown
    def drop(x) -> None:
        return None

    made = make.expand(x=[1, 2])
    used = total(made)
    dropped = drop.expand(x=made)
    made >> used >> dropped
    made >> dropped

    @task_group
    def scoped(x):
        @setup
        def open_it(x):
            if x == 2:
                raise ValueError("cannot open")
            return x

        @teardown
        def close_it():
            return None

        handle = open_it(x)
        body = double(handle)
        closed = close_it()
        handle >> body >> closed
        handle >> closed

    scoped.expand(x=[1, 2])


@dag(schedule=None)
def map_waits():
    @task.sensor(poke_interval=1, timeout=30, mode="poke")
    def ready(x: int) -> bool:
        return x > 0

    ready.expand(x=[1, 2])

    @task.sensor(poke_interval=1, timeout=0.1, soft_fail=True, mode="poke")
    def soft(x: int) -> bool:
        return x == 1

    soft.expand(x=[1, 2])
    TimeDeltaSensor.partial(task_id="deferred", deferrable=True).expand(delta=[timedelta(seconds=0), timedelta(seconds=1)])


@dag(schedule=None)
def map_rules():
    mapped = fail_on.expand(x=[1, 2, 3])
    for rule in (
        "all_success", "all_failed", "all_done", "one_success", "one_failed", "one_done", "none_failed",
        "none_failed_min_one_success", "none_skipped", "all_skipped", "always", "all_done_min_one_success",
    ):  # fmt: skip
        total.override(task_id=f"rule_{rule}", trigger_rule=rule)([1]) << mapped.operator
        double.override(task_id=f"mapped_{rule}", trigger_rule=rule).expand(x=[1, 2]) << mapped.operator


@dag(schedule=None)
def map_lazy():
    mapped = double.expand(x=numbers(4))

    @task
    def look(values) -> dict:
        return {
            "type": type(values).__name__,
            "len": len(values),
            "first": values[0],
            "last": values[-1],
            "slice": list(values[1:3]),
            "slice_type": type(values[1:3]).__name__,
            "backwards": list(values[::-1]),
            "all": list(values),
            "text": str(values),
            "equal": values == [2, 4, 6, 8],
            "true": bool(values),
        }

    look(mapped)

    @task
    def pull(ti=None) -> dict:
        every = ti.xcom_pull(task_ids="double")
        return {
            "type": type(every).__name__,
            "all": list(every),
            "one": ti.xcom_pull(task_ids="double", map_indexes=2),
            "some": list(ti.xcom_pull(task_ids="double", map_indexes=[0, 3])),
            "missing": ti.xcom_pull(task_ids="double", map_indexes=9, default="none"),
            "several": list(ti.xcom_pull(task_ids=["double", "numbers"])),
        }

    mapped >> pull()
    BashOperator(task_id="rendered", bash_command="echo '{{ ti.xcom_pull(task_ids=\"double\") }}'") << mapped
    BashOperator(task_id="joined", bash_command="echo '{{ ti.xcom_pull(task_ids=\"double\") | sum }}'") << mapped


@dag(schedule=None)
def map_classic():
    source = numbers(2)
    BashOperator.partial(task_id="bash", env={"FIXED": "{{ ds_nodash | default('none') }}"}, append_env=True).expand(
        bash_command=["echo $FIXED", "echo two"]
    )
    PythonOperator.partial(task_id="args", python_callable=lambda a, b, c=0: [a, b, c], op_kwargs={"c": 5}).expand(
        op_args=[[1, 2], [3, 4]]
    )
    PythonOperator.partial(task_id="kw", python_callable=lambda a, n: [a, n]).expand(
        op_kwargs=source.map(lambda n: {"a": n, "n": n * n})
    )
    PythonOperator.partial(task_id="from_partial", python_callable=lambda a, b: [list(a), b], op_args=[source]).expand(
        op_kwargs=[{"b": 1}, {"b": 2}]
    )

    @task(multiple_outputs=True)
    def parts(x: int) -> dict:
        return {"low": x, "high": x * 100}

    mapped = parts.expand(x=source)
    total(mapped["high"])


@dag(schedule=None)
def map_nested():
    @task
    def seen(x, y) -> list:
        return [x, y]

    @task_group
    def outer(x):
        @task_group
        def inside(y):
            return double(y)

        inside.expand(y=[1, 2])
        double.override(task_id="beside")(x)

    outer.expand(x=[5, 6])


@dag(schedule=None)
def map_twice():
    @task
    def seen(x: int = 0, y: int = 0) -> list:
        return [x, y]

    seen.partial(x=1).expand(x=[7, 8])


@dag(schedule=None)
def map_over_group():
    @task
    def upto(n: int) -> list[int]:
        return list(range(n))

    @task
    def show(value) -> list:
        return [type(value).__name__, list(value) if isinstance(value, list) else value]

    @task_group
    def lists(x):
        return upto(x)

    two, one = lists.expand(x=[2, 3]), lists.override(group_id="single").expand(x=[4])
    double.expand(x=two)
    show(two)
    show.override(task_id="show_one")(one)


map_over_group()
map_literals()
map_chain()
map_zip_concat()
map_zero()
map_kwargs()
map_group()
map_group_upstream()
map_bad_results()
map_labels()
map_branches()
map_setups()
map_waits()
map_rules()
map_lazy()
map_classic()
map_nested()
map_twice()
