"""C29-a, C29-b, C29-c: the key ring, its rotation while others write, and keys that are missing."""

import sqlite3
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command

from orchestrator.config import ConfigurationError, conf
from orchestrator.config.cfg_file import prepare_home
from orchestrator.kernel.clock import utcnow
from runs.models import Trigger
from runs.trigger_kwargs import kwargs_opened, kwargs_sealed
from vault import rotation
from vault.fields import Sealed
from vault.keys import UndecryptableError, key_id_of, unseal
from vault.models import Variable
from vault.selectors import connection_find, variable_find
from vault.services import connection_set, variable_set
from vault.startup import check_keys

pytestmark = pytest.mark.django_db
OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()
OLD_ID, NEW_ID = key_id_of(OLD), key_id_of(NEW)

Use = Callable[[str], None]


@pytest.fixture
def use_keys(monkeypatch: pytest.MonkeyPatch) -> Iterator[Use]:
    def use(keys: str) -> None:
        monkeypatch.setenv("AIRFLOW__CORE__FERNET_KEY", keys)
        conf.reload()

    use(OLD)
    yield use
    monkeypatch.undo()
    conf.reload()


def command(*arguments: str) -> str:
    out = StringIO()
    call_command("rotate_fernet_key", *arguments, stdout=out, stderr=out)
    return out.getvalue()


def plain_token(text: str, key: str = OLD) -> Sealed:
    return Sealed(Fernet(key).encrypt(text.encode()).decode())


def test_a_ciphertext_names_the_key_that_wrote_it(use_keys: Use) -> None:
    variable_set("v", "text")
    assert str(Variable.objects.get().val).startswith(f"{OLD_ID}:gAAAA")


def test_rotation_moves_all_that_is_encrypted_and_counts_per_key(use_keys: Use) -> None:
    connection_set("c", conn_type="http", password="p4ss", extra='{"k": 1}')
    variable_set("v", "text")
    Variable.objects.create(key="airflow", val=plain_token("theirs"), is_encrypted=True)
    trigger = Trigger.objects.create(classpath="x.Y", created_date=utcnow(), encrypted_kwargs=kwargs_sealed('{"a": 1}'))
    use_keys(f"{NEW},{OLD}")
    assert f"5 values moved from key {OLD_ID} to {NEW_ID}" in command("--batch-size", "1")
    use_keys(NEW)
    check_keys()
    trigger.refresh_from_db()
    found = connection_find("c")
    assert found is not None
    assert (found.password, found.extra, variable_find("v"), variable_find("airflow")) == ("p4ss", '{"k": 1}', "text", "theirs")
    assert kwargs_opened(trigger.encrypted_kwargs) == '{"a": 1}'
    assert "Nothing was left" in command()


def test_an_interrupted_rotation_keeps_what_it_did_and_goes_on(use_keys: Use) -> None:
    for number in range(4):
        variable_set(f"v{number}", "text")
    use_keys(f"{NEW},{OLD}")

    def interrupt(done: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rotation.rotate(2, interrupt)
    assert rotation.counts() == {NEW_ID: 2, OLD_ID: 2}
    assert rotation.rotate(2).by_key == {OLD_ID: 2}


def test_a_value_written_during_the_rotation_is_not_overwritten(use_keys: Use, monkeypatch: pytest.MonkeyPatch) -> None:
    variable_set("v", "before")
    use_keys(f"{NEW},{OLD}")

    def slow_unseal(stored: str) -> str:
        variable_set("v", "meanwhile")
        return unseal(stored)

    monkeypatch.setattr(rotation, "unseal", slow_unseal)
    assert rotation.rotate().changed_meanwhile == 1
    assert variable_find("v") == "meanwhile"


def test_removing_a_key_that_is_in_use_is_refused_with_what_to_do(use_keys: Use) -> None:
    variable_set("v", "text")
    Variable.objects.create(key="airflow", val=plain_token("theirs"), is_encrypted=True)
    use_keys(NEW)
    with pytest.raises(CommandError, match=f"1 encrypted with key .unknown.*1 encrypted with key {OLD_ID}"):
        check_keys()
    use_keys(f"{NEW},{OLD}")
    check_keys()


def test_a_lost_key_can_be_given_up_and_its_values_open_again_if_it_is_found(use_keys: Use) -> None:
    variable_set("v", "text")
    Variable.objects.create(key="airflow", val=plain_token("theirs"), is_encrypted=True)
    use_keys(NEW)
    command("--forget", OLD_ID)
    command("--forget", "unknown")
    check_keys()
    with pytest.raises(UndecryptableError, match=f"key {OLD_ID} missing"):
        variable_find("v")
    use_keys(f"{NEW},{OLD}")
    assert (variable_find("v"), variable_find("airflow")) == ("text", "theirs")
    with pytest.raises(CommandError, match="is configured"):
        command("--forget", OLD_ID)


def test_one_value_that_cannot_be_read_stops_no_rotation_and_is_named(use_keys: Use) -> None:
    variable_set("lost", "1")
    use_keys(NEW)
    variable_set("good", "2")
    use_keys(f"{Fernet.generate_key().decode()},{NEW}")
    with pytest.raises(CommandError, match="1 values could not be read"):
        command()
    assert variable_find("good") == "2"
    assert rotation.rotate().unreadable == [f"variable.val of lost (key {OLD_ID} missing)"]


def test_a_lost_value_can_be_entered_again(use_keys: Use) -> None:
    variable_set("v", "1")
    use_keys(NEW)
    variable_set("v", "2")
    assert variable_find("v") == "2"


def test_pages_and_lists_show_an_undecryptable_row_as_such(use_keys: Use, admin_client: Any) -> None:
    variable_set("lost", "1")
    connection_set("lost", conn_type="http", password="p4ss")
    use_keys(NEW)
    for page in ("variable", "connection"):
        answer = admin_client.get(f"/admin/vault/{page}/")
        assert f"cannot decrypt (key {OLD_ID} missing)" in answer.content.decode()


def test_no_fresh_key_is_made_where_encrypted_rows_exist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with sqlite3.connect(tmp_path / "airflow.db") as db:
        db.execute("CREATE TABLE vault_connection (is_encrypted, is_extra_encrypted)")
        db.execute("CREATE TABLE vault_variable (is_encrypted)")
        db.execute("INSERT INTO vault_variable VALUES (1)")
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))
    monkeypatch.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", f"sqlite:///{tmp_path}/airflow.db")
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("AIRFLOW__CORE__FERNET_KEY", "")
    conf.reload()
    try:
        with pytest.raises(ConfigurationError, match="1 connections and variables"):
            prepare_home()
        assert not (tmp_path / "airflow.cfg").exists()
        with sqlite3.connect(tmp_path / "airflow.db") as db:
            db.execute("DELETE FROM vault_variable")
        prepare_home()
        assert (tmp_path / "airflow.cfg").exists()
    finally:
        monkeypatch.undo()
        conf.reload()
