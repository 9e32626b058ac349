"""Decides what ``manage.py check`` says about the configuration."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Warning

from orchestrator.config import conf


def check_configuration(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """One warning for each name in the configuration that has no effect."""
    return [Warning(sentence, id="orchestrator.W001") for sentence in conf.warnings()]
