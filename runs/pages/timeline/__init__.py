"""Decides what the timeline of all DAGs shows."""
