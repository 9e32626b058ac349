"""Decides where a worker finds the files of one version of a bundle; fetched first where this machine does not have it."""

from __future__ import annotations

import json
import os
from pathlib import Path

from orchestrator.sdk.bundles.configured import BundleSource, configured_bundle, storage_root
from orchestrator.sdk.bundles.connection_credentials import credentials_from
from orchestrator.sdk.bundles.git_commands import Credentials
from orchestrator.sdk.bundles.git_repository import GitRepository


def folder_of_version(name: str, version: str) -> Path:
    """Return the folder; this process, and what is forked from it, keep it from being cleaned away.

    Raises ``ConfigurationError``, ``GitError``, ``OSError`` or ``ValueError`` with a text for people.
    """
    source = configured_bundle(name)
    if source.git is None:
        return source.path
    return GitRepository(name, source.git, storage_root()).checkout(version, _credentials(source))


def _credentials(source: BundleSource) -> Credentials:
    """A worker has no database: a connection that it needs is in its environment, ``AIRFLOW_CONN_<ID>``.

    Where DAG processor and worker share the storage folder, nothing is fetched and none is needed.
    """
    assert source.git is not None  # noqa: S101
    conn_id = source.git.git_conn_id
    text = os.environ.get(f"AIRFLOW_CONN_{conn_id.upper()}") if conn_id else None
    if text is None:
        return Credentials.of_url(source.git.repo_url)
    from orchestrator.sdk.definitions.connection import Connection

    found = (
        Connection.from_json(text, conn_id=conn_id)
        if text.lstrip().startswith("{")
        else Connection.from_uri(text, conn_id=conn_id)
    )
    extra = json.loads(found.extra) if found.extra else {}
    return credentials_from(source, found.host or "", found.login or "", found.password or "", extra)
