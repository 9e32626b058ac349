"""Decides the command ``providers``: which providers are here, and what each brings."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from django.core.management.base import CommandError

from orchestrator.management.command import Action, AirflowCommand, Options
from orchestrator.management.local_arguments import add_color, add_output

Row = dict[str, Any]

_STANDARD = "airflow.providers.standard"
# What of Airflow's standard and smtp providers is part of this platform; their connections are among the known types.
OURS: dict[str, Row] = {
    "apache-airflow-providers-standard": {
        "name": "Standard",
        "triggers": [
            {
                "integration-name": "Standard",
                "python-modules": [f"{_STANDARD}.triggers.{name}" for name in ("temporal", "file", "external_task", "hitl")],
            }
        ],
        "extra-links": [
            f"{_STANDARD}.operators.trigger_dagrun.TriggerDagRunLink",
            f"{_STANDARD}.sensors.external_task.ExternalDagLink",
        ],
    },
    "apache-airflow-providers-smtp": {
        "name": "Simple Mail Transfer Protocol (SMTP)",
        "notifications": ["airflow.providers.smtp.notifications.smtp.SmtpNotifier"],
    },
}
# The argument of a hook that names the connection, where a hook of ours has it; others would have to be imported to be asked.
CONN_ID_ARGUMENTS = {"fs": "fs_conn_id", "package_index": "pi_conn_id"}


def _infos() -> dict[str, Row]:
    from orchestrator.provider_documents import provider_documents

    return provider_documents() | OURS


def _connection_types() -> Iterator[Any]:
    """The types of packages that are here; of many others it is known what their connections look like."""
    from dags_app.providers import installed_providers
    from vault.connection_types import known_types

    here = {str(row["package_name"]) for row in installed_providers()} | {"apache-airflow", *_infos()}
    return (kind for kind in known_types().values() if kind.package in here)


def _hooks() -> Iterator[Row]:
    for kind in _connection_types():
        yield {
            "connection_type": kind.conn_type,
            "class": kind.hook_class,
            "conn_id_attribute_name": CONN_ID_ARGUMENTS.get(kind.conn_type),
            "package_name": None if kind.package == "apache-airflow" else kind.package,
            "hook_name": kind.title,
        }


def _widgets() -> Iterator[Row]:
    for kind in _connection_types():
        for field, content in kind.fields.items():
            yield {
                "connection_parameter_name": f"extra__{kind.conn_type}__{field}",
                "class": kind.hook_class,
                "package_name": kind.package,
                "field_type": content.get("schema", {}).get("type", "unknown"),
            }


def _behaviours() -> Iterator[Row]:
    return ({"field_behaviours": kind.conn_type} for kind in _connection_types() if kind.is_customized)


def _triggers() -> Iterator[Row]:
    for package, info in _infos().items():
        for item in info.get("triggers") or ():
            for module in item["python-modules"]:
                yield {"package_name": package, "class": module, "integration_name": item["integration-name"]}


def _configs() -> Iterator[Row]:
    for package, info in _infos().items():
        if info.get("config"):
            yield {"provider_config": [package, info["config"]]}


def _names(key: str, column: str) -> Iterator[Row]:
    for info in _infos().values():
        for name in info.get(key) or ():
            yield {column: name}


# Airflow's action: what it lists, and how.
PARTS: dict[str, tuple[str, Callable[[], Iterator[Row]]]] = {
    "hooks": ("types of connections and their hooks", _hooks),
    "triggers": ("modules of triggers", _triggers),
    "behaviours": ("types of connections with a form of their own", _behaviours),
    "widgets": ("fields of the forms of connections", _widgets),
    "configs": ("configuration of providers", _configs),
    "links": ("extra links of operators", partial(_names, "extra-links", "extra_link_class_name")),
    "notifications": ("notifiers", partial(_names, "notifications", "notification_class_name")),
    "logging": ("handlers of task logs", partial(_names, "logging", "logging_class_name")),
    "secrets": ("secrets backends", partial(_names, "secrets-backends", "secrets_backend_class_name")),
    "auth-managers": ("auth managers; this platform has its own users", partial(_names, "auth-managers", "auth_managers_module")),
    "executors": ("executors", partial(_names, "executors", "executor_class_names")),
    "queues": ("message queues", partial(_names, "queues", "queue_class_names")),
}


def _show_part(rows: Callable[[], Iterator[Row]], command: AirflowCommand, options: Options) -> None:
    command.show(list(rows()), options)


def _list(command: AirflowCommand, options: Options) -> None:
    from dags_app.providers import installed_providers

    names = ("package_name", "description", "version")
    command.show([{name: row[name] for name in names} for row in installed_providers()], options)


def _get_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("provider_name", help="such as apache-airflow-providers-standard")
    parser.add_argument("-f", "--full", action="store_true", help="with all that the provider says of itself")
    add_color(parser)
    add_output(parser)


def _get(command: AirflowCommand, options: Options) -> None:
    from dags_app.providers import installed_providers

    found = {str(row["package_name"]): row for row in installed_providers()}
    row = found.get(options["provider_name"])
    if row is None:
        raise CommandError(f"No such provider installed: {options['provider_name']}. There are {', '.join(found)}.")
    if options["full"]:
        command.show([{**row, **_infos().get(options["provider_name"], {})}], options)
    else:
        command.show([{"Provider": row["package_name"], "Version": row["version"]}], options)


class Command(AirflowCommand):
    """With Airflow's actions and columns; no code of a provider is imported, but the module that describes it."""

    help = "List providers and what they bring."
    parts = tuple(Action(name, text, partial(_show_part, rows), add_output) for name, (text, rows) in PARTS.items())
    actions = (Action("list", "all providers", _list, add_output), Action("get", "one provider", _get, _get_arguments), *parts)
