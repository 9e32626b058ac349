"""Decides what a param is: a default with a JSON schema, and how values given to a run are checked against it."""

from __future__ import annotations

import contextlib
import copy
import json
from collections.abc import ItemsView, Iterator, Mapping, MutableMapping, ValuesView
from typing import Any

from orchestrator.sdk.definitions.dependency import ResolveMixin
from orchestrator.sdk.definitions.sentinels import NOTSET, is_arg_set
from orchestrator.sdk.exceptions import ParamValidationError


class Param:
    """A value that a run may be given: default, description, and JSON schema as further keyword arguments."""

    CLASS_IDENTIFIER = "__class"

    def __init__(self, default: Any = NOTSET, description: str | None = None, source: str | None = None, **kwargs: Any) -> None:
        if is_arg_set(default):
            _check_json(default)
        self.value, self.description, self.source = default, description, source
        self.schema: dict[str, Any] = kwargs.pop("schema", None) or kwargs

    def __copy__(self) -> Param:
        return Param(self.value, self.description, schema=self.schema, source=self.source)

    def resolve(self, value: Any = NOTSET, suppress_exception: bool = False) -> Any:
        """Return ``value`` (or the default) after the check against the schema.

        Raises ``ParamValidationError``; with ``suppress_exception`` returns None instead.
        """
        final = value if is_arg_set(value) else self.value
        try:
            self._check(final, is_arg_set(value))
        except ParamValidationError:
            if suppress_exception:
                return None
            raise
        self.value = final
        return final

    def _check(self, value: Any, given: bool) -> None:
        if given:
            _check_json(value)
        if not is_arg_set(value):
            raise ParamValidationError("No value passed and Param has no default value")
        if self.schema:
            _check_schema(value, self.schema)

    def dump(self) -> dict[str, Any]:
        """Return value, description and schema."""
        return {self.CLASS_IDENTIFIER: "airflow.sdk.definitions.param.Param", **self.serialize()}

    def serialize(self) -> dict[str, Any]:
        """Return value, description, schema and source."""
        value = self.value if is_arg_set(self.value) else None
        return {"value": value, "description": self.description, "schema": self.schema, "source": self.source}

    @staticmethod
    def deserialize(data: dict[str, Any], version: int = 1) -> Param:
        """Build the param from what ``serialize`` returned."""
        return Param(data["value"], data.get("description"), source=data.get("source"), schema=data["schema"])

    @property
    def has_value(self) -> bool:
        """Return whether there is a default that is not None."""
        return is_arg_set(self.value) and self.value is not None


