"""The authoring half is light and free of Django."""

from tests.unit.sdk.fresh_python import run_python

CODE = """
import json, sys
import orchestrator.sdk
heavy = [name for name in ("django", "jinja2", "pendulum", "jsonschema", "croniter", "urllib3") if name in sys.modules]
from orchestrator.sdk import DAG, BaseOperator, Label, Param, TaskGroup, chain, task
with DAG("d", schedule=None) as dag:
    @task
    def f():
        return 1
    f()
from orchestrator.sdk.serialization.encode import encode_dag
encode_dag(dag)
later = [name for name in ("django", "jinja2", "jsonschema", "croniter") if name in sys.modules]
print(json.dumps([heavy, later]))
"""


def test_importing_the_sdk_loads_nothing_heavy() -> None:
    """C28-b: names are loaded when they are used."""
    heavy, _ = run_python(CODE)
    assert heavy == []


def test_a_dag_without_templates_and_schedule_is_encoded_without_django_or_jinja() -> None:
    """C28-b."""
    _, later = run_python(CODE)
    assert "django" not in later
    assert "jinja2" not in later
    assert "jsonschema" not in later
