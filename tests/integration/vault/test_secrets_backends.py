"""Secrets backends: files of this machine, own classes, the order of search, and errors that fall through."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from orchestrator.config import conf
from orchestrator.sdk.definitions.connection import Connection
from orchestrator.sdk.definitions.variable import Variable
from orchestrator.sdk.exceptions import AirflowSecretsBackendAccessDenied
from orchestrator.sdk.secrets import search
from orchestrator.sdk.secrets.base import BaseSecretsBackend
from vault.selectors import connection_find, variable_find
from vault.services import variable_set

pytestmark = pytest.mark.django_db
LOCAL = "airflow.secrets.local_filesystem.LocalFilesystemBackend"
Use = Callable[..., None]


class Failing(BaseSecretsBackend):
    def get_variable(self, key: str, team_name: str | None = None) -> str | None:
        if key == "forbidden":
            raise AirflowSecretsBackendAccessDenied("no")
        raise RuntimeError("the store is away, p4ssw0rd")


class Counting(BaseSecretsBackend):
    asked = 0

    def get_variable(self, key: str, team_name: str | None = None) -> str | None:
        type(self).asked += 1
        return f"answer {self.asked}"

    def get_conn_value(self, conn_id: str, team_name: str | None = None) -> str | None:
        return "postgres://u:p@h/db" if conn_id == "known" else None


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Iterator[Use]:
    def set_options(**options: Any) -> None:
        for name, value in options.items():
            monkeypatch.setenv(f"AIRFLOW__{name.upper()}", value if isinstance(value, str) else json.dumps(value))
        conf.reload()
        search._cache.clear()

    yield set_options
    monkeypatch.undo()
    conf.reload()
    search._cache.clear()


@pytest.mark.parametrize(
    ("suffix", "connections", "variables"),
    [
        ("json", '{"c": {"conn_type": "http", "host": "h"}}', '{"v": "file", "j": {"a": 1}}'),
        ("yaml", "c: http://h", "v: file\nj: {a: 1}"),
        ("env", "# comment\nc=http://h\n", 'v=file\nj={"a": 1}\n'),
    ],
)
def test_the_local_files_answer_before_environment_and_database(
    use: Use, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str, connections: str, variables: str
) -> None:
    (tmp_path / f"c.{suffix}").write_text(connections)
    (tmp_path / f"v.{suffix}").write_text(variables)
    files = {"connections_file_path": str(tmp_path / f"c.{suffix}"), "variables_file_path": str(tmp_path / f"v.{suffix}")}
    use(secrets__backend=LOCAL, secrets__backend_kwargs=files)
    variable_set("v", "database")
    variable_set("only", "database")
    monkeypatch.setenv("AIRFLOW_VAR_V", "environment")
    found = connection_find("c")
    assert found is not None
    assert (found.conn_type, found.host) == ("http", "h")
    assert (variable_find("v"), json.loads(variable_find("j") or ""), variable_find("only")) == ("file", {"a": 1}, "database")
    assert (Connection.get("c").host, Variable.get("v")) == ("h", "file")


def test_a_worker_asks_its_own_backend_first(use: Use) -> None:
    use(secrets__backend=f"{__name__}.Failing", workers__secrets_backend=f"{__name__}.Counting")
    assert Variable.get("v").startswith("answer")
    assert Connection.get("known").conn_type == "postgres"
    assert variable_find("v") is None


def test_an_error_of_a_backend_is_said_without_its_text_and_the_next_is_asked(use: Use, caplog: pytest.LogCaptureFixture) -> None:
    use(secrets__backend=f"{__name__}.Failing")
    variable_set("v", "database")
    assert variable_find("v") == "database"
    assert "Failing has no answer for variable 'v': RuntimeError" in caplog.text
    assert "p4ssw0rd" not in "".join(record.getMessage() for record in caplog.records)


def test_what_a_backend_forbids_is_asked_nowhere_else(use: Use) -> None:
    use(secrets__backend=f"{__name__}.Failing")
    variable_set("forbidden", "database")
    with pytest.raises(AirflowSecretsBackendAccessDenied):
        variable_find("forbidden")


def test_answers_are_remembered_only_where_the_option_says_so(use: Use) -> None:
    use(secrets__backend=f"{__name__}.Counting")
    assert variable_find("v") != variable_find("v")
    use(secrets__use_cache="True")
    assert variable_find("v") == variable_find("v")
    use(secrets__cache_ttl_seconds="0")
    assert variable_find("v") != variable_find("v")


def test_options_may_come_from_the_local_files(use: Use, tmp_path: Path) -> None:
    (tmp_path / "o.json").write_text('{"smtp": "p4ss"}')
    use(secrets__backend=LOCAL, secrets__backend_kwargs={"configs_file_path": str(tmp_path / "o.json")})
    use(smtp__smtp_password_secret="smtp")
    assert conf.get("smtp", "smtp_password") == "p4ss"


def test_a_file_that_is_wrong_names_its_line(tmp_path: Path) -> None:
    from orchestrator.sdk.secrets.files import SecretsFileError, read_file

    (tmp_path / "x.env").write_text("a=1\nnonsense\n")
    with pytest.raises(SecretsFileError, match="line 2"):
        read_file(tmp_path / "x.env")


def test_the_backends_are_importable_under_airflows_names() -> None:
    from orchestrator.sdk.airflow_names import install

    install()
    from airflow.secrets import BaseSecretsBackend as Theirs

    assert Theirs is BaseSecretsBackend
