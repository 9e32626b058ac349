"""Decides how long an entry of the task or asset state store lives at most."""

from datetime import timedelta

NEVER_EXPIRE = timedelta.max
