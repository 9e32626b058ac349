"""What the templates of a marker say for a run, and that nothing else in them is carried out."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from runs.marker_templates import MarkerTemplateError, rendered, rendered_instant, run_names

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
RUN = SimpleNamespace(logical_date=NOON, run_id="r", data_interval_start=NOON, data_interval_end=None)


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{{ logical_date.isoformat() }}", NOON),
        ("{{ ts }}", NOON),
        ("{{ ds }}", NOON.replace(hour=0)),
        ("{{ logical_date | ts }}", NOON),
        ("{{ logical_date.strftime('%Y-%m-%dT06:00:00Z') }}", NOON.replace(hour=6)),
        ("{{ (logical_date - macros.timedelta(hours=2)).isoformat() }}", NOON.replace(hour=10)),
        ("{{ logical_date.add(days=1).isoformat() }}", NOON.replace(day=6)),
        ("{{ logical_date.subtract(days=-1).isoformat() }}", NOON.replace(day=6)),
        ("{{ data_interval_start + macros.timedelta(1) }}", NOON.replace(day=6)),
        ("2026-01-05T12:00:00", NOON),
    ],
)
def test_a_template_that_names_a_date_is_read(template: str, said: datetime) -> None:
    assert rendered_instant(template, run_names(RUN)) == said


@pytest.mark.parametrize(
    "template",
    [
        "{{ data_interval_end.isoformat() }}",
        "{{ var.value.x }}",
        "{{ ''.__class__ }}",
        "{{ logical_date.__class__ }}",
        "{{ 'a' * 10**10 }}",
        "{{ logical_date.replace(year=1) }}",
        "{{ open('/etc/passwd') }}",
        "{{ macros.timedelta(centuries=1) }}",
        "{% for x in y %}{% endfor %}",
        "{{ logical_date.isoformat( }}",
        "yesterday",
    ],
)
def test_anything_else_is_refused_with_a_reason(template: str) -> None:
    with pytest.raises(MarkerTemplateError, match=r"."):
        rendered_instant(template, run_names(RUN))


def test_names_of_dags_and_tasks_may_be_templates_too() -> None:
    assert rendered("child_{{ ds }}", run_names(RUN)) == "child_2026-01-05"
    with pytest.raises(MarkerTemplateError, match="no logical_date"):
        rendered("{{ logical_date.isoformat() }}", run_names(SimpleNamespace(**vars(RUN) | {"logical_date": None})))
