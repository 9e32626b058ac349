"""What tasks push and pull, and the wire form of values."""

from __future__ import annotations

import datetime as dt
import decimal
import uuid
from collections import namedtuple
from dataclasses import dataclass
from typing import Any

import pendulum
import pytest

from orchestrator.sdk.definitions.asset import Asset
from orchestrator.sdk.definitions.dag import DAG
from orchestrator.sdk.operators.python import PythonOperator
from orchestrator.sdk.serialization.values import decode, encode
from tests.attempts import Supervisor, attempt

START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


@dataclass
class Point:
    x: int = 1


def returning(value: Any, **arguments: Any) -> DAG:
    with DAG("d", schedule=None, start_date=START) as dag:
        PythonOperator(task_id="t", python_callable=lambda: value, **arguments)
    return dag


def typed(name: str, version: int, data: Any) -> dict[str, Any]:
    return {"__classname__": name, "__version__": version, "__data__": data}


UTC_ZONE = typed("builtins.tuple", 1, ["UTC", "pendulum.tz.timezone.FixedTimezone", 1, True])
BERLIN = typed("builtins.tuple", 1, ["Europe/Berlin", "pendulum.tz.timezone.Timezone", 1, True])


@pytest.mark.parametrize(
    ("value", "document"),
    [
        ({"a": [1, 1.5, None, True, "x"]}, {"a": [1, 1.5, None, True, "x"]}),
        ((1, (2,)), typed("builtins.tuple", 1, [1, typed("builtins.tuple", 1, [2])])),
        ({1}, typed("builtins.set", 1, [1])),
        (frozenset({1}), typed("builtins.frozenset", 1, [1])),
        (
            dt.datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=dt.UTC),
            typed("datetime.datetime", 2, {"timestamp": 1767323045.000006, "tz": UTC_ZONE}),
        ),
        (
            pendulum.datetime(2026, 1, 2, tz="Europe/Berlin"),
            typed("pendulum.datetime.DateTime", 2, {"timestamp": 1767308400.0, "tz": BERLIN}),
        ),
        (dt.date(2026, 1, 2), typed("datetime.date", 2, "2026-01-02")),
        (dt.timedelta(days=1, seconds=2), typed("datetime.timedelta", 2, 86402.0)),
        (decimal.Decimal("1.5"), typed("decimal.Decimal", 1, 1.5)),
        (decimal.Decimal(3), typed("decimal.Decimal", 1, 3)),
        (uuid.UUID(int=5), typed("uuid.UUID", 1, "00000000-0000-0000-0000-000000000005")),
        (pendulum.timezone("Europe/Berlin"), typed("pendulum.tz.timezone.Timezone", 1, "Europe/Berlin")),
    ],
)
def test_a_value_has_airflows_wire_form_and_comes_back(value: Any, document: Any) -> None:
    assert encode(value) == document
    assert decode(document) == value


def test_other_forms_are_written_as_airflow_writes_them() -> None:
    assert encode(namedtuple("NT", "a b")(1, 2)) == typed("builtins.tuple", 1, [1, 2])
    assert encode({(1, 2): 3, 4: 5}) == {"(1, 2)": 3, "4": 5}
    assert encode(Point()) == typed(f"{__name__}.Point", 0, {"x": 1})


def test_an_asset_has_airflows_wire_form_and_comes_back() -> None:
    document = encode(Asset("x", extra={"a": 1}))
    rules = document["__data__"].pop("access_control")
    expected = {"name": "x", "uri": "x", "group": "asset", "extra": {"a": 1}, "watchers": []}
    assert document == typed("airflow.sdk.definitions.asset.Asset", 1, expected)
    assert rules["__classname__"].startswith("airflow.sdk.definitions.asset.")
    assert decode(document) == Asset("x", extra={"a": 1})


def test_an_aware_time_with_an_offset_comes_back_as_the_same_instant() -> None:
    value = dt.datetime(2026, 1, 2, tzinfo=dt.timezone(dt.timedelta(hours=2)))
    assert decode(encode(value)) == value


@pytest.mark.parametrize("value", [b"x", 1j, dt.time(1), object()])
def test_a_value_that_cannot_be_written_names_its_class(value: Any) -> None:
    with pytest.raises(TypeError, match=type(value).__name__):
        encode(value)


def test_a_value_that_contains_itself_is_refused() -> None:
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(RecursionError, match="contains itself"):
        encode(loop)


def test_a_reserved_key_is_refused() -> None:
    with pytest.raises(AttributeError, match="reserved"):
        encode({"a": {"__classname__": "x"}})


def test_reading_an_unknown_class_names_it_and_the_option() -> None:
    with pytest.raises(ImportError, match=r"os\.system.*allowed_deserialization_classes"):
        decode(typed("os.system", 1, {}))


def test_an_allowed_class_is_read_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__ALLOWED_DESERIALIZATION_CLASSES", f"{__name__}.*")
    assert decode(encode(Point(5))) == Point(5)


def test_a_newer_format_is_refused() -> None:
    with pytest.raises(TypeError, match="newer"):
        decode(typed("builtins.tuple", 9, [1]))


def test_none_is_not_pushed_and_a_value_is() -> None:
    assert not attempt(returning(None), "t").of_type("SetXCom")
    assert attempt(returning(5), "t", map_index=2).xcoms == {("t", "return_value"): {2: 5}}
    assert not attempt(returning(5, do_xcom_push=False), "t").of_type("SetXCom")


def test_multiple_outputs_are_pushed_one_by_one_before_the_whole() -> None:
    supervisor = attempt(returning({"a": 1, "b": 2}, multiple_outputs=True), "t")
    assert [message["key"] for message in supervisor.of_type("SetXCom")] == ["a", "b", "return_value"]


