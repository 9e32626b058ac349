"""Decides what the rest of the program sees of the configuration: the one object ``conf``."""

from orchestrator.config.configuration import PROJECT_ROOT, Configuration
from orchestrator.config.option import ConfigurationError

__all__ = ["PROJECT_ROOT", "Configuration", "ConfigurationError", "conf"]

conf = Configuration()
