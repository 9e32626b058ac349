"""Decides how an alert becomes an e-mail, and through which mail server it goes."""

from __future__ import annotations

import html
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

from orchestrator.sdk.configuration_defaults import default
from orchestrator.sdk.notifiers.built_in import BuiltInNotifier, connection_or_none
from orchestrator.sdk.notifiers.mail_server import MailServer, compose

SUBJECT = (
    "DAG {{ dag_id }}{% if ti %} - Task {{ ti.task_id }}{% endif %} - Run ID {{ run_id }}"
    "{% if ti %} in State {{ ti.state }}{% endif %}"
)
BODY = (
    "<h3>{{ summary }}</h3><table>"
    "<tr><td>DAG</td><td>{{ dag_id }}</td></tr><tr><td>Run</td><td>{{ run_id }}</td></tr>"
    "{% if ti %}<tr><td>Task</td><td>{{ ti.task_id }}</td></tr><tr><td>Try</td><td>{{ ti.try_number }}</td></tr>"
    "<tr><td>State</td><td>{{ ti.state }}</td></tr><tr><td>Host</td><td>{{ ti.hostname }}</td></tr>{% endif %}"
    "{% if exception %}<tr><td>Error</td><td>{{ exception | string | e }}</td></tr>{% endif %}</table>"
)


class SmtpNotifier(BuiltInNotifier):
    """Sends an e-mail; parameters are those of Airflow's SMTP provider.

    Args:
        to, cc, bcc: addresses, one text (separated by commas) or several.
        from_email: the sender; else that of the connection, of ``[email] from_email``, or of ``[smtp] smtp_mail_from``.
        subject, html_content: templates; else those of the connection's extras, else built-in ones.
        files: paths of attachments, on the worker.
        smtp_conn_id: the connection; where it does not exist, the ``[smtp]`` options are used.
        template: path of the file with ``html_content``.
    """

    template_fields: Collection[str] = (
        "from_email", "to", "subject", "html_content", "files", "cc", "bcc", "mime_subtype", "mime_charset", "custom_headers",
        "smtp_conn_id",
    )  # fmt: skip

    def __init__(
        self,
        to: str | Iterable[str],
        from_email: str | None = None,
        subject: str | None = None,
        html_content: str | None = None,
        files: list[str] | None = None,
        cc: str | Iterable[str] | None = None,
        bcc: str | Iterable[str] | None = None,
        mime_subtype: str = "mixed",
        mime_charset: str = "utf-8",
        custom_headers: dict[str, Any] | None = None,
        smtp_conn_id: str | None = None,
        auth_type: str = "basic",
        *,
        template: str | None = None,
        context: Any = None,
    ) -> None:
        html_content = _file(template) if html_content is None and template is not None else html_content
        given = {name: value for name, value in locals().items() if name not in ("self", "context", "template", "__class__")}
        super().__init__(given, context)
        self.to, self.from_email, self.cc, self.bcc, self.files = to, from_email, cc, bcc, files
        self.subject, self.custom_headers = subject, custom_headers
        self.html_content = html_content
        self.mime_subtype, self.mime_charset, self.auth_type = mime_subtype, mime_charset, auth_type
        self.smtp_conn_id = smtp_conn_id or str(default("email", "email_conn_id", "smtp_default"))

    def notify(self, context: Any) -> None:
        """Send the message. Raises ``smtplib.SMTPException`` or ``OSError`` after the retries that are configured."""
        server = MailServer.of(connection_or_none(self.smtp_conn_id), self.auth_type)
        subject, content, sender = self._texts(server, context)
        message = compose(
            self.to, subject, content, sender=sender, cc=self.cc, files=self.files or (), subtype=self.mime_subtype,
            charset=self.mime_charset, headers=self.custom_headers or {},
        )  # fmt: skip
        server.send(message, [self.to, self.cc, self.bcc])

    def _texts(self, server: MailServer, context: Any) -> tuple[str, str, str]:
        environment = self.get_template_env(context.get("dag"))
        known = {"summary": "", "exception": None, "ti": None, "dag_id": None, "run_id": None, **dict(context)}

        def filled(template: str) -> str:
            return str(self.render_template(template, known, environment))

        subject = self.subject if self.subject is not None else filled(_file(server.subject_template) or SUBJECT)
        content = self.html_content if self.html_content is not None else filled(_file(server.html_content_template) or BODY)
        return " ".join(subject.split()), content, self.from_email or server.sender


def _file(path: str | None) -> str | None:
    return Path(path).read_text().strip() if path else None


def escaped(text: object) -> str:
    """Return a text as HTML, line by line."""
    return html.escape(str(text)).replace("\n", "<br>")


send_smtp_notification = SmtpNotifier
