"""The tests' own PostgreSQL can go away and come back with its data, for tests of a lost database."""

import psycopg
import pytest

from tests.environment import DATABASE
from tests.postgres import PostgresServer, execute


@pytest.mark.skipif(DATABASE != "postgresql", reason="needs PostgreSQL: run with TEST_DATABASE=postgresql")
def test_a_halted_server_comes_back_with_its_data(tmp_path_factory: pytest.TempPathFactory) -> None:
    directory = tmp_path_factory.mktemp("pg")
    for parent in [directory, directory.parent, directory.parent.parent]:
        parent.chmod(0o755)
    server = PostgresServer(directory / "server")
    server.start()
    try:
        execute(server.url("postgres"), "CREATE TABLE kept (id int)")
        server.halt()
        with pytest.raises(psycopg.OperationalError):
            execute(server.url("postgres"), "SELECT 1")
        server.resume()
        execute(server.url("postgres"), "SELECT id FROM kept")
    finally:
        server.stop()
