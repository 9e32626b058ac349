"""Decides the REST operations that show the configuration: only where ``[api] expose_config`` allows it, secrets never."""

from typing import Any

from django.http import HttpResponse

from accounts.roles import Role
from orchestrator.config import conf
from orchestrator.config.option import Option
from orchestrator.config.options import OPTIONS
from orchestrator.rest.accept import wants_text
from orchestrator.rest.errors import NotFoundError, RestError
from orchestrator.rest.operations import Call, Operations
from orchestrator.rest.params import Param, params

operations = Operations("Config")

LIST = params(Param("section"))
HIDDEN = "< hidden >"
_REFUSAL = "Your Airflow administrator chose not to expose the configuration, most likely for security reasons."


@operations.add("GET", "/config", "get_config", role=Role.OP, params=LIST)
def get_config(call: Call) -> dict[str, Any] | HttpResponse:
    """Return all options, or those of one section; as text where the client asks for text."""
    _refuse_unless_exposed()
    section = call.query["section"]
    chosen = [option for option in OPTIONS.values() if not section or section == option.section]
    if not chosen:
        raise NotFoundError(f"Section {section} not found.")
    return _answer(call, chosen)


@operations.add("GET", "/config/section/{section}/option/{option}", "get_config_value", role=Role.OP)
def get_config_value(call: Call) -> dict[str, Any] | HttpResponse:
    """Return one option."""
    _refuse_unless_exposed()
    option = OPTIONS.get((call.path["section"].lower(), call.path["option"].lower()))
    if option is None:
        raise NotFoundError(f"Option [{call.path['section']}/{call.path['option']}] not found.")
    return _answer(call, [option])


def is_exposed() -> bool:
    """Return whether ``[api] expose_config`` allows that people see the configuration."""
    return bool(conf.get("api", "expose_config") != "False")


def _refuse_unless_exposed() -> None:
    if not is_exposed():
        raise RestError(403, _REFUSAL)


def _answer(call: Call, options: list[Option]) -> dict[str, Any] | HttpResponse:
    sections: dict[str, list[dict[str, str]]] = {}
    for option in options:
        sections.setdefault(option.section, []).append({"key": option.key, "value": shown_value(option)})
    if wants_text(call.request):
        lines = [f"[{name}]\n" + "".join(f"{o['key']} = {o['value']}\n" for o in found) for name, found in sections.items()]
        return HttpResponse("\n".join(lines), content_type="text/plain; charset=utf-8")
    return {"sections": [{"name": name, "options": found} for name, found in sections.items()]}


def shown_value(option: Option) -> str:
    """Return the value of an option as people may see it."""
    value = conf.get(option.section, option.key)
    if option.sensitive and (value or conf.get("api", "expose_config") == "non-sensitive-only"):
        return HIDDEN
    return "" if value is None else str(value)
