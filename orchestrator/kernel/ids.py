"""Decides the ids of rows: uuid7, which sorts by time of creation."""

import uuid

from uuid6 import uuid7


def new_id() -> uuid.UUID:
    """A new id, a plain ``uuid.UUID``."""
    return uuid.UUID(int=uuid7().int)
