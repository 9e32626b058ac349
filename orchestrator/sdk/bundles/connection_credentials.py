"""Decides how a connection of type git is read: host is the repository, login and password open it, the extra has keys."""

from __future__ import annotations

import dataclasses
import os
from typing import Any

from orchestrator.sdk.bundles.configured import BundleSource, storage_root
from orchestrator.sdk.bundles.git_commands import Credentials


def credentials_from(source: BundleSource, host: str, login: str, password: str, extra: dict[str, Any]) -> Credentials:
    """Return what git needs.

    :param extra: ``key_file`` or ``private_key``, ``known_hosts_file``, ``strict_host_key_checking``.

    Raises ``ValueError`` where neither bundle nor connection names a repository, or both kinds of key are given.
    """
    url = (source.git.repo_url if source.git else "") or host
    if not url:
        raise ValueError(f"bundle {source.name!r} names no repo_url, and its connection has no host")
    if extra.get("key_file") and extra.get("private_key"):
        raise ValueError(f"the connection of bundle {source.name!r} has both key_file and private_key; give one")
    key_file = str(extra.get("key_file") or "")
    if extra.get("private_key"):
        key_file = _written(source.name, str(extra["private_key"]))
    base = Credentials.of_url(url)
    return dataclasses.replace(
        base,
        login=login or base.login,
        password=password or base.password,
        key_file=key_file,
        known_hosts_file=str(extra.get("known_hosts_file") or ""),
        strict_host_key_checking=str(extra.get("strict_host_key_checking", "no")).lower() in ("yes", "true", "1"),
    )


def _written(name: str, key: str) -> str:
    """Write a private key where ssh reads it: a file that nobody else may open."""
    folder = storage_root() / name
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "key"
    new = folder / f".unfinished-key-{os.getpid()}"
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(key if key.endswith("\n") else key + "\n")
    os.replace(new, path)
    return str(path)
