"""Decides what Django REST framework brings along: nothing that it only imports because it is installed.

Its module ``compat`` tries to import companions of which this platform uses none: PostgreSQL's field types (with psycopg,
which SQLite does not need), a test client, a highlighter, YAML. They would take 10 to 16 MB of a process.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

COMPANIONS = ("django.contrib.postgres.fields", "inflection", "markdown", "pygments", "requests", "uritemplate", "yaml")


def import_without_companions() -> None:
    """Import the module that looks for companions without them; calling it again does nothing."""
    with _absent(name for name in COMPANIONS if name not in sys.modules):
        import_module("rest_framework.compat")


@contextmanager
def _absent(names: Iterator[str]) -> Iterator[None]:
    """Let imports of these modules fail as if they were not installed."""
    hidden = dict.fromkeys(names)
    sys.modules.update(hidden)  # type: ignore[arg-type]  # None is Python's own mark for it
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]