class ParamsDict(MutableMapping[str, Any]):
    """Params by name; reading a name gives the checked value."""

    def __init__(self, dict_obj: Mapping[str, Any] | None = None, suppress_exception: bool = False) -> None:
        self.suppress_exception = suppress_exception
        self.__dict: dict[str, Param] = {}
        source = dict_obj.__dict if isinstance(dict_obj, ParamsDict) else dict_obj or {}
        for name, value in source.items():
            self.__dict[name] = copy.copy(value) if isinstance(value, Param) else Param(value)

    def __getitem__(self, key: str) -> Any:
        return self.__dict[key].resolve(suppress_exception=self.suppress_exception)

    def __setitem__(self, key: str, value: Any) -> None:
        if isinstance(value, Param):
            self.__dict[key] = value
            return
        param = self.__dict.get(key)
        if param is None:
            self.__dict[key] = Param(value)
            return
        try:
            param.resolve(value=value, suppress_exception=self.suppress_exception)
        except ParamValidationError as error:
            raise ParamValidationError(f"Invalid input for param {key}: {error}") from None

    def __delitem__(self, key: str) -> None:
        del self.__dict[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.__dict)

    def __len__(self) -> int:
        return len(self.__dict)

    def __contains__(self, key: object) -> bool:
        return key in self.__dict

    def __bool__(self) -> bool:
        return bool(self.__dict)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, ParamsDict):
            return self.dump() == other.dump()
        return self.dump() == other if isinstance(other, dict) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __copy__(self) -> ParamsDict:
        return ParamsDict(self, self.suppress_exception)

    def __deepcopy__(self, memo: dict[int, Any] | None) -> ParamsDict:
        values = {
            name: Param(copy.deepcopy(p.value, memo), p.description, p.source, schema=p.schema) for name, p in self.__dict.items()
        }
        return ParamsDict(values, self.suppress_exception)

    def __repr__(self) -> str:
        return repr({name: param.value for name, param in self.__dict.items()})

    def get_param(self, key: str) -> Param:
        """Return the param itself, not its value."""
        return self.__dict[key]

    def items(self) -> ItemsView[str, Any]:
        """Return names and params."""
        return ItemsView(self.__dict)

    def values(self) -> ValuesView[Any]:
        """Return the params."""
        return ValuesView(self.__dict)

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Take over names from other params or values; new values are checked against schemas that are here."""
        if len(args) == 1 and not kwargs and isinstance(args[0], ParamsDict):
            self.__dict.update({name: copy.copy(param) for name, param in args[0].__dict.items()})
            return
        super().update(*args, **kwargs)

    def dump(self) -> dict[str, Any]:
        """Return the checked values by name."""
        return {name: self[name] for name in self}

    def serialize(self) -> dict[str, Any]:
        """Return the params by name as JSON types."""
        return {name: param.serialize() for name, param in self.__dict.items()}

    @staticmethod
    def deserialize(data: dict[str, Any], version: int = 1) -> ParamsDict:
        """Build params from what ``serialize`` returned."""
        return ParamsDict({name: Param.deserialize(item, version) for name, item in data.items()})

    def validate(self) -> dict[str, Any]:
        """Return all checked values; raises ``ParamValidationError`` that names the param."""
        values = {}
        for name, param in self.__dict.items():
            try:
                values[name] = param.resolve(suppress_exception=self.suppress_exception)
            except ParamValidationError as error:
                raise ParamValidationError(f"Invalid input for param {name}: {error}") from None
        return values

    def _fill_missing_param_source(self, source: str) -> None:
        for param in self.__dict.values():
            param.source = param.source or source

    @staticmethod
    def filter_params_by_source(params: ParamsDict, source: str) -> ParamsDict:
        """Return the params that came from ``"dag"`` or ``"task"``."""
        return ParamsDict({name: param for name, param in params.items() if param.source == source})


class DagParam(ResolveMixin):
    """A reference to a param of the DAG, from ``dag.param("name")`` or an argument of a ``@dag`` function."""

    def __init__(self, current_dag: Any, name: str, default: Any = NOTSET) -> None:
        if is_arg_set(default):
            current_dag.params[name] = default
        self._name, self._default = name, default

    def iter_references(self) -> tuple[()]:
        """Return nothing: a param needs no task."""
        return ()

    def resolve(self, context: Any) -> Any:
        """Return the value from the run's conf, else the default, else the DAG's param; raises ``AirflowException``."""
        from orchestrator.sdk.exceptions import AirflowException

        conf = getattr(context["dag_run"], "conf", None) or {}
        if self._name in conf:
            return conf[self._name]
        if is_arg_set(self._default):
            return self._default
        with contextlib.suppress(KeyError):
            return context["params"][self._name]
        raise AirflowException(f"No value could be resolved for param {self._name!r}")


def process_params(dag: Any, task: Any, dagrun_conf: dict[str, Any] | None, *, suppress_exception: bool) -> dict[str, Any]:
    """Return the values of one task instance: DAG params, task params, then the run's conf where that is allowed."""
    from orchestrator.sdk.configuration_defaults import default

    params = ParamsDict(suppress_exception=suppress_exception)
    for source in (dag.params, task.params):
        if source:
            params.update(source if isinstance(source, ParamsDict) else ParamsDict(source))
    if default("core", "dag_run_conf_overrides_params", True) and dagrun_conf:
        params.update(dagrun_conf)
    return params.validate()


def check_params(dag: Any, conf: Mapping[str, Any] | None) -> None:
    """Raise ``ParamValidationError`` unless the DAG's params, with ``conf`` over them, are what their schemas ask for."""
    params = ParamsDict(dag.params)
    params.update(dict(conf or {}))
    params.validate()


def _check_json(value: Any) -> None:
    try:
        json.dumps(value)
    except (TypeError, ValueError):
        raise ParamValidationError(f"All provided parameters must be json-serializable; got {value!r:.100}") from None


def _check_schema(value: Any, schema: dict[str, Any]) -> None:
    import jsonschema
    from jsonschema import FormatChecker

    try:
        jsonschema.validate(value, schema, format_checker=FormatChecker())
    except jsonschema.SchemaError as error:
        raise ParamValidationError(f"the JSON schema of the param is wrong: {error.message}") from error
    except jsonschema.ValidationError as error:
        raise ParamValidationError(str(error)) from None
