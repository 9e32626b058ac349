"""Decides which tables describe what may run."""

from dags_app.models.asset import Asset, AssetAlias, AssetReference, AssetWatcher
from dags_app.models.bundle import Bundle
from dags_app.models.dag import Dag, DagOwnerLink, DagTag
from dags_app.models.favorite import DagFavorite
from dags_app.models.link import DagLink
from dags_app.models.parsing import DagWarning, ParsedFile, ParseImportError
from dags_app.models.plugin import Plugin
from dags_app.models.version import DagCode, DagVersion

__all__ = [
    "Asset",
    "AssetAlias",
    "AssetReference",
    "AssetWatcher",
    "Bundle",
    "Dag",
    "DagCode",
    "DagFavorite",
    "DagLink",
    "DagOwnerLink",
    "DagTag",
    "DagVersion",
    "DagWarning",
    "ParseImportError",
    "ParsedFile",
    "Plugin",
]
