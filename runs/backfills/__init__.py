"""Backfills: runs ordered for the past."""
