"""Decides the command ``manage.py check_dags``: is a folder of DAG files fit to be deployed; exit code 1 where it is not."""

import json
from typing import Any

from django.core.management.base import CommandError, CommandParser

from orchestrator.dag_check.check import KINDS, check
from orchestrator.dag_check.known import known
from orchestrator.management.command import AirflowCommand
from orchestrator.sdk.bundles.configured import configured_bundles


class Command(AirflowCommand):
    """For CI: import errors, cycles, duplicate ids, unknown pools/queues/connections, top-level I/O, unstable versions."""

    help = "Check DAG files: exit code 1 where something is wrong."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("paths", nargs="*", help="folders or files; the configured bundles if none is given")
        parser.add_argument("-o", "--output", choices=("text", "json", "github"), default="text", help="form of the findings")
        parser.add_argument("--ignore", action="append", default=[], choices=KINDS, help="a kind of finding to leave out")
        parser.add_argument("--pools", default="", help="pools that exist besides, separated by commas")
        parser.add_argument("--queues", default="", help="queues that workers serve; without it queues are not checked")
        parser.add_argument("--connections", default="", help="connections that exist besides")
        parser.add_argument("--offline", action="store_true", help="do not ask the database what exists")

    def handle(self, *args: Any, **options: Any) -> None:
        named = {name: [item for item in options[name].split(",") if item] for name in ("pools", "queues", "connections")}
        there = known(**named, offline=options["offline"])
        paths = options["paths"] or [str(bundle.path) for bundle in configured_bundles()]
        findings, numbers = [], {"files": 0, "dags": 0}
        for path in paths:
            try:
                found, looked = check(path, there)
            except FileNotFoundError as error:
                raise CommandError(str(error)) from None
            findings += [finding for finding in found if finding.kind not in options["ignore"]]
            numbers = {name: numbers[name] + looked[name] for name in numbers}
        self._show(findings, numbers, options["output"])
        if findings:
            raise SystemExit(1)

    def _show(self, findings: list[Any], numbers: dict[str, int], output: str) -> None:
        if output == "json":
            self.stdout.write(json.dumps({**numbers, "findings": [finding.as_dict() for finding in findings]}, indent=2))
            return
        for finding in findings:
            if output == "github":
                text = finding.message.replace("\n", "%0A")
                self.stdout.write(f"::error file={finding.file},line={max(finding.line, 1)},title={finding.kind}::{text}")
            else:
                place = f"{finding.file}:{finding.line}" if finding.line else finding.file
                dag = f" [{finding.dag_id}]" if finding.dag_id else ""
                self.stdout.write(f"{place}: {finding.kind}{dag}: {finding.message}")
        if output == "text":
            self.stdout.write(f"{numbers['files']} files, {numbers['dags']} DAGs, {len(findings)} findings")
