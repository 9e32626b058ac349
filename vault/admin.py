"""Decides how connections and variables are edited in the admin: secrets go in and never come out."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from accounts.services import audit_write
from vault.models import Connection, Variable

_KEEP = "Leave it empty to keep what is stored."


class SecretInput(forms.PasswordInput):
    """An input that never shows its value."""

    def __init__(self) -> None:
        super().__init__(attrs={"autocomplete": "new-password"}, render_value=False)


class SecretArea(forms.Textarea):
    """A text area that never shows what is stored, only what was just typed."""

    def format_value(self, value: Any) -> str:
        """Show nothing: the initial value is the stored one."""
        return ""


class KeepingForm(forms.ModelForm):  # type: ignore[type-arg]
    """Keeps a stored secret where its input is left empty."""

    secrets: tuple[str, ...] = ()

    def clean(self) -> dict[str, Any]:
        """Put the stored secret back for an empty input; an empty one of a new row is none."""
        cleaned = super().clean() or self.cleaned_data
        stored = type(self.instance).objects.filter(pk=self.instance.pk).first() if self.instance.pk else None
        for name in self.secrets:
            if not cleaned.get(name):
                cleaned[name] = getattr(stored, name) if stored else None
        return cleaned


class ConnectionForm(KeepingForm):
    """A connection; password and extra are secrets."""

    secrets = ("password", "extra")
    password = forms.CharField(required=False, widget=SecretInput, help_text=_KEEP, strip=False)
    extra = forms.CharField(required=False, widget=SecretArea, help_text=f"JSON object. {_KEEP}")

    class Meta:
        model = Connection
        fields = ["conn_id", "conn_type", "description", "host", "schema", "login", "password", "port", "extra"]


class VariableForm(KeepingForm):
    """A variable; the value is a secret."""

    secrets = ("val",)
    val = forms.CharField(required=False, widget=SecretArea, help_text=_KEEP, label="Value", strip=False)

    class Meta:
        model = Variable
        fields = ["key", "val", "description"]

    def clean(self) -> dict[str, Any]:
        """Refuse a new variable without a value."""
        cleaned = super().clean()
        if cleaned.get("val") is None:
            raise ValidationError({"val": "A variable needs a value."})
        return cleaned


class AuditedAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Writes each change into the audit log, without secrets."""

    event_name = ""

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save, and note which fields changed."""
        super().save_model(request, obj, form, change)
        verb = "patch" if change else "post"
        extra = {"key": str(obj), "fields": form.changed_data}
        audit_write(f"{verb}_{self.event_name}", actor=request.user.get_username(), extra=extra)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Delete, and note what."""
        audit_write(f"delete_{self.event_name}", actor=request.user.get_username(), extra={"key": str(obj)})
        super().delete_model(request, obj)


@admin.register(Connection)
class ConnectionAdmin(AuditedAdmin):
    """Connections."""

    event_name = "connection"
    form = ConnectionForm
    list_display = ["conn_id", "conn_type", "host", "port", "schema", "description", "is_encrypted"]
    list_filter = ["conn_type"]
    search_fields = ["conn_id", "host", "description"]


@admin.register(Variable)
class VariableAdmin(AuditedAdmin):
    """Variables."""

    event_name = "variable"
    form = VariableForm
    list_display = ["key", "description", "is_encrypted"]
    search_fields = ["key", "description"]
