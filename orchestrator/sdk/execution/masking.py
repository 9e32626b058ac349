"""Decides what is a secret and replaces it by ``***``, in every form in which a secret travels.

The supervisor is the single exit: everything that a task logs, renders or reports passes one ``SecretsMasker`` there.
The patterns are fed by ``MaskSecret`` messages of the task.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote, quote_plus

MASK = "***"
MIN_LENGTH = 5  # characters; shorter secrets would hide ordinary words

SENSITIVE_NAMES = frozenset(
    {
        "access_key", "access_token", "api_key", "apikey", "auth_header", "authorization", "bearer", "connection_string", "dsn",
        "keyfile", "keyfile_dict", "passphrase", "passwd", "password", "private_key", "proxies", "proxy", "proxy_password",
        "secret", "service_account", "service_key", "token", "webhook_url",
    }
)  # fmt: skip


def is_sensitive_name(name: Any) -> bool:
    """Tell whether something of that name is a secret: the name contains one of the known words or configured ones."""
    if not isinstance(name, str):
        return False
    lowered = name.strip().lower()
    return any(word in lowered for word in SENSITIVE_NAMES | _configured_names())


should_hide_value_for_key = is_sensitive_name


def redact(value: Any, name: str | None = None, max_depth: int | None = None) -> Any:
    """Return a value with what is under a sensitive name replaced by ``***``."""
    return SecretsMasker().redact(value, name)


def secrets_in(value: Any, name: str | None = None) -> set[str]:
    """Return the texts in ``value`` to hide.

    A text without name is a secret as a whole; with one it is if the name is sensitive. In a dict, and in a named text
    that holds JSON, the keys are the names; a text under a key that is not sensitive is left, as are numbers and None.
    """
    found: set[str] = set()
    if name is not None and isinstance(value, str):
        value = {name: value, "": _as_json(value)}
    _collect(value, is_sensitive_name(name) if name is not None else isinstance(value, str), found)
    return {text for text in found if len(text) >= MIN_LENGTH}


def _as_json(text: str) -> Any:
    """Return what a text that holds a JSON object or list says, None for any other text."""
    if text[:1] not in ("{", "["):
        return None
    try:
        return json.loads(text)
    except ValueError:
        return None


def _collect(value: Any, secret: bool, found: set[str]) -> None:
    if isinstance(value, dict):
        for key, item in value.items():
            _collect(item, secret or is_sensitive_name(key), found)
    elif isinstance(value, list | tuple | set):
        for item in value:
            _collect(item, secret, found)
    elif secret and isinstance(value, str):
        found.add(value)


def forms_of(secret: str) -> set[str]:
    """Return the secret as it is, JSON-escaped and with ``repr`` escapes, each also URL-encoded and in base64 at each offset.

    The last ones are what a connection's URI does to ``extra``, and HTTP's basic authentication to a password.
    """
    forms = {secret, repr(secret)[1:-1], *_escaped(secret)}
    for text in _escaped(secret):
        forms |= {*_escaped(text), quote(text, safe=""), quote(text), quote_plus(text)}
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            forms |= _base64_forms(text.encode(), encode)
    return {form for form in forms if len(form) >= MIN_LENGTH}


def _escaped(text: str) -> set[str]:
    """Return a text as it is and as it stands in JSON, where letters beyond ASCII are escaped or are not."""
    return {text, json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]}


def _base64_forms(raw: bytes, encode: Any) -> set[str]:
    """Return the encoded secret, alone and as it looks at each of the three offsets inside of a longer text."""
    forms = {encode(raw).decode(), encode(raw).decode().rstrip("=")}
    for offset in (0, 1, 2):
        encoded = encode(b"\0" * offset + raw).decode().rstrip("=")
        inner = encoded[(0, 2, 3)[offset] : len(encoded) - (0 if (offset + len(raw)) % 3 == 0 else 1)]
        if len(inner) >= 8:
            forms.add(inner)
    return forms


class SecretsMasker:
    """Hides the secrets that it was told, in texts and in JSON values."""

    def __init__(self) -> None:
        self._forms: set[str] = set()
        self._pattern: re.Pattern[str] | None = None

    @property
    def is_empty(self) -> bool:
        """Tell whether there is nothing to hide."""
        return not self._forms

    def add(self, value: Any, name: str | None = None) -> None:
        """Learn the secrets in ``value``, see ``secrets_in``."""
        fresh: set[str] = set()
        for secret in secrets_in(value, name):
            fresh |= forms_of(secret)
        if not fresh <= self._forms:
            self._forms |= fresh
            # Longest first: of two secrets that begin alike, the longer one is replaced as a whole.
            self._pattern = re.compile("|".join(re.escape(form) for form in sorted(self._forms, key=lambda f: (-len(f), f))))

    def learn(self, answer: dict[str, Any]) -> None:
        """Learn the secrets in an answer to a task: of a connection the password and secret extras, of a variable its value."""
        if answer["type"] == "ConnectionResult":
            self.add(answer.get("password"))
            self.add(_as_document(answer.get("extra")))
        elif answer["type"] == "VariableResult":
            self.add(answer.get("value"), answer.get("key"))

    def mask(self, value: Any) -> Any:
        """Return a text or JSON value with known secrets replaced; the same object if no secret is known."""
        if self._pattern is None:
            return value
        if isinstance(value, str):
            return self._pattern.sub(MASK, value)
        if isinstance(value, dict):
            return {self.mask(key): self.mask(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.mask(item) for item in value]
        return value

    def redact(self, value: Any, name: str | None = None) -> Any:
        """Return a JSON value with secrets replaced, in keys too, and everything under a sensitive name hidden."""
        if isinstance(value, dict):
            return {
                self.mask(str(key)): self.redact(item, name if is_sensitive_name(name) else str(key))
                for key, item in value.items()
            }
        if isinstance(value, list | tuple):
            return [self.redact(item, name) for item in value]
        if isinstance(value, str):
            return MASK if value and is_sensitive_name(name) else self.mask(value)
        return value


def _configured_names() -> frozenset[str]:
    global _extra_names
    if _extra_names is None:
        from orchestrator.sdk.configuration import conf

        text: Iterable[str] = str(conf.get("core", "sensitive_var_conn_names", fallback="") or "").split(",")
        _extra_names = frozenset(word.strip().lower() for word in text if word.strip())
    return _extra_names


_extra_names: frozenset[str] | None = None


def _as_document(extra: str | None) -> Any:
    """Return the extras of a connection by name, so that only those with a sensitive name are hidden."""
    try:
        return json.loads(extra or "null")
    except ValueError:
        return extra
