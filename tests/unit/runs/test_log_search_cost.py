"""A search reads each byte of a long line a bounded number of times, however often the line has what is looked for (I7)."""

import pytest

from runs.log_search import _lines, spots_of


class CountedBytes(bytes):
    """Bytes that count how many of them their searches went through."""

    went_through = 0

    def find(self, wanted: bytes, start: int = 0, end: int | None = None) -> int:
        end = len(self) if end is None else end
        place = super().find(wanted, start, end)
        self.went_through += (end if place < 0 else place) - start
        return place

    def rfind(self, wanted: bytes, start: int = 0, end: int | None = None) -> int:
        end = len(self) if end is None else end
        place = super().rfind(wanted, start, end)
        self.went_through += end - max(start, place)
        return place


@pytest.mark.parametrize("letters", [1_000, 8_000])
def test_i7_a_line_that_is_full_of_what_is_looked_for_is_gone_through_once_and_found_once(letters: int) -> None:
    data = CountedBytes(b'{"event": "before"}\n{"event": "' + b"e" * letters + b'"}\n\n{"event": "after"}')
    assert [line.position for line in _lines(data, 7, spots_of("e"))] == [7, 27, 27 + letters + 15]
    assert 0 < data.went_through <= 3 * len(data)
