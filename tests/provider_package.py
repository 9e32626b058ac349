"""Decides what a small installed provider package looks like: a folder for ``PYTHONPATH`` with a hook and its metadata."""

from pathlib import Path

HOOK = """
import json, os
from airflow.hooks.base import BaseHook

class AcmeHook(BaseHook):
    conn_name_attr, conn_type, hook_name = "acme_conn_id", "acme", "Acme"

    def __init__(self, acme_conn_id="acme_default"):
        self.connection = self.get_connection(acme_conn_id)

    def test_connection(self):
        found = self.connection
        print("what a hook prints is no answer")
        with open(found.extra_dejson["witness"], "w") as file:
            json.dump({"environment": dict(os.environ), "password": found.password, "type": found.conn_type}, file)
        if found.host == "down":
            raise OSError(f"{found.host} refuses {found.login} with {found.password}")
        return True, f"signed in to {found.host} as {found.login}"
"""
INFO = """
def get_provider_info():
    return {"package-name": "acme-provider", "connection-types": [
        {"connection-type": "acme", "hook-class-name": "acme_provider.hook.AcmeHook", "hook-name": "Acme",
         "ui-field-behaviour": {"hidden-fields": ["schema"], "relabeling": {"login": "Key"}},
         "conn-fields": {"witness": {"label": "Witness", "schema": {"type": ["string", "null"]}},
                         "depth": {"label": "Depth", "schema": {"type": ["integer", "null"], "default": 3}},
                         "seal": {"label": "Seal", "schema": {"type": ["string", "null"], "format": "password"}}}}]}
"""


def make_provider(folder: Path) -> Path:
    """Write the package into a new folder below ``folder`` and return that."""
    site = folder / "site"
    package, facts = site / "acme_provider", site / "acme_provider-1.0.dist-info"
    package.mkdir(parents=True)
    facts.mkdir()
    (package / "__init__.py").write_text("")
    (package / "hook.py").write_text(HOOK)
    (package / "info.py").write_text(INFO)
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-provider\nVersion: 1.0\n")
    (facts / "entry_points.txt").write_text("[apache_airflow_provider]\nprovider_info = acme_provider.info:get_provider_info\n")
    return site
