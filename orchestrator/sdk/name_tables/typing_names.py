"""Decides the names for annotations that ``airflow.typing_compat`` gives."""

from typing import Literal, ParamSpec, Self, TypeAlias, TypeGuard, Unpack, assert_never

__all__ = ["Literal", "ParamSpec", "Self", "TypeAlias", "TypeGuard", "Unpack", "assert_never"]
