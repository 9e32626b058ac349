"""The document of every version of the Execution API against the recorded contract: operations, parameters, bodies, answers, fields."""

from __future__ import annotations

import runpy
from typing import Any

import pytest

from executionapi.versions import HEAD, VERSIONS
from tests.oracle import oracle_file, oracle_json

Json = dict[str, Any]
ADDITIONS = {"PATCH /callbacks/{callback_id}/state"}


def served(client: Any, version: str) -> Json:
    """The document in the compact form of the recorded contract."""
    response = client.get("/execution/openapi.json", {"version": version})
    assert response.status_code == 200, response.content
    compact: Json = runpy.run_path(str(oracle_file("record_contract.py")))["contract"](response.json())
    return compact


def named(operations: list[Json]) -> dict[str, Json]:
    """The operations by method and path, with the parameters in a fixed order."""
    return {f"{o['method']} {o['path']}": o | {"params": sorted(o["params"], key=lambda p: p["name"])} for o in operations}


def recorded(version: str) -> tuple[dict[str, Json], Json]:
    """Operations and schemas of a version as the contract has them; an operation of old versions only has no details there."""
    contract = oracle_json("execution_contract.json")
    operations, schemas = named(contract["contract"]["operations"]), dict(contract["contract"]["schemas"])
    if version == HEAD:
        return operations, schemas
    old = contract["by_version"][version]
    gone, less = old["operations_missing_vs_head"], old["schemas_missing_vs_head"]
    operations |= named(list(old["operations_different"].values())) | {name: {} for name in old["operations_extra_vs_head"]}
    schemas |= old["schemas_different"]
    return {k: v for k, v in operations.items() if k not in gone}, {k: v for k, v in schemas.items() if k not in less}


@pytest.mark.parametrize("version", VERSIONS)
def test_operations_have_the_recorded_parameters_bodies_and_answers(client: Any, version: str) -> None:
    ours, (theirs, _) = named(served(client, version)["operations"]), recorded(version)
    assert set(ours) - ADDITIONS == set(theirs)
    for name, expected in theirs.items():
        assert {key: ours[name].get(key) for key in expected} == expected, name


@pytest.mark.parametrize("version", VERSIONS)
def test_schemas_have_the_recorded_fields(client: Any, version: str) -> None:
    assert served(client, version)["schemas"] == recorded(version)[1]


def test_the_document_without_a_version_is_the_newest_and_a_wrong_one_is_404(client: Any) -> None:
    newest = client.get("/execution/openapi.json").json()
    assert newest["info"]["version"] == HEAD
    wrong = client.get("/execution/openapi.json?version=2025-08-11")
    assert wrong.status_code == 404
    assert "2025-08-11" in wrong.json()["detail"]
