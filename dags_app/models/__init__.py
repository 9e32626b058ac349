"""Decides which tables describe what may run."""

from dags_app.models.bundle import Bundle
from dags_app.models.dag import Dag, DagOwnerLink, DagTag
from dags_app.models.parsing import ParsedFile, ParseImportError
from dags_app.models.version import DagCode, DagVersion

__all__ = ["Bundle", "Dag", "DagCode", "DagOwnerLink", "DagTag", "DagVersion", "ParseImportError", "ParsedFile"]
