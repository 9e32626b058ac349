"""Decides how an ordered rotation of keys is carried out: a batch a round, so that nothing else waits for it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from django.db import DatabaseError

from orchestrator.kernel.service import Result
from runs.housekeeping import LOOK_SECONDS, ROTATE_KEYS, begun, ended, order_taken

if TYPE_CHECKING:
    from vault.rotation import Rotated

log = logging.getLogger(__name__)

PAUSE_SECONDS = 0.05


class RotateKeys:
    """Looks for an order; one that a crash cut off is ordered again, and goes on where it stopped."""

    name = "rotate_keys"
    periodic = True

    def __init__(self) -> None:
        self._steps: Iterator[int] | None = None
        self._done: Rotated | None = None

    def run_once(self, limit: int) -> Result:
        """Encrypt one batch anew, or look for an order."""
        if self._steps is None:
            if not order_taken(ROTATE_KEYS):
                return Result(next_in=LOOK_SECONDS)
            self._begin()
        assert self._steps is not None  # noqa: S101
        try:
            number = next(self._steps, None)
        except Exception as error:
            self._steps = None
            with suppress(DatabaseError):  # it may be the reason
                ended(ROTATE_KEYS, f"{type(error).__name__}: {error}", has_failed=True)
            raise
        if number is None:
            self._end()
            return Result(next_in=LOOK_SECONDS)
        return Result(done=number, next_in=PAUSE_SECONDS)

    def _begin(self) -> None:
        from vault.rotation import Rotated, rotation  # memory that nobody pays who rotates nothing

        begun(ROTATE_KEYS)
        self._done = Rotated()
        self._steps = rotation(self._done)

    def _end(self) -> None:
        self._steps = None
        assert self._done is not None  # noqa: S101
        told = f"{self._done.by_key.total()} values encrypted anew, {len(self._done.unreadable)} that no key opens."
        ended(ROTATE_KEYS, told, has_failed=bool(self._done.unreadable))
        log.info("rotation of keys: %s", told)
