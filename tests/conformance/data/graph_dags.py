"""Decides which DAGs show what a graph is made of: drawn by Airflow 3.3.2 when the facts were recorded, and by this project."""

from __future__ import annotations

from datetime import datetime

from airflow.providers.standard.operators.bash import BashOperator
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.providers.standard.sensors.external_task import ExternalTaskMarker, ExternalTaskSensor
from airflow.sdk import (
    DAG,
    Asset,
    AssetAlias,
    AssetAny,
    AssetOrTimeSchedule,
    CronTriggerTimetable,
    Label,
    PartitionedAssetTimetable,
    TaskGroup,
    chain,
    task,
    task_group,
)

START = datetime(2026, 1, 1)
NEVER = {"start_date": START, "schedule": None}


def empty(task_id, **given):
    return EmptyOperator(task_id=task_id, **given)


with DAG("g_groups", **NEVER):
    start, end = empty("start"), empty("end", task_display_name="The End")
    with TaskGroup("outer", tooltip="Outer tip") as outer:
        a = empty("a")
        with TaskGroup("inner_1", group_display_name="Inner One") as inner_1:
            empty("x") >> empty("y")
            empty("lone")
        with TaskGroup("inner_2", prefix_group_id=False) as inner_2:
            empty("p_bare")
        with TaskGroup("empty_group"):
            pass
        b = empty("b")
        a >> Label("into group") >> inner_1 >> inner_2 >> b
    with TaskGroup("second") as second:
        s1 = empty("s1")
        empty("s2")
    with TaskGroup("third") as third:
        t1 = empty("t1")
    start >> outer >> Label("out") >> second >> end
    outer >> third
    start >> Label("skip it") >> end
    a >> t1
    inner_1 >> s1
    third >> Label("third end") >> end

with DAG("g_group_labels", **NEVER):
    with TaskGroup("one") as one_group:
        empty("o1")
        empty("o2")
    with TaskGroup("two") as two_group:
        empty("w1")
        empty("w2")
    empty("before") >> Label("to one") >> one_group >> Label("one two") >> two_group >> Label("to after") >> empty("after")

with DAG("g_group_to_tasks", **NEVER):
    with TaskGroup("sole") as sole:
        empty("in")
    with TaskGroup("wide") as wide:
        empty("in2") >> empty("in3")
        empty("in4")
    several = [empty("l1"), empty("l2")]
    sole >> several
    several >> wide
    wide >> [empty("m1"), empty("m2")]

with DAG("g_deep", **NEVER):
    with TaskGroup("o") as o:
        with TaskGroup("i") as i:
            empty("a")
            empty("b")
        with TaskGroup("j") as j:
            empty("c")
            empty("d")
        i >> Label("i to j") >> j
    with TaskGroup("p") as p:
        with TaskGroup("k") as k:
            empty("e")
            empty("f")
        empty("own")
    o >> p
    j >> Label("j to k") >> k
    i >> empty("plain")
    empty("up") >> k
    with TaskGroup("q") as q:
        empty("q1") >> empty("q2")
    p >> q >> Label("last") >> empty("fin")

with DAG("g_levels", **NEVER):
    with TaskGroup("b_group"):
        with TaskGroup("inner"):
            d = empty("d")
        c = empty("c")
    with TaskGroup("a_group"), TaskGroup("inner2"):
        e = empty("e")
    with TaskGroup("c_group"):
        f = empty("f")
    d >> e >> f
    c >> empty("a_task")

with DAG("g_twice", **NEVER):
    with TaskGroup("ga") as ga:
        x = empty("x")
    with TaskGroup("gb") as gb:
        y = empty("y")
    ga >> gb
    x >> y

with DAG("g_setup", **NEVER):
    with TaskGroup("g") as g:
        s = empty("s").as_setup()
        w = empty("w")
        s >> w >> empty("t").as_teardown(setups=s)
    after = empty("after")
    g >> after
    with TaskGroup("only_teardown") as only_teardown:
        empty("t2").as_teardown()
    after >> only_teardown
    with TaskGroup("g2") as g2:
        empty("w2")
    with TaskGroup("g3") as g3:
        s3 = empty("s3").as_setup()
        s3 >> [empty("w3"), empty("w3b")] >> empty("t3").as_teardown(setups=s3, on_failure_fail_dagrun=True)
    g >> g2 >> g3 >> empty("last")

with DAG("g_setup_nested", **NEVER):
    s0 = empty("s0").as_setup()
    with TaskGroup("sg") as sg:
        s1 = empty("s1").as_setup()
        s2 = empty("s2").as_setup()
        with TaskGroup("in") as inn:
            empty("w1") >> empty("w2")
        s1 >> s2 >> inn >> [empty("t1").as_teardown(setups=s1), empty("t2").as_teardown(setups=[s2])]
    sg >> empty("out")
    s0 >> sg >> empty("t0").as_teardown(setups=s0)

with DAG("g_setup_groups", **NEVER):
    with TaskGroup("ss") as ss:
        a = empty("a").as_setup()
        b = empty("b").as_setup()
    with TaskGroup("tt") as tt:
        empty("c").as_teardown(setups=a)
        empty("d").as_teardown(setups=b)
    ss >> empty("w") >> tt >> empty("after")

with DAG("g_setup_leaves", **NEVER):
    with TaskGroup("g") as g:
        s = empty("s").as_setup()
        empty("t").as_teardown(setups=s)
    with TaskGroup("h") as h:
        empty("w") >> empty("t1").as_teardown() >> empty("t2").as_teardown()
    with TaskGroup("m") as m:
        s9 = empty("s9").as_setup()
        t9 = empty("t9").as_teardown(setups=s9)
        s9 >> empty("w9") >> t9 >> empty("l9")
    empty("b") >> g >> empty("e")
    h >> empty("f")
    m >> empty("k")

