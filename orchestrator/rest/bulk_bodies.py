"""Decides how the body of a bulk operation is read, and where in it Airflow says that something is wrong."""

from __future__ import annotations

from typing import Any

from orchestrator.rest import scalars
from orchestrator.rest.bodies import Body, Field
from orchestrator.rest.errors import EXTRA, MISSING, InvalidError, ProblemError
from orchestrator.rest.scalars import Parser

_ACTION = scalars.choice("create", "update", "delete", kind="literal_error")
_EXISTENCE = ("action_on_existence", scalars.choice("fail", "skip", "overwrite"))
_NON_EXISTENCE = ("action_on_non_existence", scalars.choice("fail", "skip"))
_NO_LIST = ProblemError("list_type", "Input should be a valid list")

Problems = list[dict[str, Any]]
Where = tuple[str | int, ...]


def bulk_body(name: str, entity: Body, says: int = 2) -> Body:
    """Return the body ``{"actions": [...]}`` for one kind of entity; Airflow reads most of them twice and says so twice."""
    return Body(name, {"actions": Field(lambda value: _actions(value, entity), required=True, null=False)}, says=says)


def _actions(value: Any, entity: Body) -> list[dict[str, Any]]:
    if not isinstance(value, list):
        raise _NO_LIST
    problems: Problems = []
    read = [_action(item, entity, ("body", "actions", number), problems) for number, item in enumerate(value)]
    if problems:
        raise InvalidError(problems)
    return read


def _action(item: Any, entity: Body, where: Where, problems: Problems) -> dict[str, Any]:
    """Return one action; the place of what is wrong inside of it begins with its word, as in Airflow."""
    if not isinstance(item, dict):
        problems.append(ProblemError("dict_type", "Input should be a valid dictionary").at([*where], item))
        return {}
    noted = len(problems)
    word = _parsed(item.get("action"), _ACTION, (*where, "action"), problems)
    if len(problems) > noted:
        return {}
    inside = (*where, str(word))
    option, allowed = _EXISTENCE if word == "create" else _NON_EXISTENCE
    masks = {"update_mask"} if word == "update" else set()
    entities = _entities(item, entity, inside, problems)
    on = _parsed(item.get(option, "fail"), allowed, (*inside, option), problems)
    known = {"action", "entities", option} | masks
    problems += [EXTRA.at([*inside, name], value) for name, value in item.items() if name not in known]
    return {"action": word, "on": on, "entities": entities, "update_mask": item.get("update_mask")}


def _entities(item: dict[str, Any], entity: Body, where: Where, problems: Problems) -> list[Any]:
    here = (*where, "entities")
    if "entities" not in item:
        problems.append(MISSING.at([*here], item))
        return []
    if not isinstance(item["entities"], list):
        problems.append(_NO_LIST.at([*here], item["entities"]))
        return []
    read = _deleted if item["action"] == "delete" else _given
    return [read(value, entity, (*here, number), problems) for number, value in enumerate(item["entities"])]


def _given(value: Any, entity: Body, where: Where, problems: Problems) -> Any:
    try:
        return entity.read_document(value, where)
    except InvalidError as error:
        problems += error.detail
        return None


def _deleted(value: Any, entity: Body, where: Where, problems: Problems) -> Any:
    """Take a name or a whole entity; for anything else say why it is neither."""
    if isinstance(value, str):
        return value
    others: Problems = []
    model = f"function-after[validate_team_name(), {entity.name}]" if entity.check else entity.name
    read = _given(value, entity, (*where, model), others)
    if others:
        problems += [ProblemError("string_type", "Input should be a valid string").at([*where, "str"], value), *others]
    return read


def _parsed(value: Any, parse: Parser, where: Where, problems: Problems) -> Any:
    try:
        return parse(value)
    except ProblemError as problem:
        problems.append(problem.at([*where], value))
        return None
