"""Decides when a parsed DAG becomes a new version, changes the newest one in place, or changes nothing.

- Same document: nothing happens, however often the file is parsed.
- Same structure, other attributes (texts, tags, dates): the newest version is revised in place.
- Other structure: revised in place while nothing refers to the newest version yet; else a new version.
- Other document although neither the file nor anything it depends on has changed: the old version stays until two parses
  in a row agree, and the file carries a warning that names the first field that moved.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from django.db.models import Max
from django.db.models.fields.reverse_related import ForeignObjectRel

from dags_app.models import Dag, DagCode, DagVersion
from dags_app.processor.canonical import canonical_text, document_hashes, first_difference

Json = Any


@dataclass(frozen=True, slots=True)
class VersionOutcome:
    """What became of a parsed document. ``moved_field`` is set where the old version was kept on purpose."""

    version: DagVersion
    is_new: bool = False
    is_changed: bool = False
    is_schedule_changed: bool = False
    moved_field: str | None = None


def version_store(
    dag: Dag,
    document: dict[str, Json],
    code: DagCode | None,
    bundle_version: str | None,
    *,
    same_inputs: bool,
    agreed: str | None,
) -> VersionOutcome:
    """Store what a parse gave for a DAG.

    ``same_inputs`` says that the file and all it depends on have the bytes of the parse before. ``agreed`` is the structure
    and attributes hash of that parse if it differed from the stored version, so that a lasting change is let in.
    """
    text = canonical_text(document)
    hashes = document_hashes(document)
    newest = dag.latest_version
    if newest is None:
        return VersionOutcome(
            _create(dag, text, hashes, code, bundle_version), is_new=True, is_changed=True, is_schedule_changed=True
        )
    if (newest.structure_hash, newest.attributes_hash) == hashes:
        if code is not None and newest.code_id != code.pk:
            DagVersion.objects.filter(pk=newest.pk).update(code=code)
        return VersionOutcome(newest)
    old = _document(newest)
    if same_inputs and agreed != "".join(hashes):
        return VersionOutcome(newest, moved_field=first_difference(old, document) or "?")
    moved = old.get("timetable") != document.get("timetable") or _dates(old) != _dates(document)
    if newest.structure_hash == hashes[0] or not version_is_used(newest):
        _revise(newest, text, hashes, code, bundle_version)
        return VersionOutcome(newest, is_changed=True, is_schedule_changed=moved)
    version = _create(dag, text, hashes, code, bundle_version)
    return VersionOutcome(version, is_new=True, is_changed=True, is_schedule_changed=moved)


def version_is_used(version: DagVersion) -> bool:
    """Tell whether a row of another app (a run, an attempt) refers to the version; asks the models, not their app."""
    for relation in DagVersion._meta.get_fields(include_hidden=True):
        if not isinstance(relation, ForeignObjectRel) or relation.related_model is Dag:
            continue
        if relation.related_model._default_manager.filter(**{relation.field.name: version.pk}).exists():
            return True
    return False


def _create(dag: Dag, text: str, hashes: tuple[str, str], code: DagCode | None, bundle_version: str | None) -> DagVersion:
    last = DagVersion.objects.filter(dag=dag).aggregate(number=Max("version_number"))["number"] or 0
    return DagVersion.objects.create(
        dag=dag,
        version_number=last + 1,
        bundle_name=dag.bundle_id,
        bundle_version=bundle_version,
        structure_hash=hashes[0],
        attributes_hash=hashes[1],
        code=code,
        document=text,
    )


def _revise(version: DagVersion, text: str, hashes: tuple[str, str], code: DagCode | None, bundle_version: str | None) -> None:
    version.document, version.code, version.bundle_version = text, code, bundle_version
    version.structure_hash, version.attributes_hash = hashes
    version.save(update_fields=["document", "code", "bundle_version", "structure_hash", "attributes_hash", "last_updated"])


def _document(version: DagVersion) -> dict[str, Json]:
    """An unreadable stored document counts as empty: the parse mends it."""
    try:
        document = json.loads(version.document)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _dates(document: dict[str, Json]) -> tuple[Json, Json, Json]:
    return document.get("start_date"), document.get("end_date"), document.get("catchup")
