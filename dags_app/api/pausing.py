"""Decides how the doors switch DAGs on and off."""

from dags_app.pausing import ON_UNPAUSE, dag_pause

__all__ = ["ON_UNPAUSE", "dag_pause"]
