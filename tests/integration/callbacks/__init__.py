"""Callbacks, alerts and deadlines."""
