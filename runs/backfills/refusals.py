"""Decides the words for a backfill that cannot be had, one exception per kind of answer."""

from __future__ import annotations


class BackfillRefusedError(ValueError):
    """What was asked for makes no sense for this DAG; the text says why and what would."""


class BackfillTypeNotAllowedError(BackfillRefusedError):
    """The DAG's ``allowed_run_types`` leave backfills out."""


class BackfillOpenError(BackfillRefusedError):
    """The DAG has an open backfill already; there is one at a time."""


class BackfillClosedError(BackfillRefusedError):
    """The backfill is completed or cancelled and cannot be changed any more."""
