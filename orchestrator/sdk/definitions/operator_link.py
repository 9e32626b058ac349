"""Decides what a link of an operator to another system is."""

from __future__ import annotations

from typing import Any, ClassVar


class BaseOperatorLink:
    """Base of links: a subclass gives ``name`` and ``get_link``."""

    operators: ClassVar[list[Any]] = []
    name: str = ""

    @property
    def xcom_key(self) -> str:
        """Return the XCom key under which the address is stored."""
        return f"_link_{type(self).__name__}"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        """Return the address for one task instance."""
        raise NotImplementedError(f"{type(self).__name__} must define get_link()")
