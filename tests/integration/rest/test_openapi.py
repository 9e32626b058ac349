"""The API describes itself: the recorded contract for Airflow's operations, and every operation that the code has."""

from __future__ import annotations

import importlib.util
from typing import Any

import pytest
from django.test import Client

from orchestrator.rest.openapi.types import schema_of
from tests.oracle import oracle_file, oracle_json


@pytest.fixture
def document(client: Client) -> dict[str, Any]:
    answer = client.get("/openapi.json")
    assert answer["Content-Type"] == "application/json"
    return answer.json()


def shortened(document: dict[str, Any]) -> dict[str, Any]:
    """Return the document as the recorder of the contract reads one."""
    spec = importlib.util.spec_from_file_location("record_contract", oracle_file("record_contract.py"))
    assert spec is not None and spec.loader is not None
    recorder = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(recorder)
    return recorder.contract(document)


def test_every_operation_of_the_contract_is_there_with_its_parameters_bodies_and_answers(document: dict[str, Any]) -> None:
    mine = {(o["method"], o["path"]): o for o in shortened(document)["operations"]}
    recorded = {(o["method"], o["path"]): o for o in oracle_json("rest_contract.json")["operations"]}
    assert sorted(recorded.keys() - mine.keys()) == []
    assert [key for key in recorded if mine[key] != recorded[key]] == []


def test_every_schema_of_the_contract_is_there_field_by_field(document: dict[str, Any]) -> None:
    assert shortened(document)["schemas"] == oracle_json("rest_contract.json")["schemas"]


def test_an_addition_is_described_from_the_code(document: dict[str, Any]) -> None:
    preview = document["paths"]["/api/v2/backfills/preview"]["post"]
    assert preview["operationId"]
    assert "dag_id" in preview["requestBody"]["content"]["application/json"]["schema"]["properties"]
    assert preview["summary"].endswith(".")


def test_operation_ids_are_unique(document: dict[str, Any]) -> None:
    ids = [entry["operationId"] for methods in document["paths"].values() for entry in methods.values()]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize(
    ("text", "schema"),
    [
        ("null | string(date-time)", {"anyOf": [{"type": "null"}, {"type": "string", "format": "date-time"}]}),
        (
            "array<array<any> | string>",
            {"type": "array", "items": {"anyOf": [{"type": "array", "items": {}}, {"type": "string"}]}},
        ),
        ('enum:["a | b", "c"] | null', {"anyOf": [{"enum": ["a | b", "c"], "type": "string"}, {"type": "null"}]}),
        ('integer{"minimum": -1}', {"type": "integer", "minimum": -1}),
    ],
)
def test_a_type_of_the_contract_is_read(text: str, schema: dict[str, Any]) -> None:
    assert schema_of(text) == schema


def test_a_type_that_nobody_knows_is_refused_with_its_text() -> None:
    with pytest.raises(ValueError, match="gizmo"):
        schema_of("gizmo")


def test_the_page_needs_nothing_from_other_servers(client: Client) -> None:
    page = client.get("/docs").content.decode()
    assert "http://" not in page and "https://" not in page
    assert client.get("/docs")["Content-Security-Policy"].startswith("default-src 'none'")
