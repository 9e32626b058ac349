"""Decides how YAML is read and written for those who import ``airflow.utils.yaml``."""

from __future__ import annotations

from typing import Any


def safe_load(stream: Any) -> Any:
    """Return what a YAML text or file says, as plain values."""
    import yaml

    return yaml.safe_load(stream)


def dump(data: Any, *args: Any, **kwargs: Any) -> Any:
    """Return plain values as YAML text."""
    import yaml

    return yaml.safe_dump(data, *args, **kwargs)
