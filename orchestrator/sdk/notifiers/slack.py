"""Decides how a message goes to Slack, or to anything that takes Slack's webhooks."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from typing import Any

from orchestrator.sdk.notifiers.built_in import BuiltInNotifier, connection_or_none
from orchestrator.sdk.notifiers.webhook import send_json

API = "https://slack.com/api"


class SlackWebhookNotifier(BuiltInNotifier):
    """Posts to an incoming webhook; the connection holds its address, or its token as password."""

    template_fields: Collection[str] = ("slack_webhook_conn_id", "text", "attachments", "blocks", "proxy", "timeout")

    def __init__(
        self,
        *,
        slack_webhook_conn_id: str = "slack_default",
        text: str,
        blocks: list[Any] | None = None,
        unfurl_links: bool | None = None,
        unfurl_media: bool | None = None,
        proxy: str | None = None,
        attachments: Sequence[dict[str, Any]] | None = None,
        timeout: int | None = None,
        retry_handlers: Any = None,
        context: Any = None,
    ) -> None:
        given = {
            "slack_webhook_conn_id": slack_webhook_conn_id,
            "text": text,
            "blocks": blocks,
            "unfurl_links": unfurl_links,
            "unfurl_media": unfurl_media,
            "proxy": proxy,
            "attachments": attachments,
            "timeout": timeout,
            "retry_handlers": retry_handlers,
        }
        super().__init__(given, context)
        self.slack_webhook_conn_id, self.text, self.blocks, self.attachments = slack_webhook_conn_id, text, blocks, attachments
        self.unfurl_links, self.unfurl_media, self.proxy, self.timeout = unfurl_links, unfurl_media, proxy, timeout

    def notify(self, context: Any) -> None:
        """Post the message. Raises ``RuntimeError`` where the webhook refuses it."""
        document: dict[str, Any] = {"text": self.text, "blocks": self.blocks, "attachments": self.attachments}
        document |= {"unfurl_links": self.unfurl_links, "unfurl_media": self.unfurl_media}
        sent = {name: value for name, value in document.items() if value is not None}
        send_json(_webhook(self.slack_webhook_conn_id), sent, {}, timeout=float(self.timeout or 30))


class SlackNotifier(BuiltInNotifier):
    """Posts to a channel with a bot's token; the connection holds it as password."""

    template_fields: Collection[str] = ("text", "channel", "username", "attachments", "blocks", "slack_conn_id", "thread_ts")

    def __init__(
        self,
        *,
        slack_conn_id: str = "slack_api_default",
        text: str = "This is a default message",
        channel: str = "general",
        username: str = "Airflow",
        icon_url: str | None = None,
        attachments: Sequence[Any] = (),
        blocks: Sequence[Any] = (),
        base_url: str = f"{API}/",
        proxy: str | None = None,
        timeout: int | None = None,
        retry_handlers: Any = None,
        unfurl_links: bool = True,
        unfurl_media: bool = True,
        thread_ts: str | None = None,
        context: Any = None,
    ) -> None:
        given = {
            "slack_conn_id": slack_conn_id,
            "text": text,
            "channel": channel,
            "username": username,
            "icon_url": icon_url,
            "attachments": list(attachments) or None,
            "blocks": list(blocks) or None,
            "base_url": base_url,
            "proxy": proxy,
            "timeout": timeout,
            "retry_handlers": retry_handlers,
            "unfurl_links": unfurl_links,
            "unfurl_media": unfurl_media,
            "thread_ts": thread_ts,
        }
        super().__init__(given, context)
        self.slack_conn_id, self.text, self.channel, self.username = slack_conn_id, text, channel, username
        self.attachments, self.blocks, self.thread_ts = list(attachments), list(blocks), thread_ts
        self.icon_url, self.base_url, self.timeout = icon_url, base_url, timeout
        self.unfurl_links, self.unfurl_media = unfurl_links, unfurl_media

    def notify(self, context: Any) -> None:
        """Post the message. Raises ``RuntimeError`` where Slack refuses it."""
        connection = connection_or_none(self.slack_conn_id)
        if connection is None or not connection.password:
            raise ValueError(f"the connection {self.slack_conn_id!r} does not exist or has no password (the bot's token)")
        document = {
            "channel": self.channel,
            "text": self.text,
            "username": self.username,
            "icon_url": self.icon_url,
            "attachments": self.attachments or None,
            "blocks": self.blocks or None,
            "thread_ts": self.thread_ts,
            "unfurl_links": self.unfurl_links,
            "unfurl_media": self.unfurl_media,
        }
        sent = {name: value for name, value in document.items() if value is not None}
        address = f"{self.base_url.rstrip('/')}/chat.postMessage"
        answer = send_json(address, sent, {"Authorization": f"Bearer {connection.password}"}, timeout=float(self.timeout or 30))
        if not _accepted(answer):
            raise RuntimeError(f"Slack refused the message: {answer[:300]}")


def _accepted(answer: str) -> bool:
    try:
        return bool(json.loads(answer).get("ok"))
    except (ValueError, AttributeError):
        return False


def _webhook(conn_id: str) -> str:
    """Return the address of a webhook as Airflow's connections hold it: all in the password, or base and token apart."""
    connection = connection_or_none(conn_id)
    if connection is None:
        raise ValueError(f"the connection {conn_id!r} of the SlackWebhookNotifier does not exist")
    token = connection.password or ""
    if "://" in token:
        return token
    host = connection.host or "https://hooks.slack.com/services"
    base = (
        host if "://" in host else f"{connection.schema or 'https'}://{host}" + (f":{connection.port}" if connection.port else "")
    )
    return f"{base.rstrip('/')}/{token.lstrip('/')}" if token else base


send_slack_webhook_notification = SlackWebhookNotifier
send_slack_notification = SlackNotifier
