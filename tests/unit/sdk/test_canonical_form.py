"""The same bytes give the same document."""

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.sdk.fresh_python import parse_file

SOURCE = """
from datetime import datetime, timedelta
from airflow.sdk import DAG, Asset, Label, Param, TaskGroup, task
from airflow.providers.standard.operators.bash import BashOperator

class Thing:
    pass

def callback(context):
    return None

with DAG(
    "canonical", schedule="@daily", start_date=datetime(2024, 1, 1), tags={"b", "a", "c", "d"},
    params={"z": Param(1, type="integer"), "a": "x"}, default_args={"retries": 2, "on_failure_callback": callback},
) as dag:
    first = [BashOperator(task_id=f"t{i}", bash_command="echo", env={"x": {"p", "q", "r"}}) for i in range(8)]
    last = BashOperator(task_id="last", bash_command="echo {{ ds }}", outlets=[Asset("x"), Asset("y")])
    first >> Label("all") >> last

    @task
    def work(value, where={"k", "l", "m"}):
        return {value}

    with TaskGroup("g"):
        work.partial(where=Thing()).expand(value=[1, 2, 3])
        work({"s1", "s2", "s3"}, lambda: 1)
"""


def test_parsing_a_file_in_processes_with_other_hash_seeds_gives_equal_json(tmp_path: Path) -> None:
    """C20-a: sets are sorted, addresses of objects do not show, callables are a name and a hash."""
    path = tmp_path / "canonical.py"
    path.write_text(SOURCE)
    documents = [parse_file(path, hash_seed=seed) for seed in ("0", "1", "4242")]
    assert documents[0] == documents[1] == documents[2]
    assert " at 0x" not in str(documents[0])


def test_a_changed_task_function_changes_the_attributes_only(tmp_path: Path) -> None:
    """C20-b: the structure stays, the hash of the callable moves."""
    path = tmp_path / "canonical.py"
    path.write_text(SOURCE)
    (before,) = parse_file(path)
    path.write_text(SOURCE.replace("return {value}", "return [value]"))
    (after,) = parse_file(path)
    changed = [(a, b) for a, b in zip(before["tasks"], after["tasks"], strict=True) if a != b]
    assert changed
    for old, new in changed:
        old["attributes"].pop("python_callable")
        new["attributes"].pop("python_callable")
        assert old == new


@settings(max_examples=50, deadline=None)
@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)))
def test_json_values_are_kept_as_they_are(value: object) -> None:
    from orchestrator.sdk.serialization.plain_values import plain

    assert plain(value) == value
