"""Decides which tables describe people and what they did."""

from accounts.models.audit import AuditLog
from accounts.models.user import User

__all__ = ["AuditLog", "User"]
