"""Decides which places DAG files come from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator.config import PROJECT_ROOT, ConfigurationError, conf

LOCAL_KIND = "LocalDagBundle"
EXAMPLES_BUNDLE = "example_dags"


@dataclass(frozen=True, slots=True)
class BundleSource:
    """A bundle as configured: its name, the folder it is read from and its kind."""

    name: str
    path: Path
    kind: str = LOCAL_KIND


def configured_bundles() -> list[BundleSource]:
    """Return the bundles of ``[dag_processor] dag_bundle_config_list`` and, if asked for, the examples.

    Raises ``ConfigurationError`` naming an entry that is not understood.
    """
    bundles = [_bundle(entry) for entry in conf.get("dag_processor", "dag_bundle_config_list")]
    names = [bundle.name for bundle in bundles]
    for name in names:
        if names.count(name) > 1:
            raise ConfigurationError(f"[dag_processor] dag_bundle_config_list names the bundle {name!r} twice; rename one.")
    examples = PROJECT_ROOT / "dags"
    if conf.get("core", "load_examples") and examples.is_dir() and all(examples != bundle.path for bundle in bundles):
        bundles.append(BundleSource(EXAMPLES_BUNDLE, examples))
    return bundles


def _bundle(entry: Any) -> BundleSource:
    where = "[dag_processor] dag_bundle_config_list"
    if not isinstance(entry, dict) or not isinstance(entry.get("name"), str) or not entry["name"]:
        raise ConfigurationError(f"{where}: {entry!r} needs a `name`.")
    name, classpath, kwargs = entry["name"], str(entry.get("classpath", "")), entry.get("kwargs") or {}
    if classpath.rpartition(".")[2] != LOCAL_KIND:
        raise ConfigurationError(f"{where}: the class {classpath!r} of bundle {name!r} is not supported; use {LOCAL_KIND}.")
    path = Path(kwargs.get("path") or conf.get("core", "dags_folder")).expanduser().absolute()
    return BundleSource(name, path)
