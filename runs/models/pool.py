"""Decides what a pool is."""

from django.db import models


class Pool(models.Model):
    """A number of slots that tasks share; -1 slots means no limit."""

    pool = models.CharField(max_length=256, unique=True)
    slots = models.IntegerField(default=128)
    description = models.TextField(null=True, blank=True)
    include_deferred = models.BooleanField(default=False)
    ageing_seconds = models.FloatField(
        null=True, blank=True, help_text="Waiting for so long is worth one point of priority; empty: it is worth nothing (C08-d)."
    )

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(slots__gte=-1), name="pool_slots_at_least_minus_one"),
            models.CheckConstraint(condition=models.Q(ageing_seconds__gt=0), name="pool_ageing_positive"),
        ]

    def __str__(self) -> str:
        return self.pool
