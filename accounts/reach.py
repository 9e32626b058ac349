"""Decides which DAGs the present request reaches: default managers of what belongs to a DAG show no others (C30-a).

Outside of a request, and for people whom no rule limits, the managers are as Django makes them.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db.models import Exists, OuterRef, Q, QuerySet


@dataclass(frozen=True, slots=True)
class Scope:
    """The DAGs that somebody reaches, as a condition on ``Dag``, and who it is."""

    dags: Q
    user_name: str


_scope: ContextVar[Scope | None] = ContextVar("dag_scope", default=None)

# The way from a row to its DAG's id.
PATHS = {
    "dags_app.Dag": "pk",
    "dags_app.DagTag": "dag_id",
    "dags_app.DagOwnerLink": "dag_id",
    "dags_app.DagLink": "dag_id",
    "dags_app.DagVersion": "dag_id",
    "dags_app.DagWarning": "dag_id",
    "dags_app.DagFavorite": "dag_id",
    "dags_app.AssetReference": "dag_id",
    "runs.DagRun": "dag_id",
    "runs.TaskInstance": "dag_id",
    "runs.TaskInstanceHistory": "dag_id",
    "runs.XCom": "dag_id",
    "runs.Backfill": "dag_id",
    "runs.BackfillRun": "backfill__dag_id",
    "runs.Deadline": "dag_id",
    "runs.Callback": "dag_id",
    "runs.AlertMute": "dag_id",
    "runs.AssetDelivery": "dag_id",
    "runs.PartitionWait": "dag_id",
    "runs.PartitionArrival": "wait__dag_id",
    "runs.Hold": "dag_run__dag_id",
    "runs.HITLDetail": "dag_run__dag_id",
    "runs.TaskState": "dag_run__dag_id",
    "runs.StateChange": "dag_run__dag_id",
    "runs.RunEvent": "dag_run__dag_id",
    "runs.RenderedFields": "dag_run__dag_id",
    "runs.TaskReschedule": "dag_run__dag_id",
    "runs.TaskLease": "dag_run__dag_id",
}


def reached_dags(scope: Scope) -> QuerySet[Any]:
    """Return the rows of ``Dag`` within a scope."""
    return apps.get_model("dags_app", "Dag")._base_manager.filter(scope.dags)


def _by_path(path: str) -> Any:
    return lambda scope: Q(**{f"{path}__in": reached_dags(scope).values("pk")})


def _asset_event(scope: Scope) -> Q:
    """Events of reached DAGs, and those that come from no DAG and concern an asset of a reached one."""
    of_asset = Q(source_dag_id__isnull=True) | Q(source_dag_id="")
    assets = apps.get_model("dags_app", "Asset")._base_manager.filter(_asset(scope))
    return Q(source_dag_id__in=reached_dags(scope).values("pk")) | (of_asset & Q(asset__in=assets.values("pk")))


def _asset(scope: Scope) -> Q:
    references = apps.get_model("dags_app", "AssetReference")._base_manager
    return Q(pk__in=references.filter(dag__in=reached_dags(scope).values("pk"), asset__isnull=False).values("asset"))


def _alias(scope: Scope) -> Q:
    references = apps.get_model("dags_app", "AssetReference")._base_manager
    return Q(pk__in=references.filter(dag__in=reached_dags(scope).values("pk"), alias__isnull=False).values("alias"))


def _asset_state(scope: Scope) -> Q:
    return Q(asset__in=apps.get_model("dags_app", "Asset")._base_manager.filter(_asset(scope)).values("pk"))


def _import_error(scope: Scope) -> Q:
    """Errors of files that a reached DAG comes from; what a file without any DAG holds, nobody knows."""
    return Q(Exists(reached_dags(scope).filter(bundle=OuterRef("bundle"), relative_fileloc=OuterRef("filename"))))


def _parsed_file(scope: Scope) -> Q:
    return Q(Exists(reached_dags(scope).filter(bundle=OuterRef("bundle"), relative_fileloc=OuterRef("relative_fileloc"))))


def _audit(scope: Scope) -> Q:
    return Q(dag_id__in=reached_dags(scope).values("pk")) | Q(owner=scope.user_name)


def _own(path: str) -> Any:
    """What somebody ordered: others' orders may name DAGs that are hidden from him."""
    return lambda scope: Q(**{path: scope.user_name})


def _code(scope: Scope) -> Q:
    versions = apps.get_model("dags_app", "DagVersion")._base_manager
    return Q(pk__in=versions.filter(dag__in=reached_dags(scope).values("pk")).values("code"))


CONDITIONS = {label: (lambda scope: scope.dags) if path == "pk" else _by_path(path) for label, path in PATHS.items()} | {
    "dags_app.Asset": _asset,
    "dags_app.AssetAlias": _alias,
    "dags_app.DagCode": _code,
    "dags_app.ParseImportError": _import_error,
    "dags_app.ParsedFile": _parsed_file,
    "runs.AssetEvent": _asset_event,
    "runs.AssetState": _asset_state,
    "accounts.AuditLog": _audit,
    "runs.BulkAction": _own("actor"),
    "runs.BulkPart": _own("action__actor"),
    "runs.BulkFailure": _own("action__actor"),
}


class _Reaching:
    """Narrows what a manager gives to the present scope."""

    condition: Any

    def get_queryset(self) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset()  # type: ignore[misc]
        scope = _scope.get()
        return rows if scope is None else rows.filter(type(self).condition(scope))


def limit_managers() -> None:
    """Let the default managers of all models of ``CONDITIONS`` obey the scope; at start, once.

    Not under the type checker: its plugin sets Django up and looks the classes of managers up where they are written.
    """
    if "mypy_django_plugin" in sys.modules:
        return
    for label, condition in CONDITIONS.items():
        model = apps.get_model(label)
        plain = type(model._default_manager)
        made = type(f"Reaching{plain.__name__}", (_Reaching, plain), {"condition": staticmethod(condition)})
        meta = model._meta
        meta.local_managers = [manager for manager in meta.local_managers if manager.name != "objects"]
        model.add_to_class("objects", made())


def current_scope() -> Scope | None:
    """Return the scope that counts now, for work that is done after the request: see ``reaching``."""
    return _scope.get()


def open_scope(scope: Scope | None) -> Any:
    """Set the scope until ``close_scope`` gets what this returns."""
    return _scope.set(scope)


def close_scope(token: Any) -> None:
    """Undo ``open_scope``."""
    _scope.reset(token)


@contextmanager
def reaching(scope: Scope | None) -> Iterator[None]:
    """Limit the managers within the block; None shows everything, for what the platform does on its own behalf."""
    token = _scope.set(scope)
    try:
        yield
    finally:
        _scope.reset(token)
