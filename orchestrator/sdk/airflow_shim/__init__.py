"""Holds the package that a plain Python finds as ``airflow`` where this folder is on its path (see ``sdk.testing.link``)."""
