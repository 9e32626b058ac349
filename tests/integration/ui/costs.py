"""Decides how tests count the queries of a page: with those of the live feed, which otherwise come and go by the second."""

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from runs.live import feed


def queries_of(client: Client, path: str) -> int:
    """Return how many queries a page takes."""
    client.get(path)
    feed.forget()
    with CaptureQueriesContext(connection) as queries:
        assert client.get(path).status_code == 200
    return len(queries)
