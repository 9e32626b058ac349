"""Decides what opens a git bundle's repository: what stands in its URL, or a connection; never shown, never logged."""

from __future__ import annotations

import json

from orchestrator.sdk.bundles.configured import BundleSource
from orchestrator.sdk.bundles.connection_credentials import credentials_from
from orchestrator.sdk.bundles.git_commands import Credentials
from vault.selectors import connection_find


def credentials_of(source: BundleSource) -> Credentials:
    """Return the credentials of a git bundle.

    Raises ``LookupError`` where there is no such connection, ``ValueError`` for one that names no repository or cannot be read.
    """
    assert source.git is not None  # noqa: S101
    conn_id = source.git.git_conn_id
    if not conn_id:
        return Credentials.of_url(source.git.repo_url)
    found = connection_find(conn_id)
    if found is None:
        raise LookupError(f"there is no connection {conn_id!r} (git_conn_id of bundle {source.name!r})")
    try:
        extra = json.loads(found.extra) if found.extra else {}
    except ValueError:
        raise ValueError(f"the extra of connection {conn_id!r} is no JSON") from None
    return credentials_from(source, found.host or "", found.login or "", found.password or "", extra)
