"""Rendering of template fields with Jinja; nothing is imported here, so that defining DAGs stays cheap."""
