"""Decides which settings of the Execution API contradict each other."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error

from orchestrator.config import conf


def check_token_outlives_lease(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Refuse a token that ends before the lease that it renews (requirement C05-c)."""
    life = conf.get("execution_api", "jwt_expiration_time")
    lease = conf.get("workers", "lease_seconds")
    if life >= lease:
        return []
    return [
        Error(
            f"[execution_api] jwt_expiration_time = {life} s is shorter than [workers] lease_seconds = {lease:g} s: "
            "a task would lose its token before its lease.",
            hint="Raise [execution_api] jwt_expiration_time or lower [workers] lease_seconds.",
            id="executionapi.E001",
        )
    ]
