"""Decides what ``import airflow`` gives in a plain Python: our finder takes over, and this module gives way to its own."""

import importlib
import sys

from orchestrator.sdk import airflow_names

airflow_names.install()
del sys.modules["airflow"]
importlib.import_module("airflow")
