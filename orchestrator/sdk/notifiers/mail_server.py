"""Decides how a message reaches a mail server: address, encryption, sign-in and retries, by connection or options."""

from __future__ import annotations

import mimetypes
import smtplib
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from pathlib import Path
from typing import Any

from orchestrator.sdk.configuration_defaults import default
from orchestrator.sdk.operators.email import addresses


@dataclass(slots=True)
class MailServer:
    """One mail server; ``timeout`` in seconds."""

    host: str
    port: int
    user: str | None = None
    password: str | None = None
    starttls: bool = True
    ssl: bool = False
    timeout: float = 30.0
    retry_limit: int = 5
    sender: str = "airflow@example.com"
    auth_type: str = "basic"
    subject_template: str | None = None
    html_content_template: str | None = None

    @classmethod
    def of(cls, connection: Any, auth_type: str = "basic") -> MailServer:
        """Return the server that a connection describes, with the ``[smtp]`` options where it says nothing or is None."""
        host = str(default("smtp", "smtp_host", "localhost"))
        port, tls = int(default("smtp", "smtp_port", 25)), _flag(default("smtp", "smtp_starttls", True))
        whole = _flag(default("smtp", "smtp_ssl", False))
        sender = str(default("email", "from_email", None) or default("smtp", "smtp_mail_from", "airflow@example.com"))
        timeout, retries = float(default("smtp", "smtp_timeout", 30)), int(default("smtp", "smtp_retry_limit", 5))
        if connection is None:
            user, password = default("smtp", "smtp_user", None), default("smtp", "smtp_password", None)
            return cls(host, port, user, password, tls, whole, timeout, retries, sender, auth_type)
        extra = connection.extra_dejson
        whole = not _flag(extra.get("disable_ssl", False))
        return cls(
            host=connection.host or host,
            port=int(connection.port or (465 if whole else 25)),
            user=connection.login or None,
            password=connection.password or None,
            starttls=not whole and not _flag(extra.get("disable_tls", False)),
            ssl=whole,
            timeout=float(extra.get("timeout", timeout)),
            retry_limit=int(extra.get("retry_limit", retries)),
            sender=extra.get("from_email") or sender,
            auth_type=auth_type,
            subject_template=extra.get("subject_template"),
            html_content_template=extra.get("html_content_template"),
        )

    def send(self, message: EmailMessage, recipients: Iterable[Any]) -> None:
        """Send a message; a server that does not answer is asked again, one that refuses is not."""
        to = [address for group in recipients for address in addresses(group)]
        for attempt in range(1, max(1, self.retry_limit) + 1):
            try:
                with self._connect() as server:
                    server.send_message(message, to_addrs=to)
                return
            except (smtplib.SMTPServerDisconnected, smtplib.SMTPConnectError, TimeoutError):
                if attempt >= self.retry_limit:
                    raise

    def _connect(self) -> smtplib.SMTP:
        context = ssl.create_default_context() if default("email", "ssl_context", "default") == "default" else None
        if self.ssl:
            server: smtplib.SMTP = smtplib.SMTP_SSL(self.host, self.port, timeout=self.timeout, context=context)
        else:
            server = smtplib.SMTP(self.host, self.port, timeout=self.timeout)
            if self.starttls:
                server.starttls(context=context)
        if self.user and self.password:
            server.login(self.user, self.password)
        return server


def _flag(value: Any) -> bool:
    return value.strip().lower() in ("true", "1", "yes", "on", "t") if isinstance(value, str) else bool(value)


def compose(
    to: Any,
    subject: str,
    content: str,
    *,
    sender: str,
    cc: Any = None,
    files: Iterable[str] = (),
    subtype: str = "mixed",
    charset: str = "utf-8",
    headers: dict[str, Any] | None = None,
) -> EmailMessage:
    """Return the message; ``bcc`` is no part of it. Raises ``OSError`` for an attachment that cannot be read."""
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = subject, sender, ", ".join(addresses(to))
    message["Date"], message["Message-ID"] = formatdate(localtime=True), make_msgid()
    if cc:
        message["Cc"] = ", ".join(addresses(cc))
    for name, value in (headers or {}).items():
        message[name] = str(value)
    message.set_content(content, subtype="html", charset=charset)
    for path in files:
        kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
        main, _, sub = kind.partition("/")
        message.add_attachment(Path(path).read_bytes(), maintype=main, subtype=sub, filename=Path(path).name)
    if subtype != "mixed" and message.is_multipart():
        message.set_type(f"multipart/{subtype}")
    return message
