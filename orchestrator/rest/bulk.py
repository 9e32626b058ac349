"""Decides how a bulk body is carried out: create, update and delete actions, each whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from orchestrator.rest.bodies import Body, Values


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
