"""Decides how tests get a row of any model: every column that must have a value gets one of its type."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import models

from orchestrator.kernel.ids import new_id


def any_row(model: type[models.Model], when: datetime, **given: Any) -> Any:
    """Write a row; what is not given and has no default is made up, moments are ``when``.

    Rows that a foreign key needs are made too.
    """
    values: dict[str, Any] = {}
    for field in model._meta.concrete_fields:
        if field.name in given or field.null or field.has_default() or isinstance(field, models.AutoField):
            continue
        values[field.name] = _value(field, when)
    row = model._default_manager.create(**values, **given)
    moments = {f.name: when for f in model._meta.concrete_fields if isinstance(f, models.DateTimeField) and f.name not in given}
    model._default_manager.filter(pk=row.pk).update(**moments)  # also those that a save sets
    return row


def _value(field: models.Field[Any, Any], when: datetime) -> Any:
    if isinstance(field, models.ForeignKey):
        assert isinstance(field.related_model, type)
        return any_row(field.related_model, when)
    if isinstance(field, models.DateTimeField):
        return when
    if isinstance(field, models.UUIDField):
        return new_id()
    if isinstance(field, models.IntegerField | models.FloatField):
        return 1
    if isinstance(field, models.BinaryField):
        return b"1"
    if isinstance(field, models.JSONField):
        return {}
    return str(new_id())[: field.max_length or 40]
