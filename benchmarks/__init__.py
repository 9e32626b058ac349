"""Decides how fast the platform is, and how that compares with Airflow on the same machine; `python -m benchmarks`."""
