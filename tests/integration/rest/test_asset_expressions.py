"""A schedule over assets is shown in Airflow's nested form."""

from __future__ import annotations

import pytest

from dags_app.api.asset_expressions import asset_expression
from dags_app.models import Asset, AssetAlias
from orchestrator.sdk.definitions.asset import Asset as Authored
from orchestrator.sdk.definitions.asset import AssetAlias as Alias

pytestmark = pytest.mark.django_db


def test_conditions_nest_and_name_the_ids_of_known_assets() -> None:
    known = Asset.objects.create(name="a", uri="s3://a/k")
    alias = AssetAlias.objects.create(name="x")
    condition = (Authored("a", uri="s3://a/k") | Alias("x")) & Authored.ref(name="later")
    assert asset_expression(condition.serialize()) == {
        "all": [
            {
                "any": [
                    {"asset": {"uri": "s3://a/k", "name": "a", "group": "asset", "id": known.pk}},
                    {"alias": {"name": "x", "group": "asset", "id": alias.pk}},
                ]
            },
            {"asset_ref": {"name": "later"}},
        ]
    }


def test_no_condition_is_no_expression() -> None:
    assert asset_expression(None) is None
