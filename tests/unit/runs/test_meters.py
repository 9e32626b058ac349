"""Meters: counts become parts without gaps, and one template draws them on all pages."""

from runs.pages.meters import parts_of
from tests.oracle import REPOSITORY


def test_parts_stand_side_by_side_and_what_counts_nothing_has_none() -> None:
    parts = parts_of((("ok", "done", 1), ("failed", "failed", 0), ("running", "running", 2)), 4)
    assert [(part.family, part.at, part.width, str(part)) for part in parts] == [
        ("ok", 0.0, 25.0, "1 done"),
        ("running", 25.0, 50.0, "2 running"),
    ]


def test_nothing_has_no_part_and_large_numbers_are_readable() -> None:
    assert parts_of((("ok", "done", 0),), 0) == []
    assert str(parts_of((("ok", "done", 12_000),), 12_000)[0]) == "12,000 done"


def test_one_template_draws_every_meter() -> None:
    drawn = [path.name for path in (REPOSITORY / "templates").rglob("*.html") if 'class="meter"' in path.read_text()]
    others = [path.name for path in (REPOSITORY / "templates").rglob("*.html") if "<meter" in path.read_text()]
    assert (drawn, others) == (["_meter.html"], [])