@pytest.mark.parametrize("value", [[1], {1: 2}])
def test_wrong_multiple_outputs_fail_the_attempt(value: Any) -> None:
    supervisor = attempt(returning(value, multiple_outputs=True), "t")
    assert supervisor.final["state"] == "failed"
    assert not supervisor.of_type("SetXCom")


def test_xcoms_of_an_earlier_try_are_deleted_first() -> None:
    supervisor = attempt(returning(1), "t", xcom_keys_to_clear=["a", "b"])
    assert [message["key"] for message in supervisor.of_type("DeleteXCom")] == ["a", "b"]


def pulling(**arguments: Any) -> Any:
    found: list[Any] = []
    with DAG("d", schedule=None, start_date=START) as dag:
        PythonOperator(task_id="t", python_callable=lambda ti: found.append(ti.xcom_pull(**arguments)))
    supervisor = Supervisor()
    supervisor.xcoms = {
        ("one", "return_value"): {-1: "v"},
        ("many", "return_value"): {0: "a", 1: "b"},
        ("t", "return_value"): {-1: 9},
    }
    attempt(dag, "t", supervisor)
    return found[0]


@pytest.mark.parametrize(
    ("arguments", "value"),
    [
        ({"task_ids": "one"}, "v"),
        ({"task_ids": ["one"]}, ["v"]),
        ({"task_ids": "many"}, ["a", "b"]),
        ({"task_ids": "many", "map_indexes": 1}, "b"),
        ({"task_ids": "many", "map_indexes": [1, 0]}, ["b", "a"]),
        ({"task_ids": ["one", "many"]}, ["v", "a", "b"]),
        ({"task_ids": "none"}, None),
        ({"task_ids": "none", "default": 7}, None),
        ({"task_ids": "none", "map_indexes": -1, "default": 7}, 7),
        ({}, 9),
    ],
)
def test_a_pull_gives_what_airflow_gives(arguments: dict[str, Any], value: Any) -> None:
    assert pulling(**arguments) == value


def test_mapped_tasks_get_the_argument_of_their_index_from_a_literal_and_from_an_xcom() -> None:
    with DAG("d", schedule=None, start_date=START) as dag:
        first = PythonOperator(task_id="first", python_callable=lambda: [["x"], ["y"]])
        PythonOperator.partial(task_id="lit", python_callable=lambda a, k: [a, k]).expand(
            op_args=[[1], [2]], op_kwargs=[{"k": 3}, {"k": 4}]
        )
        PythonOperator.partial(task_id="mapped", python_callable=lambda a: a).expand(op_args=first.output)
    supervisor = attempt(dag, "first")
    assert supervisor.of_type("SetXCom")[0]["mapped_length"] == 2
    for index in (0, 1):
        attempt(dag, "mapped", supervisor, map_index=index)
    assert supervisor.xcoms["mapped", "return_value"] == {0: "x", 1: "y"}
    assert attempt(dag, "lit", map_index=2).xcoms["lit", "return_value"] == {2: [2, 3]}


def test_what_others_map_over_must_be_a_list_or_dict() -> None:
    with DAG("d", schedule=None, start_date=START) as dag:
        first = PythonOperator(task_id="first", python_callable=lambda: 5)
        none = PythonOperator(task_id="none", python_callable=lambda: None)
        PythonOperator.partial(task_id="a", python_callable=print).expand(op_args=first.output)
        PythonOperator.partial(task_id="b", python_callable=print).expand(op_args=none.output)
    assert "UnmappableXComTypePushed" in attempt(dag, "first").final["evidence"]["cause_detail"]
    assert "XComForMappingNotPushed" in attempt(dag, "none").final["evidence"]["cause_detail"]


def test_the_label_of_a_mapped_task_is_rendered_and_reported() -> None:
    supervisor = attempt(returning(1, map_index_template="day {{ ds }}"), "t")
    assert supervisor.of_type("SetRenderedMapIndex")[0]["rendered_map_index"] == "day 2026-01-02"
    assert supervisor.final["rendered_map_index"] == "day 2026-01-02"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), [1.0, {"a": -float("inf")}]])
def test_a_number_that_json_does_not_have_fails_the_task_that_returns_it(value: Any) -> None:
    supervisor = attempt(returning(value), "t")
    assert (supervisor.final["state"], supervisor.of_type("SetXCom")) == ("failed", [])
    assert "not JSON compliant" in supervisor.final["evidence"]["cause_detail"]


def test_dicts_of_arguments_that_a_task_returned_may_hold_templates_and_single_values_may_not() -> None:
    with DAG("d", schedule=None, start_date=START) as dag:
        first = PythonOperator(task_id="first", python_callable=lambda: [{"op_args": ["{{ ds }}"]}])
        PythonOperator.partial(task_id="dicts", python_callable=lambda a: a).expand_kwargs(first.output)
        second = PythonOperator(task_id="second", python_callable=lambda: [["{{ ds }}"]])
        PythonOperator.partial(task_id="values", python_callable=lambda a: a).expand(op_args=second.output)
    supervisor = attempt(dag, "first")
    attempt(dag, "second", supervisor)
    for name in ("dicts", "values"):
        attempt(dag, name, supervisor, map_index=0)
    results = [supervisor.xcoms[name, "return_value"] for name in ("dicts", "values")]
    assert results == [{0: "2026-01-02"}, {0: "{{ ds }}"}]


def test_an_asset_names_its_parts_as_airflow_does() -> None:
    document: Any = encode(Asset("s3://bucket/key"))
    assert (
        document["__data__"]["access_control"]["__classname__"]
        == "airflow.sdk.definitions.asset.access_control.AssetAccessControl"
    )
    assert decode(document) == Asset("s3://bucket/key")
