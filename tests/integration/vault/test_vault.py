"""Connections and variables: encryption at rest, Airflow's rows, key rotation, and one bad row among good ones."""

from collections.abc import Callable, Iterator

import pytest
from cryptography.fernet import Fernet
from django.db import connection

from orchestrator.config import conf
from vault.keys import UndecryptableError
from vault.models import Connection, Variable
from vault.selectors import connection_find, variable_find
from vault.services import connection_set, variable_delete, variable_set

pytestmark = pytest.mark.django_db
OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


@pytest.fixture
def use_keys(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    def use(keys: str) -> None:
        monkeypatch.setenv("AIRFLOW__CORE__FERNET_KEY", keys)
        conf.reload()

    use(OLD)
    yield use
    monkeypatch.undo()
    conf.reload()


def test_secrets_are_ciphertext_in_the_database(use_keys: Callable[[str], None]) -> None:
    connection_set("c", conn_type="http", password="p4ss", extra='{"k": 1}')
    variable_set("v", "text")
    with connection.cursor() as cursor:
        cursor.execute("SELECT password, extra FROM vault_connection UNION ALL SELECT val, val FROM vault_variable")
        stored = " ".join(f"{a} {b}" for a, b in cursor.fetchall())
    assert "p4ss" not in stored
    assert "text" not in stored
    found = connection_find("c")
    assert found is not None
    assert (found.password, found.extra, variable_find("v")) == ("p4ss", '{"k": 1}', "text")


def test_a_row_written_by_airflow_is_readable(use_keys: Callable[[str], None]) -> None:
    token = Fernet(OLD.encode()).encrypt(b"from airflow").decode()
    variable_set("v", "x")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE vault_variable SET val = %s, is_encrypted = %s", [token, True])
    assert variable_find("v") == "from airflow"


def test_an_older_key_reads_and_the_first_writes(use_keys: Callable[[str], None]) -> None:
    variable_set("old", "1")
    use_keys(f"{NEW},{OLD}")
    variable_set("new", "2")
    assert (variable_find("old"), variable_find("new")) == ("1", "2")
    use_keys(NEW)
    assert variable_find("new") == "2"


def test_one_undecryptable_row_breaks_no_list_and_names_its_trouble(use_keys: Callable[[str], None]) -> None:
    variable_set("lost", "1")
    use_keys(NEW)
    variable_set("good", "2")
    assert [row.key for row in Variable.objects.all()] == ["good", "lost"]
    assert variable_find("good") == "2"
    with pytest.raises(UndecryptableError, match="fernet_key"):
        variable_find("lost")


def test_saving_another_column_keeps_an_undecryptable_secret_as_it_is(use_keys: Callable[[str], None]) -> None:
    connection_set("c", conn_type="http", password="p4ss")
    use_keys(NEW)
    connection_set("c", host="example.org")
    use_keys(OLD)
    assert Connection.objects.get().get_password() == "p4ss"


def test_without_a_key_values_are_stored_plain_and_still_read_with_one(use_keys: Callable[[str], None]) -> None:
    use_keys("")
    variable_set("v", "text")
    assert not Variable.objects.get().is_encrypted
    use_keys(NEW)
    assert variable_find("v") == "text"


def test_the_environment_goes_before_the_database(use_keys: Callable[[str], None], monkeypatch: pytest.MonkeyPatch) -> None:
    variable_set("v", "database")
    monkeypatch.setenv("AIRFLOW_VAR_V", "environment")
    monkeypatch.setenv("AIRFLOW_CONN_C", "postgresql://u%40x:p%2Fw@Host:5432/db?sslmode=require")
    assert variable_find("v") == "environment"
    found = connection_find("c")
    assert found is not None
    assert (found.conn_type, found.login, found.password, found.port, found.schema) == ("postgres", "u@x", "p/w", 5432, "db")
    monkeypatch.setenv("AIRFLOW_CONN_J", '{"conn_type": "http", "host": "h", "port": 1, "extra": {"a": 1}}')
    assert (connection_find("j") or found).port == 1


def test_what_does_not_exist_is_none_and_deleting_it_is_false(use_keys: Callable[[str], None]) -> None:
    assert connection_find("nope") is None
    assert variable_find("nope") is None
    assert variable_delete("nope") is False
