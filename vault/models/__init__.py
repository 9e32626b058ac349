"""Decides which tables keep connections and variables."""

from vault.models.connection import Connection
from vault.models.connection_test import ConnectionTest
from vault.models.variable import Variable

__all__ = ["Connection", "ConnectionTest", "Variable"]
