"""Decides how others read DAGs and their versions."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import lru_cache
from uuid import UUID

from django.db.models import QuerySet

from dags_app.models import Bundle, DagVersion, ParseImportError
from orchestrator.sdk.serialization.spec import DagSpec, TaskSpec, from_json

# Bounded by count (C11-c); a version that is updated in place changes its hash, which is part of the key.
_CACHED_VERSIONS = 256


class SpecUnreadableError(Exception):
    """The stored document of a DAG version cannot be read; the DAG is set aside until its version changes."""


def spec_of(version_id: UUID) -> DagSpec:
    """Return the DAG as its version describes it; the value is shared and must not be changed.

    Raises:
        SpecUnreadableError: naming the version and what is wrong with its document.
    """
    return _read(version_id, _hashes(version_id))[0]


def spec_of_loaded(version: DagVersion) -> DagSpec:
    """Return the DAG as a version describes it whose hashes are in memory; as ``spec_of``, without asking for them."""
    return _read(version.pk, (version.structure_hash, version.attributes_hash))[0]


def specs_of(version_ids: Iterable[UUID]) -> dict[UUID, DagSpec]:
    """Return many DAGs as their versions describe them: one query, and one for each that is not in memory.

    What cannot be read is left out.
    """
    rows = DagVersion.objects.filter(pk__in=set(version_ids)).values_list("pk", "structure_hash", "attributes_hash")
    found: dict[UUID, DagSpec] = {}
    for version_id, structure, attributes in rows:
        try:
            found[version_id] = _read(version_id, (structure, attributes))[0]
        except (SpecUnreadableError, DagVersion.DoesNotExist):
            continue
    return found


def task_of_version(version_id: UUID, task_id: str) -> TaskSpec | None:
    """Return one task of a version, or None where it has no such task. Raises ``SpecUnreadableError`` as ``spec_of``."""
    return _read(version_id, _hashes(version_id))[1].get(task_id)


def task_of_loaded(version: DagVersion, task_id: str) -> TaskSpec | None:
    """Return one task of a version whose hashes are in memory; as ``task_of_version``, without asking for them."""
    return _read(version.pk, (version.structure_hash, version.attributes_hash))[1].get(task_id)


def _hashes(version_id: UUID) -> tuple[str, str]:
    found = DagVersion.objects.filter(pk=version_id).values_list("structure_hash", "attributes_hash").first()
    if found is None:
        raise SpecUnreadableError(f"DAG version {version_id} does not exist any more")
    return found


@lru_cache(maxsize=_CACHED_VERSIONS)
def _read(version_id: UUID, hashes: tuple[str, str]) -> tuple[DagSpec, dict[str, TaskSpec]]:
    version = DagVersion.objects.only("document", "dag_id", "version_number").get(pk=version_id)
    try:
        spec = from_json(json.loads(version.document))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise SpecUnreadableError(
            f"the stored document of {version.dag_id} version {version.version_number} cannot be read: "
            f"{type(error).__name__}: {error}; save the DAG file again to store it anew"
        ) from error
    return spec, spec.task_by_id()


def specs_cached() -> tuple[int, int, int]:
    """Return how often ``spec_of`` of this process found a version in its memory, how often not, and how many it has there."""
    info = _read.cache_info()
    return info.hits, info.misses, info.currsize


def bundles_unreadable() -> QuerySet[Bundle]:
    """Return the active bundles that could not be read at the last look, for the banner."""
    return Bundle.objects.filter(is_active=True, unreadable_since__isnull=False).order_by("name")


def import_errors() -> QuerySet[ParseImportError]:
    """Return all import errors, newest first."""
    return ParseImportError.objects.select_related("bundle").order_by("-timestamp", "pk")
