"""Functions in another interpreter: what they get, what comes back, what is kept, and what errors say. Nothing needs a network."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pendulum
import pytest

from orchestrator.sdk.definitions.dag import DAG
from orchestrator.sdk.exceptions import AirflowException, AirflowSkipException
from orchestrator.sdk.execution.channel import MemoryChannel, set_channel
from orchestrator.sdk.execution.startup import DagRun
from orchestrator.sdk.operators import virtualenv_build as build
from orchestrator.sdk.operators.virtualenv import ExternalPythonOperator, PythonVirtualenvOperator
from tests.attempts import run_document
from tests.unit.sdk.running import context_of


def add(a, b=1):  # type: ignore[no-untyped-def]
    return a + b


def everything(**context):  # type: ignore[no-untyped-def]
    return sorted(context)


def of_run(dag_run, params, logical_date):  # type: ignore[no-untyped-def]
    return [dag_run.run_id, dag_run.conf, params, str(logical_date)]


def environment():  # type: ignore[no-untyped-def]
    import os

    return {name: os.environ.get(name) for name in ("MINE", "FOREIGN", "HOME")}


def leave(code):  # type: ignore[no-untyped-def]
    raise SystemExit(code)


def fail():  # type: ignore[no-untyped-def]
    raise KeyError("lost")


def strings():  # type: ignore[no-untyped-def]
    return virtualenv_string_args  # type: ignore[name-defined]  # noqa: F821


@pytest.fixture
def channel() -> Iterator[MemoryChannel]:
    told = MemoryChannel({"GetVariable": {"type": "ErrorResponse", "error": "VARIABLE_NOT_FOUND", "detail": None}})
    set_channel(told)
    yield told
    set_channel(None)


def external(function: Any, **kwargs: Any) -> ExternalPythonOperator:
    with DAG("d", schedule=None):
        return ExternalPythonOperator(task_id="t", python=sys.executable, python_callable=function, **kwargs)


def virtual(function: Any, **kwargs: Any) -> PythonVirtualenvOperator:
    with DAG("d", schedule=None):
        return PythonVirtualenvOperator(task_id="t", python_callable=function, **kwargs)


def run(task: Any, **context: Any) -> Any:
    return task.execute(context_of(task, **context))


@pytest.mark.parametrize("serializer", ["pickle", "dill", "cloudpickle"])
def test_arguments_and_result_travel(serializer: str) -> None:
    if serializer != "pickle":
        pytest.importorskip(serializer)
    assert run(external(add, op_args=[[1]], op_kwargs={"b": [2, "x"]}, serializer=serializer)) == [1, 2, "x"]


def test_an_argument_that_cannot_be_sent_is_named() -> None:
    with pytest.raises(AirflowException, match=r"cannot send \['b'\].*pickle"):
        run(external(add, op_kwargs={"a": 1, "b": lambda: 1}))


def test_a_run_and_params_arrive_as_plain_data() -> None:
    from orchestrator.sdk.definitions.param import ParamsDict

    dag_run = DagRun.from_json(run_document(conf={"x": 1}))
    found = run(external(of_run), dag_run=dag_run, params=ParamsDict({"p": 2}), logical_date=dag_run.logical_date)
    assert found[:3] == ["r", {"x": 1}, {"p": 2}]
    assert found[3].startswith("2026-01-02")


def test_without_the_packages_of_airflow_only_plain_names_of_the_context_are_sent() -> None:
    task = virtual(everything, system_site_packages=False)
    names = {"ds", "ti", "task", "dag", "logical_date", "params", "dag_run", "run_id"}
    assert set(task.determine_kwargs(dict.fromkeys(names))) == {"ds", "run_id"}
    task.requirements = ["# a comment\nPendulum>=3  # of the user\n"]
    assert set(task.determine_kwargs(dict.fromkeys(names))) == {"ds", "run_id", "logical_date"}
    task.system_site_packages = True
    assert set(task.determine_kwargs(dict.fromkeys(names))) == {"ds", "run_id", "logical_date", "params", "dag_run"}


def test_an_interpreter_without_pendulum_gets_no_names_that_need_it(tmp_path: Path) -> None:
    bare = tmp_path / "python"
    bare.write_text(f'#!/bin/sh\nexec {sys.executable} -S "$@"\n')
    bare.chmod(0o755)
    task = external(everything)
    names = {"ds": "2026-01-02", "run_id": "r", "logical_date": pendulum.datetime(2026, 1, 2)}
    assert {"ds", "run_id", "logical_date"} <= set(run(task, **names))
    task = external(everything)
    task.python = str(bare)
    found = set(run(task, **names))
    assert {"ds", "run_id"} <= found
    assert "logical_date" not in found


def test_the_environment_is_inherited_or_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOREIGN", "yes")
    assert run(external(environment, env_vars={"MINE": "1"}))["FOREIGN"] == "yes"
    assert run(external(environment, env_vars={"MINE": "1"}, inherit_env=False)) == {"MINE": "1", "FOREIGN": None, "HOME": None}


@pytest.mark.parametrize(("code", "skipping"), [(5, 5), (5, {4, 5}), (0, [0])])
def test_an_exit_code_can_skip(code: int, skipping: Any) -> None:
    with pytest.raises(AirflowSkipException, match=f"code {code}"):
        run(external(leave, op_args=[code], skip_on_exit_code=skipping))


def test_a_failure_names_exit_code_and_error() -> None:
    with pytest.raises(AirflowException, match=r"(?s)non-zero exit status 1.*KeyError: 'lost'"):
        run(external(fail))
    with pytest.raises(AirflowException, match="non-zero exit status 7"):
        run(external(leave, op_args=[7]))


def test_string_arguments_are_a_name_of_the_script() -> None:
    assert run(external(strings, string_args=["a", 2])) == ["a", "2"]


def test_an_environment_is_made_and_kept_for_the_next_time(tmp_path: Path, channel: MemoryChannel) -> None:
    tasks = [virtual(add, op_args=[number], venv_cache_path=tmp_path) for number in (1, 2)]
    assert [run(task) for task in tasks] == [2, 3]
    assert len([path for path in tmp_path.iterdir() if path.is_dir()]) == 1
    assert channel.of_type("GetVariable")[0]["key"] == "python_virtualenv_operator_cache_key"


def test_of_two_that_need_the_same_environment_at_once_one_makes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Path] = []

    def make(plan: build.VenvPlan, folder: Path) -> None:
        made.append(folder)
        folder.mkdir()

    monkeypatch.setattr(build, "make", make)
    plan = build.VenvPlan(python=None, requirements=["x"], system_site_packages=True)
    with ThreadPoolExecutor(4) as pool:
        folders = set(pool.map(lambda _: build.cached(plan, tmp_path), range(4)))
    assert len(made) == len(folders) == 1
    other = build.VenvPlan(python=None, requirements=["x"], system_site_packages=True, cache_key="new")
    assert build.cached(other, tmp_path) not in folders


@pytest.mark.parametrize(
    ("index_urls", "options", "name"),
    [
        (None, [], "index that pip is configured for"),
        ([], ["--no-index"], "no index"),
        (
            ["https://u:p@one/simple", "https://two"],
            ["--index-url", "https://u:p@one/simple", "--extra-index-url", "https://two"],
            "https://one/simple",
        ),
    ],
)
def test_an_index_that_cannot_be_reached_is_named_without_its_password_and_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, index_urls: list[str] | None, options: list[str], name: str
) -> None:
    monkeypatch.delenv("PIP_INDEX_URL", raising=False)
    commands: list[list[str]] = []

    def call(command: list[str], **_: Any) -> Any:
        commands.append(command)
        return type("Done", (), {"returncode": int("pip" in command), "stdout": "", "stderr": "no network"})

    monkeypatch.setattr(build.subprocess, "run", call)
    plan = build.VenvPlan(None, ["colorama==0.4.0", "# why\nsix"], True, ["--no-deps"], index_urls)
    with pytest.raises(AirflowException, match=r"(?s)install colorama==0.4.0.*no network.*--find-links") as caught:
        build.make(plan, tmp_path)
    assert name in str(caught.value)
    assert "u:p@" not in str(caught.value)
    assert commands[-1][5:] == [*options, "--no-deps", "-r", str(tmp_path / "requirements.txt")]
    assert (tmp_path / "requirements.txt").read_text() == "colorama==0.4.0\n# why\nsix"


@pytest.mark.parametrize(
    "wrong",
    [{"python_version": 3.11}, {"python_version": "2.7", "op_args": [1]}, {"serializer": "json"}],
)
def test_wrong_arguments_are_refused_when_the_file_is_read(wrong: dict[str, Any]) -> None:
    with pytest.raises(AirflowException):
        virtual(add, **wrong)
