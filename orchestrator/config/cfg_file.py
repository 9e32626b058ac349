"""Decides the text of ``airflow.cfg`` and writes it once, on the first migrate."""

import base64
import json
import os
import re
import secrets
import textwrap
from pathlib import Path

from orchestrator.config import conf
from orchestrator.config.option import Option
from orchestrator.config.options import OPTIONS, SECTION_NOTES

HEAD = """\
# Options of the orchestrator. A line `# name = value` shows the default; remove the `# ` to change it.
# Each option can also be set by an environment variable AIRFLOW__SECTION__NAME, which wins over this file;
# AIRFLOW__SECTION__NAME_CMD names a command that prints the value.
"""


def generate_secret(option: Option) -> str:
    """A new random value of a ``generated`` option; a Fernet key for ``fernet_key``."""
    if option.key == "fernet_key":
        return base64.urlsafe_b64encode(os.urandom(32)).decode()
    return secrets.token_urlsafe(48)


def write_cfg(home: Path) -> Path | None:
    """Write ``airflow.cfg`` with mode 0600, all options and fresh secrets; None where it exists.

    Two processes may race: the file is made complete under another name and linked, so one wins and nobody reads half a file.
    """
    path = home / "airflow.cfg"
    if path.exists():
        return None
    home.mkdir(parents=True, exist_ok=True)
    draft = home / f".airflow.cfg.{os.getpid()}"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(cfg_text())
    try:
        os.link(draft, path)
    except FileExistsError:
        return None
    finally:
        draft.unlink()
    return path


def prepare_home() -> None:
    """Write ``airflow.cfg`` where it is missing, and secrets that are set nowhere into an older one.

    Raises ConfigurationError where a fresh key would shut out secrets that the database has.
    """
    from orchestrator.config.stored_secrets import refuse_fresh_key

    refuse_fresh_key()
    if write_cfg(conf.home) is None:
        missing = [o for o in OPTIONS.values() if o.generated and not conf.get(o.section, o.key)]
        if missing:
            add_secrets(conf.home / "airflow.cfg", missing)
    conf.reload()


def add_secrets(path: Path, options: list[Option]) -> None:
    """Insert fresh values of ``options`` below the heads of their sections; other lines stay as they are."""
    text = path.read_text(encoding="utf-8")
    for option in options:
        line, head = f"{option.key} = {generate_secret(option)}\n", f"[{option.section}]\n"
        # An empty value of the same name further down would win over the new line.
        text = re.sub(rf"(?m)^{re.escape(option.key)}[ \t]*=[ \t]*\n", "", text)
        text = text.replace(head, head + line, 1) if head in text else f"{text.rstrip()}\n\n{head}{line}"
    write_private(path, text)


def write_private(path: Path, text: str) -> None:
    """Replace a file at once, readable by its owner only."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    draft.replace(path)


def cfg_text() -> str:
    """The whole file: every option with its explanation, default and environment variable, by section."""
    lines = [HEAD]
    section = ""
    for option in OPTIONS.values():
        if option.section != section:
            section = option.section
            lines.append(f"[{section}]\n# {SECTION_NOTES[section]}\n")
        lines.append(option_text(option))
    return "\n".join(lines)


def option_text(option: Option) -> str:
    """The lines of one option."""
    explanation = "\n".join(textwrap.wrap(option.description, 118, initial_indent="# ", subsequent_indent="# "))
    allowed = "" if option.type in ("str", "path") else f"# {option.allowed()[:1].upper()}{option.allowed()[1:]}. "
    tail = f"{allowed or '# '}Variable: {option.variable}"
    value = f"{option.key} = {generate_secret(option)}" if option.generated else f"# {option.key} = {default_text(option)}"
    return f"{explanation}\n{tail}\n{value.rstrip()}\n"


def default_text(option: Option) -> str:
    """The default as it is written in the file."""
    if option.default is None:
        return ""
    if option.type == "json":
        return json.dumps(option.default)
    return str(option.default).replace("%", "%%")
