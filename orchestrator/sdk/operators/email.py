"""Decides how a task sends an e-mail: through the connection ``smtp_default``, or the [smtp] options."""

from __future__ import annotations

import mimetypes
import smtplib
from collections.abc import Collection, Sequence
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from orchestrator.sdk.configuration_defaults import default
from orchestrator.sdk.definitions.operator import BaseOperator


def send_email(
    to: str | Sequence[str],
    subject: str,
    html_content: str,
    files: Sequence[str] | None = None,
    dryrun: bool = False,
    cc: Any = None,
    bcc: Any = None,
    mime_subtype: str = "mixed",
    mime_charset: str = "utf-8",
    conn_id: str | None = None,
    custom_headers: dict[str, Any] | None = None,
    from_email: str | None = None,
    **_: Any,
) -> None:
    """Send one message with ``files`` attached; with ``dryrun`` only build it. Raises ``smtplib`` errors."""
    message = EmailMessage()
    message["Subject"], message["To"] = subject, ", ".join(addresses(to))
    message["From"] = from_email or default("smtp", "smtp_mail_from", "airflow@example.com")
    if cc:
        message["Cc"] = ", ".join(addresses(cc))
    for name, value in (custom_headers or {}).items():
        message[name] = str(value)
    message.set_content(html_content, subtype="html", charset=mime_charset)
    for path in files or ():
        kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
        main, _slash, sub = kind.partition("/")
        message.add_attachment(Path(path).read_bytes(), maintype=main, subtype=sub, filename=Path(path).name)
    if not dryrun:
        _deliver(message, [*addresses(to), *addresses(cc), *addresses(bcc)], conn_id)


def addresses(value: Any) -> list[str]:
    """Return one text (separated by commas or semicolons) or several as a list."""
    if not value:
        return []
    if isinstance(value, str):
        return [part.strip() for part in value.replace(";", ",").split(",") if part.strip()]
    return list(value)


def _deliver(message: EmailMessage, recipients: list[str], conn_id: str | None) -> None:
    host, port = str(default("smtp", "smtp_host", "localhost")), int(default("smtp", "smtp_port", 25))
    user, password, tls = default("smtp", "smtp_user", None), default("smtp", "smtp_password", None), False
    if conn_id:
        from orchestrator.sdk.hooks.base import BaseHook

        connection = BaseHook.get_connection(conn_id)
        host, port = connection.host or host, connection.port or port
        user, password = connection.login, connection.password
        tls = not connection.extra_dejson.get("disable_tls", False)
    with smtplib.SMTP(host, port, timeout=float(default("smtp", "smtp_timeout", 30))) as server:
        if tls or default("smtp", "smtp_starttls", False):
            server.starttls()
        if user and password:
            server.login(user, password)
        server.send_message(message, to_addrs=recipients)


class EmailOperator(BaseOperator):
    """Sends an e-mail."""

    template_fields: Collection[str] = (
        "to",
        "subject",
        "html_content",
        "from_email",
        "files",
        "cc",
        "bcc",
        "mime_subtype",
        "conn_id",
    )
    template_fields_renderers = {"html_content": "html"}
    template_ext: Sequence[str] = (".html",)
    ui_color = "#e6faf9"

    def __init__(
        self,
        *,
        to: list[str] | str,
        subject: str | None = None,
        html_content: str | None = None,
        from_email: str | None = None,
        files: list[Any] | None = None,
        cc: list[str] | str | None = None,
        bcc: list[str] | str | None = None,
        mime_subtype: str = "mixed",
        mime_charset: str = "utf-8",
        conn_id: str = "smtp_default",
        custom_headers: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.to, self.subject, self.html_content, self.from_email = to, subject, html_content, from_email
        self.files, self.cc, self.bcc = files or [], cc, bcc
        self.mime_subtype, self.mime_charset = mime_subtype, mime_charset
        self.conn_id, self.custom_headers = conn_id, custom_headers

    def execute(self, context: Any) -> None:
        """Send the message."""
        send_email(
            self.to,
            self.subject or "",
            self.html_content or "",
            files=self.files,
            cc=self.cc,
            bcc=self.bcc,
            mime_subtype=self.mime_subtype,
            mime_charset=self.mime_charset,
            conn_id=self.conn_id,
            custom_headers=self.custom_headers,
            from_email=self.from_email,
        )
