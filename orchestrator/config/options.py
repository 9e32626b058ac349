"""Decides the list of all options by joining the section files."""

from dataclasses import replace

from orchestrator.config.airflow2 import older_names
from orchestrator.config.option import ConfigurationError, Option
from orchestrator.config.sections import api, core, reporting, scheduling, storage, stores, working

# The order is the order of airflow.cfg.
SECTION_NOTES = {
    "core": "What runs, how much of it at once, and defaults of DAGs and tasks.",
    "database": "The metadata database.",
    "api": "The API server: pages, REST API and Execution API.",
    "api_auth": "Tokens of the REST API.",
    "execution_api": "Tokens of workers.",
    "scheduler": "Makes runs and hands tasks to executors.",
    "workers": "Supervisors and the processes they start.",
    "dag_processor": "Reads DAG files.",
    "triggerer": "Runs the waits of deferred tasks.",
    "logging": "Log files and levels.",
    "celery": "The Celery executor.",
    "kubernetes_executor": "The Kubernetes executor.",
    "secrets": "Where connections, variables and configuration may also come from.",
    "metrics": "Counters and timers sent to other systems.",
    "traces": "Traces sent to other systems.",
    "retention": "How long history is kept.",
    "operators": "Defaults of operators.",
    "sensors": "Defaults of sensors.",
    "common.io": "The XCom backend XComObjectStorageBackend.",
    "state_store": "Values that tasks keep between attempts and beside assets.",
    "callbacks": "Callbacks of DAGs and tasks.",
    "email": "Mails about tasks.",
    "smtp": "The mail server.",
    "sentry": "Error reports.",
    "connection_test": "Tests of connections.",
}

_FILES = (core, storage, api, scheduling, working, reporting, stores)


def _index() -> dict[tuple[str, str], Option]:
    options: dict[tuple[str, str], Option] = {}
    for option in (option for module in _FILES for option in module.OPTIONS):
        if (option.section, option.key) in options:
            raise ConfigurationError(f"{option.name} is declared twice.")
        older = (*option.deprecated_names, *older_names(option.section, option.key))
        options[option.section, option.key] = replace(option, deprecated_names=older)
    order = list(SECTION_NOTES)
    return dict(sorted(options.items(), key=lambda item: order.index(item[0][0])))


OPTIONS: dict[tuple[str, str], Option] = _index()
