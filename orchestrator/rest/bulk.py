"""Decides how a bulk body is read and carried out: create, update and delete actions, each whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from orchestrator.rest import scalars
from orchestrator.rest.bodies import Body, Field, Values
from orchestrator.rest.errors import InvalidError, ProblemError

_EXISTENCE = {"create": ("action_on_existence", ("fail", "skip", "overwrite"))}
_NON_EXISTENCE = ("action_on_non_existence", ("fail", "skip"))


@dataclass(frozen=True, slots=True)
class Kind:
    """What is changed in bulk.

    Args:
        entity: the body of one entity.
        key: the field that names it.
        found: returns which of these names exist.
        write: creates or changes one entity; the second argument is the update mask or None.
        delete: deletes by names.
        missing, present: the texts of the refusals, with ``{names}``.
    """

    entity: Body
    key: str
    found: Callable[[Collection[str]], set[str]]
    write: Callable[[Values, Sequence[str] | None], None]
    delete: Callable[[Collection[str]], None]
    missing: str
    present: str


class ActionRefusedError(Exception):
    """An action that is not carried out; ``status`` and the text stand in the answer."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def bulk_body(name: str, entity: Body) -> Body:
    """Return the body ``{"actions": [...]}`` for one kind of entity."""
    return Body(name, {"actions": Field(lambda value: _actions(value, entity), required=True, null=False)})


def run_bulk(actions: Sequence[Mapping[str, Any]], kind: Kind) -> dict[str, Any]:
    """Carry the actions out in order; each answers with the names done or with its refusal."""
    answer: dict[str, Any] = {"create": None, "update": None, "delete": None}
    for action in actions:
        result = answer[action["action"]] = answer[action["action"]] or {"success": [], "errors": []}
        try:
            with transaction.atomic():
                result["success"] += _RUN[action["action"]](action, kind)
        except ActionRefusedError as error:
            result["errors"].append({"error": str(error), "status_code": error.status})
    return answer


def _create(action: Mapping[str, Any], kind: Kind) -> list[str]:
    names = [entity[kind.key] for entity in action["entities"]]
    there = kind.found(names)
    if there and action["on"] == "fail":
        raise ActionRefusedError(409, kind.present.format(names=there))
    chosen = [e for e in action["entities"] if action["on"] == "overwrite" or e[kind.key] not in there]
    for entity in chosen:
        kind.write(entity, None)
    return [entity[kind.key] for entity in chosen]


def _update(action: Mapping[str, Any], kind: Kind) -> list[str]:
    names = [entity[kind.key] for entity in action["entities"]]
    there = _existing(names, action, kind)
    for entity in action["entities"]:
        if entity[kind.key] in there:
            kind.write(entity, action["update_mask"] or list(entity.given))
    return [name for name in names if name in there]


def _delete(action: Mapping[str, Any], kind: Kind) -> list[str]:
    names = [entity if isinstance(entity, str) else entity[kind.key] for entity in action["entities"]]
    there = _existing(names, action, kind)
    kind.delete(there)
    return [name for name in names if name in there]


def _existing(names: Sequence[str], action: Mapping[str, Any], kind: Kind) -> set[str]:
    there = kind.found(names)
    if (gone := set(names) - there) and action["on"] == "fail":
        raise ActionRefusedError(404, kind.missing.format(names=gone))
    return there


_RUN = {"create": _create, "update": _update, "delete": _delete}


def _actions(value: Any, entity: Body) -> list[dict[str, Any]]:
    if not isinstance(value, list):
        raise ProblemError("list_type", "Input should be a valid list")
    return [_action(item, entity, number) for number, item in enumerate(value)]


def _action(item: Any, entity: Body, number: int) -> dict[str, Any]:
    where: list[str | int] = ["body", "actions", number]
    if not isinstance(item, dict):
        raise InvalidError([ProblemError("dict_type", "Input should be a valid dictionary").at(where, item)])
    word = _checked(item, "action", scalars.choice(*_RUN, kind="literal_error"), where)
    option, allowed = _EXISTENCE.get(word, _NON_EXISTENCE)
    on = _checked({option: "fail"} | item, option, scalars.choice(*allowed), where)
    entities = item.get("entities")
    if not isinstance(entities, list):
        raise InvalidError([ProblemError("list_type", "Input should be a valid list").at([*where, "entities"], entities)])
    known = {"action", option, "entities", "update_mask"}
    if extra := sorted(set(item) - known):
        problem = ProblemError("extra_forbidden", "Extra inputs are not permitted")
        raise InvalidError([problem.at([*where, name], item[name]) for name in extra])
    read = [_entity(e, entity, word, [*where, "entities", n]) for n, e in enumerate(entities)]
    return {"action": word, "on": on, "entities": read, "update_mask": item.get("update_mask")}


def _checked(item: Mapping[str, Any], name: str, parse: scalars.Parser, where: list[str | int]) -> str:
    try:
        return str(parse(item.get(name)))
    except ProblemError as problem:
        raise InvalidError([problem.at([*where, name], item.get(name))]) from problem


def _entity(value: Any, entity: Body, word: str, where: list[str | int]) -> Any:
    if word == "delete" and isinstance(value, str):
        return value
    return entity.read_document(value, tuple(where))
