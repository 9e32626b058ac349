"""Decides which tables describe people and what they did."""

from accounts.models.audit import AuditLog
from accounts.models.dag_rule import DagRule
from accounts.models.login_failure import LoginFailure
from accounts.models.saved_view import SavedView
from accounts.models.token import ApiToken
from accounts.models.user import User

__all__ = ["ApiToken", "AuditLog", "DagRule", "LoginFailure", "SavedView", "User"]
