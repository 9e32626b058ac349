"""Decides what Celery beat may order: the platform's housekeeping, by the name of the job; the scheduler does it (ADR 0016)."""

from celery import shared_task
from django.db import transaction

from runs.housekeeping import order

ACTOR = "celery beat"


@shared_task(name="orchestrator.housekeeping")  # type: ignore[untyped-decorator]
def order_housekeeping(name: str) -> None:
    """Have a job done now; raises ``OrderRefusedError``, which Celery logs."""
    with transaction.atomic():
        order(name, actor=ACTOR)
