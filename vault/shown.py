"""Decides what people see of connections and variables, and what ``***`` stands for where it comes back: for what is stored.

One rule for REST and admin: a text under a secret-looking name is ``***``, and so is a field of ``extra`` that its type calls a
password. What is sent back as it was shown changes nothing.
"""

import json
from typing import Any

from orchestrator.sdk.execution.masking import MASK, SecretsMasker, is_sensitive_name
from vault.connection_types import secret_fields
from vault.keys import UndecryptableError
from vault.models import Connection, Variable

_ALWAYS = "password"  # a name whose value is hidden, for fields that are secret by their type


def shown_extra(row: Connection) -> str | None:
    """Return ``extra`` as people may see it: JSON, a sentence where no key opens it, ``***`` where it is no JSON."""
    try:
        text = row.get_extra()
        document = json.loads(text) if text else None
    except UndecryptableError as error:
        return json.dumps({"error": f"cannot decrypt ({error.short})"})
    except ValueError:
        return MASK
    return text if document is None else json.dumps(_hidden(document, secret_fields(row.conn_type)))


def shown_value(row: Variable) -> str | None:
    """Return a variable's value as people may see it."""
    try:
        text = row.get_val()
    except UndecryptableError as error:
        return f"cannot decrypt ({error.short})"
    if not text:
        return text
    document = _container(text)
    if document is not None:
        return json.dumps(SecretsMasker().redact(document, row.key))
    return MASK if is_sensitive_name(row.key) else text


def kept_password(row: Connection, given: str | None) -> str | None:
    """Return the password to store; ``***`` is the stored one."""
    return row.get_password() if given == MASK else given


def kept_extra(row: Connection, given: str | None) -> str | None:
    """Return the ``extra`` to store: each ``***`` that was shown for a secret is the stored one again."""
    new = _container(given)
    if given is None or MASK not in given or not isinstance(new, dict):
        return row.get_extra() if given == MASK else given
    stored = _container(row.get_extra())
    merged = _kept(new, stored, secret_fields(row.conn_type))
    return given if merged == new else json.dumps(merged)


def kept_value(row: Variable, given: str) -> str:
    """Return the value of a variable to store; ``***`` is what it stands for."""
    if MASK not in given or not row.pk:
        return given
    new, stored = _container(given), row.get_val() or ""
    if new is None:
        return stored if given == MASK and is_sensitive_name(row.key) else given
    merged = _restored(new, _container(stored), is_sensitive_name(row.key))
    return given if merged == new else json.dumps(merged, indent=2)


def _hidden(document: Any, secrets: frozenset[str]) -> Any:
    masker = SecretsMasker()
    if not isinstance(document, dict):
        return masker.redact(document)
    return {key: masker.redact(value, _ALWAYS if key in secrets else key) for key, value in document.items()}


def _kept(new: dict[str, Any], stored: Any, secrets: frozenset[str]) -> dict[str, Any]:
    old = stored if isinstance(stored, dict) else {}
    return {
        key: _restored(value, old[key], key in secrets or is_sensitive_name(key)) if key in old else value
        for key, value in new.items()
    }


def _restored(new: Any, old: Any, secret: bool) -> Any:
    """Return the new value with what is hidden in it taken from the same place of the old one."""
    if isinstance(new, dict) and isinstance(old, dict):
        return {
            key: _restored(value, old[key], secret or is_sensitive_name(key)) if key in old else value
            for key, value in new.items()
        }
    if isinstance(new, list) and isinstance(old, list):
        rest = new[len(old) :]
        return [*(_restored(*pair, secret) for pair in zip(new, old, strict=False)), *rest]
    return old if secret and new == MASK and isinstance(old, str) else new


def _container(text: str | None) -> Any:
    """Return the JSON object or list in a text, None for anything else."""
    try:
        document = json.loads(text or "")
    except ValueError:
        return None
    return document if isinstance(document, dict | list) else None
