"""Decides how metrics go to a StatsD server: many in one datagram, without waiting for anybody."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from orchestrator.kernel.telemetry import Series
from orchestrator.metrics.names import Chosen, Tags, legacy, safe

log = logging.getLogger(__name__)

# A datagram that fits an Ethernet frame is not cut into pieces on its way.
DATAGRAM_BYTES = 1400


@dataclass(frozen=True, slots=True)
class Form:
    """How lines look: prefix of all names, and ``none``, ``datadog`` or ``influxdb`` tags with fixed and left out ones."""

    prefix: str = "airflow"
    tags: str = "none"
    fixed: Tags = ()
    without: frozenset[str] = frozenset()

    def line(self, name: str, value: str, kind: str, tags: Tags) -> str:
        """Return one line of the protocol."""
        full = f"{self.prefix}.{name}" if self.prefix else name
        shown = [(key, safe(text)) for key, text in (*tags, *self.fixed) if key not in self.without]
        if self.tags == "datadog" and shown:
            return f"{full}:{value}|{kind}|#" + ",".join(f"{key}:{text}" for key, text in shown)
        if self.tags == "influxdb" and shown:
            full += "".join(f",{key}={text}" for key, text in shown)
        return f"{full}:{value}|{kind}"


class StatsdSink:
    """Sends increments, gauges and times; an unreachable server costs nothing but its metrics."""

    def __init__(
        self, host: str, port: int, form: Form, names: Chosen, *, ipv6: bool = False, with_older_names: bool = True
    ) -> None:
        self.form, self.names, self.with_older_names = form, names, with_older_names
        self._family = socket.AF_INET6 if ipv6 else socket.AF_INET
        self._address = (host, port)
        self._socket: socket.socket | None = None
        self._is_silent = False

    def send(
        self, counters: Mapping[Series, int], gauges: Mapping[Series, float], samples: Sequence[tuple[Series, float]]
    ) -> None:
        """Send what came together since the last time: counters as increments, samples in seconds."""
        lines = [line for series, value in counters.items() for line in self._lines(series, str(value), "c")]
        lines += [line for series, value in gauges.items() for line in self._lines(series, f"{value:g}", "g")]
        lines += [line for series, value in samples for line in self._lines(series, f"{value * 1000:.3f}", "ms")]
        try:
            self._send(lines)
        except OSError as error:
            if not self._is_silent:
                log.warning("metrics cannot be sent to %s:%d (%s); they are dropped until they can", *self._address, error)
            self._is_silent = True

    def close(self) -> None:
        """Give the socket back."""
        if self._socket is not None:
            self._socket.close()

    def _lines(self, series: Series, value: str, kind: str) -> Iterator[str]:
        name, tags = series
        if name in self.names:
            yield self.form.line(name, value, kind, tags)
        older = legacy(name, tags) if self.with_older_names else None
        if older is not None and older[0] in self.names:
            yield self.form.line(older[0], value, kind, older[1])

    def _send(self, lines: Sequence[str]) -> None:
        if self._socket is None:
            place = socket.getaddrinfo(*self._address, self._family, socket.SOCK_DGRAM)[0][4]
            self._socket = socket.socket(self._family, socket.SOCK_DGRAM)
            self._socket.setblocking(False)
            self._socket.connect(place)
        for datagram in datagrams(lines):
            self._socket.send(datagram)
        self._is_silent = False


def datagrams(lines: Sequence[str]) -> Iterator[bytes]:
    """Join lines into datagrams of at most ``DATAGRAM_BYTES``; a longer line goes alone."""
    together: list[bytes] = []
    size = 0
    for line in lines:
        encoded = line.encode()
        if together and size + len(encoded) + 1 > DATAGRAM_BYTES:
            yield b"\n".join(together)
            together, size = [], 0
        together.append(encoded)
        size += len(encoded) + 1
    if together:
        yield b"\n".join(together)
