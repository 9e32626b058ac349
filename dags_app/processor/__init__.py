"""Decides how DAG files become stored versions: watch, parse in a child, store, mark what is gone."""
