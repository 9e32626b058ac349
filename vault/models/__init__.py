"""Decides which tables keep connections and variables."""

from vault.models.connection import Connection
from vault.models.variable import Variable

__all__ = ["Connection", "Variable"]
