"""The tests' own PostgreSQL can go away and come back with its data, for tests of a lost database."""

import psycopg
import pytest

from tests.postgres import execute, spare_server


def test_a_halted_server_comes_back_with_its_data() -> None:
    with spare_server() as server:
        execute(server.url("postgres"), "CREATE TABLE kept (id int)")
        server.halt()
        with pytest.raises(psycopg.OperationalError):
            execute(server.url("postgres"), "SELECT 1")
        server.resume()
        execute(server.url("postgres"), "SELECT id FROM kept")
