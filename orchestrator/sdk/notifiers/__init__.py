"""The built-in notifiers: e-mail, Slack and plain webhooks."""
