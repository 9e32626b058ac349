"""Decides how the DAG processor is started from the command line."""

from __future__ import annotations

import logging
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from orchestrator.config import ConfigurationError
from orchestrator.management.command import AirflowCommand
from orchestrator.management.daemon import add_daemon, begin


class Command(AirflowCommand):
    """Watch the bundles and store what their DAG files define."""

    help = "Watch the DAG files and store what they define."
    is_service = True

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Airflow's options."""
        parser.add_argument("-B", "--bundle-name", action="append", default=[], help="Parse only this bundle; may be repeated.")
        parser.add_argument(
            "-n", "--num-runs", type=int, default=-1, metavar="N", help="Parse all files that changed N times, then exit."
        )
        add_daemon(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until stopped, or N passes."""
        # Not at the top: `manage.py help` must not need a database.
        from dags_app.processor.service import DagProcessorService, build_processor, run_passes

        begin("dag-processor", options)
        if not logging.getLogger().handlers:
            logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
        try:
            if options["num_runs"] > 0:
                processor = build_processor(options["bundle_name"])
                try:
                    run_passes(processor, options["num_runs"])
                finally:
                    processor.client.close()
            else:
                DagProcessorService(options["bundle_name"]).run()
        except ConfigurationError as error:
            raise CommandError(str(error)) from error
