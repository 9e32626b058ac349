"""Decides which bundles the configuration names, and refuses what cannot work with a sentence that says why."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from orchestrator.config import PROJECT_ROOT, ConfigurationError, conf

LOCAL_KIND = "LocalDagBundle"
GIT_KIND = "GitDagBundle"
EXAMPLES_BUNDLE = "example_dags"
WHERE = "[dag_processor] dag_bundle_config_list"

_COMMON = frozenset({"refresh_interval", "view_url_template", "team_name"})
_KWARGS = {
    LOCAL_KIND: frozenset({"path"}) | _COMMON,
    GIT_KIND: frozenset({"tracking_ref", "subdir", "git_conn_id", "repo_url", "prune_dotgit_folder", "submodules"}) | _COMMON,
}
_NOT_HERE = {
    "S3DagBundle": "buckets of S3 are not read here; mount the bucket or sync it to a folder and use LocalDagBundle",
    "GCSDagBundle": "buckets of Google Cloud Storage are not read here; mount or sync it to a folder and use LocalDagBundle",
}


@dataclass(frozen=True, slots=True)
class GitSource:
    """Where a git bundle's commits come from. ``repo_url`` may hold a password: show ``shown_url`` instead."""

    repo_url: str = field(default="", repr=False)
    tracking_ref: str = "main"
    subdir: str = ""
    git_conn_id: str | None = None
    prune_dotgit_folder: bool = True
    submodules: bool = False

    @property
    def shown_url(self) -> str:
        """The address without user and password."""
        return without_secrets(self.repo_url)


@dataclass(frozen=True, slots=True)
class BundleSource:
    """A bundle as configured: its name, the folder it is read from, its kind, and for git where the commits come from."""

    name: str
    path: Path
    kind: str = LOCAL_KIND
    refresh_seconds: float = 300.0
    git: GitSource | None = None
    view_url_template: str | None = None

    def shown_kwargs(self) -> dict[str, Any]:
        """Return the arguments without secrets, for the bundle's row."""
        if self.git is None:
            return {"path": str(self.path)}
        names = ("tracking_ref", "subdir", "git_conn_id", "prune_dotgit_folder", "submodules")
        return {"repo_url": self.git.shown_url, **{name: getattr(self.git, name) for name in names}}


def configured_bundles() -> list[BundleSource]:
    """Return the bundles of ``[dag_processor] dag_bundle_config_list`` and, if asked for, the examples.

    Raises ``ConfigurationError`` naming an entry that is not understood.
    """
    bundles = [_bundle(entry) for entry in conf.get("dag_processor", "dag_bundle_config_list")]
    names = [bundle.name for bundle in bundles]
    for name in names:
        if names.count(name) > 1:
            raise ConfigurationError(f"{WHERE} names the bundle {name!r} twice; rename one.")
    examples = PROJECT_ROOT / "dags"
    if conf.get("core", "load_examples") and examples.is_dir() and all(examples != bundle.path for bundle in bundles):
        bundles.append(BundleSource(EXAMPLES_BUNDLE, examples))
    return bundles


def configured_bundle(name: str) -> BundleSource:
    """Return one bundle; raises ``ConfigurationError`` for a name that is not configured."""
    found = [bundle for bundle in configured_bundles() if bundle.name == name]
    if not found:
        raise ConfigurationError(f"There is no bundle {name!r} in {WHERE} on this machine; workers need the same list.")
    return found[0]


def storage_root() -> Path:
    """Return ``[dag_processor] dag_bundle_storage_path``, by default ``airflow/dag_bundles`` in the temporary folder."""
    chosen = conf.get("dag_processor", "dag_bundle_storage_path")
    return Path(chosen) if chosen else Path(tempfile.gettempdir(), "airflow", "dag_bundles")


def without_secrets(url: str) -> str:
    """Return a URL without its user and password; other texts stay."""
    parts = urlsplit(url)
    if not parts.scheme or "@" not in parts.netloc or parts.scheme == "ssh":
        return url
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _bundle(entry: Any) -> BundleSource:
    if not isinstance(entry, dict) or not isinstance(entry.get("name"), str) or not entry["name"]:
        raise ConfigurationError(f"{WHERE}: {entry!r} needs a `name`.")
    name, classpath, kwargs = entry["name"], str(entry.get("classpath", "")), entry.get("kwargs") or {}
    if "/" in name or name.startswith("."):
        raise ConfigurationError(f"{WHERE}: the name {name!r} cannot be a folder; use letters, digits, - and _.")
    kind = classpath.rpartition(".")[2]
    if kind not in _KWARGS:
        why = _NOT_HERE.get(kind, f"use {LOCAL_KIND} or {GIT_KIND}")
        raise ConfigurationError(f"{WHERE}: the class {classpath!r} of bundle {name!r} is not supported: {why}.")
    if unknown := sorted(set(kwargs) - _KWARGS[kind]):
        known = ", ".join(sorted(_KWARGS[kind]))
        raise ConfigurationError(f"{WHERE}: {kind} of bundle {name!r} has no argument {unknown[0]!r}; it takes {known}.")
    common: dict[str, Any] = {
        "refresh_seconds": _refresh_seconds(name, kwargs),
        "view_url_template": kwargs.get("view_url_template"),
    }
    if kind == LOCAL_KIND:
        path = Path(kwargs.get("path") or conf.get("core", "dags_folder")).expanduser().absolute()
        return BundleSource(name, path, **common)
    git = _git(name, kwargs)
    path = storage_root() / name / "tracking_repo" / git.subdir
    return BundleSource(name, path, GIT_KIND, git=git, **common)


def _git(name: str, kwargs: dict[str, Any]) -> GitSource:
    git = GitSource(
        repo_url=str(kwargs.get("repo_url") or ""),
        tracking_ref=str(kwargs.get("tracking_ref") or "main"),
        subdir=str(kwargs.get("subdir") or "").strip("/"),
        git_conn_id=kwargs.get("git_conn_id"),
        prune_dotgit_folder=bool(kwargs.get("prune_dotgit_folder", True)),
        submodules=bool(kwargs.get("submodules", False)),
    )
    if not git.repo_url and not git.git_conn_id:
        raise ConfigurationError(f"{WHERE}: GitDagBundle of bundle {name!r} needs `repo_url`, or `git_conn_id` of a connection.")
    if ".." in git.subdir.split("/"):
        raise ConfigurationError(f"{WHERE}: subdir {git.subdir!r} of bundle {name!r} leads out of the repository.")
    if git.tracking_ref.startswith("-") or git.repo_url.startswith("-"):
        raise ConfigurationError(f"{WHERE}: repo_url and tracking_ref of bundle {name!r} must not begin with a dash.")
    return git


def _refresh_seconds(name: str, kwargs: dict[str, Any]) -> float:
    given = kwargs.get("refresh_interval", conf.get("dag_processor", "refresh_interval"))
    if isinstance(given, bool) or not isinstance(given, int | float) or given < 0:
        raise ConfigurationError(f"{WHERE}: refresh_interval of bundle {name!r} is {given!r}; it must be a number of seconds.")
    return float(given)
