"""Decides how ``@asset`` turns a function into an asset, and into the DAG that updates it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from orchestrator.sdk.definitions.asset import Asset, AssetAll, AssetNameRef, BaseAsset
from orchestrator.sdk.definitions.context_keys import CONTEXT_KEYS
from orchestrator.sdk.definitions.dag import DAG
from orchestrator.sdk.definitions.decorated import TaskDecorator
from orchestrator.sdk.operators.python import PythonOperator

_NOT_INLETS = frozenset({"self", "context"}) | CONTEXT_KEYS


class _AssetMainOperator(PythonOperator):
    """Calls the function of an ``@asset``; arguments named as inlets get those assets."""

    def __init__(self, *, definition_name: str, uri: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._definition_name, self._uri = definition_name, uri

    def determine_kwargs(self, context: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the asset for ``self``, the context for ``context``, and an inlet for any other name."""
        from orchestrator.sdk.execution.asset_events import asset_named

        found: dict[str, Any] = {}
        inlets = {item.name: item for item in self.inlets if hasattr(item, "name")}
        for name, parameter in inspect.signature(self.python_callable).parameters.items():
            if parameter.default is not parameter.empty:
                found[name] = parameter.default
            elif name == "self":
                found[name] = Asset(self._definition_name, self._uri)
            elif name == "context":
                found[name] = context
            elif name in CONTEXT_KEYS:
                found[name] = context[name]
            else:
                found[name] = inlets[name] if isinstance(inlets.get(name), Asset) else asset_named(name)
        return found


class AssetDefinition(Asset):
    """The asset that an ``@asset`` function stands for."""

    def __init__(self, function: Callable[..., Any], source: asset) -> None:
        name = source.name or function.__name__
        super().__init__(name, source.uri or name, group=source.group, extra=source.extra, watchers=source.watchers)
        self._function, self._source = function, source
        with source.create_dag(default_dag_id=name):
            _make_task(function, name, self.uri, [self])


class MultiAssetDefinition(AssetAll):
    """The assets that an ``@asset.multi`` function stands for."""

    def __init__(self, name: str, function: Callable[..., Any], source: _Multi) -> None:
        super().__init__(*source.outlets)
        self.name, self._function, self._source = name, function, source
        with source.create_dag(default_dag_id=name):
            _make_task(function, name, None, source.outlets)

    def iter_outlets(self) -> Iterator[BaseAsset]:
        """Return the assets."""
        return iter(self.objects)


def _make_task(function: Any, name: str, uri: str | None, outlets: Collection[BaseAsset]) -> None:
    """Make the task of the DAG that is open: what a ``@task...`` below the ``@asset`` says, else a plain call of the function."""
    if isinstance(function, TaskDecorator):
        function.override(outlets=list(outlets))()
        return
    inlets = [
        AssetNameRef(parameter)
        for parameter, facts in inspect.signature(function).parameters.items()
        if parameter not in _NOT_INLETS and facts.default is facts.empty
    ]
    _AssetMainOperator(
        task_id=function.__name__,
        definition_name=name,
        uri=uri,
        python_callable=function,
        inlets=inlets,
        outlets=list(outlets),
    )


class _DagFactory:
    """Arguments of the DAG around the function."""

    def __init__(self, *, schedule: Any, dag_id: str | None = None, **dag_arguments: Any) -> None:
        self.schedule, self.dag_id, self.dag_arguments = schedule, dag_id, dag_arguments

    def create_dag(self, *, default_dag_id: str) -> DAG:
        """Return the DAG; it makes no runs for the past."""
        return DAG(dag_id=self.dag_id or default_dag_id, schedule=self.schedule, catchup=False, **self.dag_arguments)


class _Multi(_DagFactory):
    """``@asset.multi(schedule=..., outlets=[...])``."""

    def __init__(self, *, outlets: Collection[BaseAsset], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not outlets:
            raise ValueError("@asset.multi needs outlets: the assets that the function updates")
        self.outlets = list(outlets)

    def __call__(self, function: Callable[..., Any]) -> MultiAssetDefinition:
        _check(function)
        return MultiAssetDefinition(function.__name__, function, self)


class asset(_DagFactory):
    """``@asset(schedule=...)``: the function's name is the name of the asset and of its DAG."""

    def __init__(
        self,
        *,
        name: str | None = None,
        uri: Any = None,
        group: str = "asset",
        extra: dict[str, Any] | None = None,
        watchers: list[Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.name, self.uri, self.group = name, uri, group
        self.extra, self.watchers = extra or {}, watchers or []

    multi = _Multi

    def __call__(self, function: Callable[..., Any]) -> AssetDefinition:
        _check(function)
        if (self.name or function.__name__) in ("self", "context"):
            raise ValueError(f"prohibited name for asset: {self.name or function.__name__}")
        return AssetDefinition(function, self)


def _check(function: Callable[..., Any]) -> None:
    if isinstance(function, TaskDecorator):
        if "outlets" in function.kwargs:
            raise TypeError("@task(outlets=...) cannot be below @asset: its outlet is the asset")
        return
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise TypeError("wildcard positional and keyword arguments are not supported in @asset")
        if parameter.kind is parameter.POSITIONAL_ONLY:
            raise TypeError("positional-only arguments without defaults are not supported in @asset")
