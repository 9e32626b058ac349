"""Runs tasks and DAGs in this process, without any database or service: for tests and for a look while writing."""
