"""Decides which options matter to a DAG processor; read once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dags_app.processor.plugin_reports import example_plugins_folder
from orchestrator.config import conf


@dataclass(slots=True)
class Settings:
    """The options that matter here, read once."""

    syntax: str
    safe_mode: bool
    timeout_seconds: float
    traceback_depth: int
    log_folder: Path
    sys_path: list[str]
    processes: int
    stale_after_seconds: float
    plugins_folder: str = ""
    examples_folder: str = ""
    config_folder: str = ""
    versioned: bool = True

    @classmethod
    def from_configuration(cls) -> Settings:
        """Read the configuration."""
        depth = ("core", "dagbag_import_error_traceback_depth")
        return cls(
            syntax=conf.get("core", "dag_ignore_file_syntax"),
            safe_mode=conf.get("core", "dag_discovery_safe_mode"),
            timeout_seconds=conf.get("core", "dagbag_import_timeout"),
            traceback_depth=conf.get(*depth) if conf.is_set(*depth) else 0,
            log_folder=Path(conf.get("logging", "dag_processor_child_process_log_directory")),
            sys_path=[str(conf.home / "config"), str(conf.get("core", "plugins_folder"))],
            processes=conf.get("dag_processor", "parsing_processes"),
            stale_after_seconds=conf.get("dag_processor", "stale_after_seconds"),
            plugins_folder=str(conf.get("core", "plugins_folder")),
            examples_folder=example_plugins_folder(),
            config_folder=str(conf.home / "config"),
            versioned=not conf.get("dag_processor", "disable_bundle_versioning"),
        )
