"""Decides the command ``manage.py plugins``: the plugins as the DAG processor loaded them last."""

from typing import Any

from django.core.management.base import CommandParser

from dags_app.api.plugins import LISTS
from dags_app.models import Plugin
from orchestrator.management.command import AirflowCommand
from orchestrator.management.local_arguments import add_output
from orchestrator.sdk.testing.table import render


class Command(AirflowCommand):
    """No plugin is imported here: a plugin is user code."""

    help = "List plugins and what they bring."

    def add_arguments(self, parser: CommandParser) -> None:
        add_output(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        rows = [
            {
                "name": row.name,
                "source": row.source,
                **{name: row.content.get(name) or [] for name in (*LISTS, "priority_weight_strategies")},
            }
            for row in Plugin.objects.filter(error="").order_by("name", "pk")
        ]
        if not rows and options["output"] in ("table", "plain"):
            self.stdout.write("No plugins loaded")
        else:
            columns = list(dict.fromkeys(name for row in rows for name in row))
            self.stdout.write(render([{name: row.get(name) for name in columns} for row in rows], options["output"]))
        for row in Plugin.objects.exclude(error="").order_by("pk"):
            self.stderr.write(f"{row.source} could not be loaded: {row.error}")
