"""How metrics leave: StatsD lines, Prometheus text, names."""

from __future__ import annotations

import builtins
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from orchestrator.config.option import ConfigurationError
from orchestrator.kernel import telemetry
from orchestrator.metrics.names import chosen
from orchestrator.metrics.otel import OtelSink
from orchestrator.metrics.prometheus import text
from orchestrator.metrics.report import Report, is_collecting, sinks
from orchestrator.metrics.statsd import DATAGRAM_BYTES, Form, StatsdSink, datagrams

TI = ("ti.finish", (("dag_id", "a b"), ("state", "success"), ("task_id", "t")))


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.settimeout(60)
        yield listening


@pytest.fixture(autouse=True)
def clean() -> Iterator[None]:
    telemetry.reset()
    yield
    telemetry.reset()


def test_a_statsd_server_gets_names_with_and_without_tags(server: socket.socket) -> None:
    sink = StatsdSink("127.0.0.1", server.getsockname()[1], Form(), chosen("", ""))
    sink.send(
        {TI: 2},
        {("pool.open_slots", (("pool_name", "p"),)): 7.0},
        [(("task.duration", (("dag_id", "d"), ("task_id", "t"))), 0.5)],
    )
    sink.close()
    assert server.recv(2000).decode().splitlines() == [
        "airflow.ti.finish:2|c",
        "airflow.ti.finish.a_b.t.success:2|c",
        "airflow.pool.open_slots:7|g",
        "airflow.pool.open_slots.p:7|g",
        "airflow.task.duration:500.000|ms",
        "airflow.dag.d.t.duration:500.000|ms",
    ]


@pytest.mark.parametrize(
    ("form", "line"),
    [
        (Form(tags="datadog", fixed=(("env", "x"),)), "airflow.n:1|c|#dag_id:d,env:x"),
        (Form(tags="influxdb"), "airflow.n,dag_id=d:1|c"),
        (Form(tags="datadog", without=frozenset({"dag_id"})), "airflow.n:1|c"),
        (Form(prefix=""), "n:1|c"),
    ],
)
def test_tags_look_as_each_server_reads_them(form: Form, line: str) -> None:
    assert form.line("n", "1", "c", (("dag_id", "d"),)) == line


def test_many_lines_go_in_few_datagrams() -> None:
    made = list(datagrams(["x" * 100] * 100))
    assert b"\n".join(made).count(b"x") == 10_000
    assert max(len(one) for one in made) <= DATAGRAM_BYTES
    assert len(made) < 10


def test_an_unreachable_server_raises_nothing() -> None:
    sink = StatsdSink("no-such-host.invalid", 1, Form(), chosen("", ""))
    sink.send({TI: 1}, {}, [])


def test_an_allow_list_makes_the_block_list_void() -> None:
    assert "ti.finish" not in chosen("", "ti,dagrun")
    assert "pool.open_slots" in chosen("", "ti,dagrun")
    assert "ti.finish" in chosen("ti", "ti")
    assert "pool.open_slots" not in chosen("ti", "")
    with pytest.raises(ValueError, match=r"metrics_block_list.*'\('"):
        chosen("", "(")


def test_prometheus_reads_counters_gauges_and_times() -> None:
    counters = [(TI, 3.0)]
    shown = text(counters, [(("pool.open_slots", (("pool_name", 'a"b'),)), 2.0)], [(("task.duration", ()), (2, 1.5, 1.0))])
    assert 'airflow_ti_finish_total{dag_id="a b",state="success",task_id="t"} 3.0' in shown
    assert 'airflow_pool_open_slots{pool_name="a\\"b"} 2.0' in shown
    assert "airflow_task_duration_seconds_count 2\nairflow_task_duration_seconds_sum 1.500000" in shown
    assert shown.count("# TYPE") == 3


class Taken:
    def __init__(self) -> None:
        self.calls: list[Any] = []

    def send(self, *what: Any) -> None:
        self.calls.append(what)

    def close(self) -> None:
        self.calls.append("closed")


def test_each_report_sends_what_is_new() -> None:
    taken = Taken()
    report = Report([taken])
    telemetry.take_samples()  # of tests before
    telemetry.reset()
    telemetry.count("a", 2)
    telemetry.timing("t", 0.1)
    report.send()
    telemetry.count("a", 3)
    report.send()
    report.send()
    telemetry.count("a")
    report.close()
    assert [call[0] for call in taken.calls[:-1]] == [{("a", ()): 2}, {("a", ()): 3}, {}, {("a", ()): 1}]
    assert [len(call[2]) for call in taken.calls[:-1]] == [1, 0, 0, 0]
    assert taken.calls[-1] == "closed"


def test_a_gauge_that_is_gone_becomes_nought_once() -> None:
    telemetry.replace_gauges([(("g", ()), 5.0)])
    telemetry.replace_gauges([])
    assert telemetry.snapshot()[1] == {("g", ()): 0.0}
    telemetry.replace_gauges([])
    assert telemetry.snapshot()[1] == {}


def test_series_cannot_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telemetry, "MOST_SERIES", 2)
    for number in range(5):
        telemetry.count("c", 1, of=str(number))
    counters = telemetry.snapshot()[0]
    assert counters[telemetry.DROPPED] == 3
    assert len(counters) == 3


def test_nothing_is_collected_by_default() -> None:
    assert not is_collecting()
    assert sinks() == []


def test_a_missing_opentelemetry_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name.startswith("opentelemetry"):
            raise ImportError(f"No module named {name!r}")
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ConfigurationError, match="pip install opentelemetry-sdk"):
        OtelSink(chosen("", ""))
