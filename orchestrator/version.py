"""Decides the version of the product and the Airflow version whose interfaces it speaks."""

VERSION = "0.1.0"
AIRFLOW_VERSION = "3.3.2"
