"""Decides which of several descriptors can be read now."""

import select
from collections.abc import Sequence
from typing import Protocol, runtime_checkable


@runtime_checkable
class Selectable(Protocol):
    """What ``select`` takes besides a number."""

    def fileno(self) -> int: ...


Descriptor = int | Selectable


def readable(timeout: float, descriptors: Sequence[Descriptor]) -> list[Descriptor]:
    """The descriptors that can be read within ``timeout`` seconds; poll, as ``select`` fails above descriptor 1023."""
    poller = select.poll()
    by_number = {d if isinstance(d, int) else d.fileno(): d for d in descriptors}
    for number in by_number:
        poller.register(number, select.POLLIN | select.POLLHUP | select.POLLERR)
    return [by_number[number] for number, _ in poller.poll(max(0.0, timeout) * 1000)]
