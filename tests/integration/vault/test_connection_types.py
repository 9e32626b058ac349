"""Types of connections: the recorded ones, what installed packages say of themselves, and the answer to Airflow's pages."""

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from tests.integration.accounts.world import client_of, person
from vault.connection_types import known_types, secret_fields, type_hint

pytestmark = pytest.mark.django_db

PROVIDER = """
from somewhere_else import version
raise RuntimeError("nothing of a package is run in the server")

def get_provider_info():
    return {
        "package-name": "acme-provider",
        "versions": [version()],
        "connection-types": [
            {"connection-type": "acme", "hook-class-name": "acme.Hook", "hook-name": "Acme",
             "ui-field-behaviour": {"hidden-fields": ["port"], "relabeling": {"login": "Key"}},
             "conn-fields": {"zone": {"label": "Zone", "schema": {"type": ["string", "null"], "default": "eu"}}}},
            "odd", {"connection-type": 1}, {"connection-type": "odd", "conn-fields": {"a": "b"}},
            {"connection-type": "odd", "ui-field-behaviour": {"hidden-fields": 5}},
            {"connection-type": "http", "hook-class-name": "acme.Http", "hook-name": "Acme's HTTP"},
        ],
    }
"""


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A provider package that is installed, and two broken ones."""
    for name, text in {"acme": PROVIDER, "broken": "def (", "computed": "def get_provider_info():\n    return make()\n"}.items():
        folder = tmp_path / f"{name}_provider"
        folder.mkdir()
        (folder / "__init__.py").write_text("raise RuntimeError('imported')")
        (folder / "info.py").write_text(text)
        dist = tmp_path / f"{name}_provider-1.dist-info"
        dist.mkdir()
        (dist / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}-provider\nVersion: 1\n")
        (dist / "entry_points.txt").write_text(
            f"[apache_airflow_provider]\nprovider_info={name}_provider.info:get_provider_info\n"
        )
    monkeypatch.syspath_prepend(str(tmp_path))
    known_types.cache_clear()
    yield
    known_types.cache_clear()


def test_every_type_of_airflows_providers_is_known() -> None:
    kinds = known_types()
    assert len(kinds) >= 142
    assert {"aws", "postgres", "http", "kubernetes", "google_cloud_platform", "snowflake", "fs", "generic", "email"} <= set(kinds)
    assert all(kind.title and kind.package for kind in kinds.values())
    assert {kind.conn_type for kind in kinds.values() if kind.hook_class is None} == {"generic", "email"}


def test_fields_of_password_format_are_secrets() -> None:
    assert secret_fields("google_cloud_platform") >= {"keyfile_dict", "client_secret"}
    assert secret_fields("no such type") == frozenset()


def test_an_unknown_type_is_hinted_at_and_not_refused() -> None:
    assert type_hint("postgres") is None
    assert type_hint("postgrs") == ("No known provider package has connections of type 'postgrs'. Did you mean 'postgres'?")


def test_installed_packages_add_and_override_and_none_of_them_is_run(installed: None) -> None:
    kinds = known_types()
    assert (kinds["acme"].title, kinds["acme"].package, kinds["acme"].default("zone")) == ("Acme", "acme-provider", "eu")
    assert (kinds["http"].title, kinds["http"].hook_class) == ("Acme's HTTP", "acme.Http")
    assert "postgres" in kinds and "odd" not in kinds


def test_the_answer_has_airflows_shape(installed: None) -> None:
    rows = {row["connection_type"]: row for row in client_of(person("otto", "Op")).get("/ui/connections/hook_meta").json()}
    assert list(rows) == sorted(rows)
    assert rows["acme"] == {
        "connection_type": "acme",
        "hook_class_name": "acme.Hook",
        "default_conn_name": None,
        "hook_name": "Acme",
        "standard_fields": {
            "description": None,
            "url_schema": None,
            "host": None,
            "port": {"hidden": True, "title": None, "placeholder": None},
            "login": {"hidden": False, "title": "Key", "placeholder": None},
            "password": None,
        },
        "extra_fields": {
            "zone": {
                "value": "eu",
                "schema": {"type": ["string", "null"], "default": "eu", "title": "Zone"},
                "description": None,
                "source": None,
            }
        },
    }
    assert rows["generic"]["standard_fields"] is None and rows["generic"]["extra_fields"] is None


def test_only_who_may_read_connections_gets_the_types(db: None) -> None:
    assert Client().get("/ui/connections/hook_meta").status_code == 401
    assert client_of(person("ulf", "User")).get("/ui/connections/hook_meta").status_code == 403
    User.objects.create_superuser("boss", password="x")
    assert Client().get("/ui/nothing").status_code == 404
