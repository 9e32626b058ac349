"""Decides what the e-mail of a failed task says and through what it is sent, as the ``[email]`` options ask."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from orchestrator.sdk.configuration_defaults import default
from orchestrator.sdk.notifiers.smtp import SmtpNotifier, escaped

SUBJECT = "Airflow alert: {{ti}}"
BODY = (
    "Try {{try_number}} out of {{max_tries + 1}}<br>Exception:<br>{{exception_html}}<br>"
    'Log: <a href="{{ti.log_url}}">Link</a><br>Host: {{ti.hostname}}<br>'
    'Mark success: <a href="{{ti.mark_success_url}}">Link</a><br>'
)
MANY_SUBJECT = "Airflow alert: {{ grouped | length }} task instances of {{ dag_id }} {{ run_id }}"
MANY_BODY = (
    "{{ summary }}<br><ul>{% for ti in grouped %}"
    '<li><a href="{{ ti.log_url }}">{{ ti.task_id }}{% if ti.map_index >= 0 %}[{{ ti.map_index }}]{% endif %}</a>, '
    "try {{ ti.try_number }}, {{ ti.state }}</li>{% endfor %}</ul>"
)
OWN_BACKENDS = ("", "airflow.utils.email.send_email_smtp", "airflow.utils.email.send_email")


def send_task_email(data: dict[str, Any], context: dict[str, Any]) -> None:
    """Send the e-mail of one delivery, which may stand for several failures. Raises what the mail server raises."""
    many = len(context["grouped"]) > 1
    context = {**context, "exception_html": escaped(context.get("exception"))}
    subject = SmtpTemplate("subject_template", MANY_SUBJECT if many else SUBJECT).text
    content = SmtpTemplate("html_content_template", MANY_BODY if many else BODY).text
    sender = default("email", "from_email", None)
    notifier = SmtpNotifier(to=data["to"], subject=subject, html_content=content, from_email=sender)
    backend = str(default("email", "email_backend", "") or "")
    if backend in OWN_BACKENDS:
        notifier.deliver(context)
        return
    module, _, name = backend.rpartition(".")
    notifier.render_template_fields(context, notifier.get_template_env())
    send = getattr(import_module(module), name)
    send(data["to"], notifier.subject, notifier.html_content, conn_id=notifier.smtp_conn_id, from_email=sender)


class SmtpTemplate:
    """A template out of a file that ``[email]`` names, or the built-in one where there is no such file."""

    def __init__(self, option: str, otherwise: str) -> None:
        path = default("email", option, None)
        self.text = Path(path).read_text() if path and Path(path).exists() else otherwise
