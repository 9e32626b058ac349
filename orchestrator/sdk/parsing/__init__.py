"""Decides how a DAG file is imported and described in a short-lived process that holds no secrets."""
