"""Secrets are hidden in every form in which they travel (C29-d)."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, quote_plus

import pytest

from orchestrator.sdk.definitions.connection import Connection
from orchestrator.sdk.definitions.dag import DAG
from orchestrator.sdk.definitions.variable import Variable
from orchestrator.sdk.execution.masking import SecretsMasker
from orchestrator.sdk.operators.python import PythonOperator
from tests.attempts import Supervisor, attempt

SECRET = 'pa/ss "wörd"\\+1'


def masker(*secrets: Any) -> SecretsMasker:
    made = SecretsMasker()
    for secret in secrets:
        made.add(secret)
    return made


@pytest.mark.parametrize(
    "form",
    [
        SECRET,
        quote(SECRET),
        quote(SECRET, safe=""),
        quote_plus(SECRET),
        json.dumps(SECRET),
        json.dumps(SECRET, ensure_ascii=False),
        repr(SECRET),
        quote_plus(json.dumps({"in a connection's extra": SECRET})),
        json.dumps(json.dumps([SECRET])),
        base64.b64encode(json.dumps([SECRET]).encode()).decode(),
        base64.b64encode(SECRET.encode()).decode(),
        base64.urlsafe_b64encode(SECRET.encode()).decode(),
    ],
)
def test_c29d_a_secret_is_hidden_in_each_form(form: str) -> None:
    masked = masker(SECRET).mask(f"before {form} after")
    assert form.strip("\"'") not in masked
    assert "***" in masked
    assert masked.startswith("before ")
    assert masked.endswith(" after")


@pytest.mark.parametrize("prefix", ["u:", "us:", "usr:"])
def test_c29d_a_secret_inside_of_an_encoded_header_is_hidden(prefix: str) -> None:
    password = "correct horse battery"
    header = base64.b64encode(f"{prefix}{password}".encode()).decode()
    masked = masker(password).mask(f"Authorization: Basic {header}")
    assert "***" in masked
    for start in range(0, len(header) - 12):
        assert header[start : start + 12] not in masked.replace("***", "\0") or start < 8


def test_the_longer_of_two_secrets_is_hidden_as_a_whole() -> None:
    assert masker("secret", "secret-and-more").mask("x secret-and-more y secret") == "x *** y ***"


def test_nothing_known_gives_the_same_object_back() -> None:
    document = {"a": ["b"]}
    assert masker().mask(document) is document


def test_values_in_json_are_hidden_at_any_depth() -> None:
    assert masker("hidden!").mask({"a": [{"hidden!": "x hidden! y"}], "n": 1}) == {"a": [{"***": "x *** y"}], "n": 1}


def test_short_secrets_are_left_because_they_would_hide_words() -> None:
    assert masker("the").mask("the end") == "the end"


def test_in_a_dict_only_sensitive_names_hide_their_values() -> None:
    made = SecretsMasker()
    made.add('{"api_key": "abcdef1", "region": "europe", "nested": {"token": "tokentoken"}}', "extra")
    assert made.mask("abcdef1 europe tokentoken") == "*** europe ***"


def test_a_variable_is_a_secret_by_its_name() -> None:
    made = SecretsMasker()
    made.add("value-one", "my_password")
    made.add("value-two", "colour")
    assert made.mask("value-one value-two") == "*** value-two"


def test_c29d_what_a_task_fetches_is_told_to_the_supervisor_before_it_can_be_logged() -> None:
    def work() -> None:
        Variable.get("api_token")
        assert Connection.get("db").extra_dejson["secret_key"] == "extra-secret"

    with DAG("d", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC)) as dag:
        PythonOperator(task_id="t", python_callable=work)
    connection = {"conn_type": "http", "password": "conn-password", "extra": '{"secret_key": "extra-secret", "plain": "visible"}'}
    supervisor = Supervisor(variables={"api_token": "var-secret"}, connections={"db": connection})
    attempt(dag, "t", supervisor)
    assert {m["value"] for m in supervisor.of_type("MaskSecret")} == {"var-secret", "conn-password", "extra-secret"}
