"""Decides which Airflow this platform says it is compatible with."""

__version__ = "3.3.2"
STANDARD_VERSION = "1.21.0"