with DAG("g_part", **NEVER):
    aa, work, ver = empty("aa"), empty("work"), empty("ver")
    sa = empty("sa").as_setup()
    ta = empty("ta").as_teardown(setups=sa)
    sb = empty("sb").as_setup()
    aa >> work >> ver
    sa >> work >> ta
    sb >> ver
    sc = empty("sc").as_setup()
    sc >> empty("other") >> empty("tc").as_teardown(setups=sc)
    sc >> aa
    ver >> empty("xx") >> empty("yy")

with DAG("g_chain", **NEVER):
    links = [empty(f"c{n}") for n in range(6)]
    chain(*links)
    empty("side") >> links[3]
    links[2] >> empty("side2")
    with TaskGroup("cg") as cg:
        empty("i1") >> empty("i2") >> empty("i3")
    links[5] >> cg >> empty("after_cg")


@task
def one(x=1):
    return x


@task
def many():
    return [1, 2]


@task_group(group_id="mapped_group", tooltip="m")
def mapped_group(x):
    one.override(task_id="m1")(x)
    one.override(task_id="m2")(2)


@task_group(group_id="doc_group")
def doc_group():
    """The doc string of the group."""
    one.override(task_id="d1")()


@task_group
def outer_mapped(x):
    @task_group
    def inner(y):
        one.override(task_id="deep")(y)

    inner(x)


with DAG("g_mapped", **NEVER):
    m = many()
    one.expand(x=m)
    mapped_group.expand(x=m)
    BashOperator.partial(task_id="bash_mapped").expand(bash_command=["a", "b"])
    doc_group()
    outer_mapped.expand(x=[1, 2])
    with TaskGroup("around") as around:
        one.override(task_id="plain_in_around")() >> one.override(task_id="mapped_in_around").expand(x=[1])

A1, A2, A3 = Asset("g_a1"), Asset("g_a2", uri="s3://g/a2"), Asset(name="g_a3", uri="s3://g/a3", group="special")
ALIAS = AssetAlias("g_alias")

with DAG("g_asset_producer", **NEVER):
    empty("produce", outlets=[A1, ALIAS]) >> empty("produce2", outlets=[A2], inlets=[A3])

with DAG("g_asset_consumer", start_date=START, schedule=(A1 & (A2 | ALIAS)) | A3):
    empty("c", outlets=[Asset("g_out")]) >> empty("c2", inlets=[A1]) >> empty("leaf")
    empty("root2")

with DAG("g_asset_single", start_date=START, schedule=A1):
    empty("c") >> empty("d")

with DAG("g_asset_list", start_date=START, schedule=[A1, A2]):
    empty("c")

with DAG("g_asset_alias", start_date=START, schedule=[ALIAS, A1]):
    empty("only", inlets=[Asset("g_inlet")], outlets=[AssetAlias("g_alias2")])

with DAG(
    "g_asset_ref", start_date=START, schedule=[Asset.ref(name="g_a1"), Asset.ref(uri="s3://nowhere"), Asset.ref(name="nobody")]
):
    empty("c")

BY_TIME_TOO = AssetOrTimeSchedule(timetable=CronTriggerTimetable("@daily", timezone="UTC"), assets=(A1 | A2))
with DAG("g_asset_time", start_date=START, schedule=BY_TIME_TOO):
    empty("c")

with DAG("g_asset_any", start_date=START, schedule=AssetAny(A1, A2)):
    with TaskGroup("first") as first:
        empty("f1")
        empty("f2")
    with TaskGroup("lastg") as lastg:
        empty("z1")
        empty("z2", outlets=[A3])
    first >> lastg

with DAG("g_asset_itself", start_date=START, schedule=A3):
    empty("c", outlets=[A3])

with DAG("g_asset_parts", start_date=START, schedule=PartitionedAssetTimetable(assets=A1)):
    empty("c", outlets=[A2])

with DAG("g_trigger", **NEVER):
    with TaskGroup("tg") as tg:
        TriggerDagRunOperator(task_id="trig", trigger_dag_id="g_sensor")
    (
        empty("first")
        >> tg
        >> TriggerDagRunOperator(task_id="trig2", trigger_dag_id="g_asset_single", task_display_name="Shown trig")
    )
    ExternalTaskMarker(task_id="marker", external_dag_id="g_sensor", external_task_id="sens")
    TriggerDagRunOperator(task_id="templated", trigger_dag_id="{{ params.x }}", params={"x": "a"})
    TriggerDagRunOperator.partial(task_id="mapped_trig").expand(trigger_dag_id=["g_sensor", "g_groups"])
    TriggerDagRunOperator.partial(task_id="mapped_conf", trigger_dag_id="g_groups").expand(conf=[{"a": 1}, {"a": 2}])

with DAG("g_sensor", dag_display_name="The Sensor", **NEVER):
    ExternalTaskSensor(task_id="sens", external_dag_id="g_trigger", external_task_id="marker") >> empty("z")
    ExternalTaskSensor(task_id="sens_dag", external_dag_id="g_nowhere")

# Airflow answers 500 for its graph: each of two groups comes before the other.
with DAG("g_round", **NEVER):
    with TaskGroup("ga"):
        x, y = empty("x"), empty("y")
        empty("zz")
    with TaskGroup("gb"):
        z = empty("z")
    empty("start") >> x >> z >> y >> empty("end")
    empty("a_alone")
