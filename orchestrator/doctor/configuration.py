"""Decides whether the configuration is sound: values, names, keys, and the same in every process (C31-c)."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.config import conf
from orchestrator.config.option import ConfigurationError
from orchestrator.doctor.findings import Finding, fail, ok, warn
from orchestrator.kernel.clock import utcnow
from orchestrator.kernel.tokens import KeyRing
from orchestrator.processes.models import Process
from orchestrator.processes.selectors import processes_alive
from orchestrator.version import VERSION

KINDS = ("scheduler", "triggerer", "dag_processor", "api_server")


def values() -> Iterator[Finding]:
    """Every option has a valid value, and every name that is set has an effect."""
    try:
        conf.validate()
    except ConfigurationError as error:
        for line in str(error).splitlines():
            yield fail("configuration", line, "correct the value")
        return
    unknown = conf.warnings()
    for sentence in unknown:
        yield warn("configuration", sentence, "correct or remove the name (`manage.py config lint`)")
    if not unknown:
        yield ok("configuration", "all values are valid and all names are known")


def token_key() -> Iterator[Finding]:
    """Tokens can be signed."""
    try:
        KeyRing.from_config(conf.get("api_auth", "jwt_secret") or "")
    except ValueError as error:
        yield fail("jwt key", str(error), "set [api_auth] jwt_secret to the same value everywhere")
        return
    yield ok("jwt key", "tokens can be signed and read")


def fernet_key() -> Iterator[Finding]:
    """Secrets are encrypted, and the keys open all of them."""
    from vault.rotation import keys_missing
    from vault.startup import sentence

    try:
        missing = keys_missing()
    except ConfigurationError as error:
        yield fail("fernet key", str(error), "correct [core] fernet_key")
        return
    if missing:
        yield fail("fernet key", sentence(missing), "append the missing key to [core] fernet_key")
    elif not conf.get("core", "fernet_key"):
        todo = "set [core] fernet_key; `manage.py migrate` writes one into airflow.cfg"
        yield warn("fernet key", "no key is set: new secrets are stored in clear", todo)
    else:
        yield ok("fernet key", "the keys open every stored secret")


def fingerprints() -> Iterator[Finding]:
    """Every living process has the values and the version of this one."""
    living = [row for kind in KINDS for row in processes_alive(kind, utcnow())]
    own = conf.fingerprint()
    others = [row for row in living if row.config_fingerprint != own]
    for row in others:
        text = f"{_place(row)} has other values ({row.config_fingerprint}) than this machine now ({own})"
        yield warn("configuration of processes", text, "give all processes the same airflow.cfg and environment, and restart it")
    for row in living:
        if row.version != VERSION:
            text = f"{_place(row)} runs version {row.version}, this is {VERSION}"
            yield warn("configuration of processes", text, "restart it")
    if not others:
        yield ok("configuration of processes", f"{len(living)} living processes agree with this one ({own})")


def _place(row: Process) -> str:
    return f"{row.kind} {row.hostname}:{row.pid}"
