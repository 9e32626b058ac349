"""Decides which files together declare all options, in the order in which ``airflow.cfg`` shows them."""
