"""Decides how connections and variables are typed in: secrets go in and never come out, ``***`` keeps what is stored."""

import json
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from orchestrator.sdk.execution.masking import MASK
from vault.connection_rules import id_problem
from vault.keys import UndecryptableError
from vault.models import Connection, Variable
from vault.shown import kept_extra, kept_value, shown_extra, shown_value

_KEEPS = f"{MASK} stands for a stored secret and keeps it."
_LOST = "What is stored cannot be decrypted (%s). Enter it again; left empty, it stays as it is."


class SecretInput(forms.PasswordInput):
    """An input that never shows its value."""

    def __init__(self) -> None:
        super().__init__(attrs={"autocomplete": "new-password"}, render_value=False)


class KeepingForm(forms.ModelForm):  # type: ignore[type-arg]
    """Counts a secret as changed only where what will be stored differs from what is."""

    secrets: tuple[str, ...] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # As it is now: saving puts the new values into the same instance.
        self.columns: dict[str, Any] = {name: getattr(self.instance, name) for name in self.secrets}
        self.clear: dict[str, str | None] = {}
        self.lost: dict[str, str] = {}
        for name in self.secrets:
            try:
                self.clear[name] = getattr(self.instance, f"get_{name}")()
            except UndecryptableError as error:
                self.lost[name] = error.short

    @property
    def changed_data(self) -> list[str]:
        """The names of what the form really changes."""
        cleaned = getattr(self, "cleaned_data", {})
        names = [name for name in super().changed_data if name not in (*self.secrets, "forget_password")]
        return names + [name for name in self.secrets if name in cleaned and self._is_new(name, cleaned[name])]

    def _is_new(self, name: str, value: str | None) -> bool:
        if value is self.columns[name]:
            return False
        return name in self.lost or (value or None) != (self.clear[name] or None)

    def help_for(self, name: str, text: str) -> str:
        """Return the help text of a secret: that it is lost, where no key opens it."""
        return _LOST % self.lost[name] if name in self.lost else text


class ConnectionForm(KeepingForm):
    """A connection; which of its fields matter is said by its type."""

    secrets = ("password", "extra")
    conn_type = forms.CharField(
        label="Type", max_length=500, widget=forms.TextInput(attrs={"list": "connection-types", "autocomplete": "off"})
    )
    password = forms.CharField(required=False, widget=SecretInput, strip=False)
    forget_password = forms.BooleanField(required=False, label="Remove the stored password")
    port = forms.IntegerField(required=False, min_value=0, max_value=65535)
    extra = forms.CharField(
        required=False, widget=forms.Textarea(attrs={"rows": 8, "class": "vLargeTextField", "spellcheck": "false"})
    )

    class Meta:
        model = Connection
        fields = [
            "conn_id",
            "conn_type",
            "description",
            "host",
            "schema",
            "login",
            "password",
            "forget_password",
            "port",
            "extra",
        ]
        labels = {"conn_id": "Connection id"}
        widgets = {
            "description": forms.Textarea(attrs={"rows": 2, "class": "vLargeTextField"}),
            **{name: forms.TextInput(attrs={"class": "vTextField"}) for name in ("host", "schema", "login")},
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "extra" not in self.fields:  # who may only look gets no inputs
            return
        keeps = "A password is stored; leave this empty to keep it." if self.columns["password"] else ""
        self.fields["password"].help_text = self.help_for("password", keeps)
        if not self.columns["password"]:
            self.fields["forget_password"].widget = forms.HiddenInput()
        self.fields["extra"].help_text = self.help_for("extra", f"A JSON object. {_KEEPS}")
        self.initial["extra"] = "" if "extra" in self.lost else _pretty(shown_extra(self.instance))

    def clean_conn_id(self) -> str:
        """Refuse new ids that no environment variable and no URL could carry; one that is stored stays."""
        conn_id = str(self.cleaned_data["conn_id"])
        if conn_id != self.initial.get("conn_id") and (why := id_problem(conn_id)):
            raise ValidationError(f"The id {why}: DAGs and environment variables name the connection by it.")
        return conn_id

    def clean_extra(self) -> str | None:
        """Return what to store: JSON, with the stored secrets where they were kept."""
        given = str(self.cleaned_data["extra"]).strip()
        if not given and "extra" in self.lost:
            return self.columns["extra"]  # type: ignore[no-any-return]
        try:
            if given and not isinstance(json.loads(given), dict):
                raise ValidationError('A JSON object is needed, such as {"key": "value"}.')
        except ValueError as error:
            raise ValidationError(f"This is no JSON: {error}.") from None
        try:
            return kept_extra(self.instance, given) or None
        except UndecryptableError as error:
            raise ValidationError(f"What {MASK} stands for cannot be decrypted ({error.short}).") from None

    def clean(self) -> dict[str, Any]:
        """Keep the stored password where none was typed."""
        cleaned = super().clean() or self.cleaned_data
        if not cleaned.get("password"):
            cleaned["password"] = None if cleaned.get("forget_password") else self.columns["password"]
        return cleaned


class VariableForm(KeepingForm):
    """A variable; a value under a secret-looking key, or a part of one, is shown as ``***``."""

    secrets = ("val",)
    val = forms.CharField(
        label="Value",
        required=False,
        strip=False,
        help_text=_KEEPS,
        widget=forms.Textarea(attrs={"rows": 8, "class": "vLargeTextField", "spellcheck": "false"}),
    )

    class Meta:
        model = Variable
        fields = ["key", "val", "description"]
        widgets = {"description": forms.Textarea(attrs={"rows": 2, "class": "vLargeTextField"})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "val" in self.fields and self.instance.pk:
            self.fields["val"].help_text = self.help_for("val", _KEEPS)
            self.initial["val"] = "" if "val" in self.lost else shown_value(self.instance)

    def clean_val(self) -> str:
        """Return the value to store; a variable has one."""
        given = str(self.cleaned_data["val"])
        if not given and "val" in self.lost:
            return self.columns["val"]  # type: ignore[no-any-return]
        if not given:
            raise ValidationError("A variable needs a value.")
        try:
            return kept_value(self.instance, given)
        except UndecryptableError as error:
            raise ValidationError(f"What {MASK} stands for cannot be decrypted ({error.short}).") from None


def _pretty(text: str | None) -> str:
    return json.dumps(json.loads(text), indent=2, ensure_ascii=False) if text and text != MASK else text or ""
