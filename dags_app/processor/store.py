"""Decides what one parsed file changes in the database; one file is one transaction of the caller."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from dags_app.models import Bundle, Dag, DagCode, ParsedFile, ParseImportError
from dags_app.processor.assets import Told, assets_drop, assets_store
from dags_app.processor.canonical import document_hashes
from dags_app.processor.dag_warnings import warnings_write
from dags_app.processor.files import NO_FILES, OUTSIDE, RUNTIME, Stat, content_hash, runtime_fingerprint
from dags_app.processor.links import links_store
from dags_app.processor.owners import IsPresent, clash, request_reparse_of_clashing, request_reparse_of_former_owner
from dags_app.processor.rows import dag_write
from dags_app.processor.texts import storable
from dags_app.processor.versions import VersionOutcome, version_store
from dags_app.reparse import PARSED_TOPIC
from dags_app.services import dag_set_next_dagrun, last_interval
from orchestrator.database import notify_on_commit
from orchestrator.sdk.parsing.protocol import ParseResponse
from orchestrator.sdk.serialization.spec import DagSpec, from_json

Json = Any

MOVED = "differs at each parse although the file is the same"


@dataclass(slots=True)
class StoredFile:
    """What storing a parse did. ``unsettled`` has the hashes of DAGs whose document moved without reason."""

    row: ParsedFile
    changed: list[str] = field(default_factory=list)
    unsettled: dict[str, str] = field(default_factory=dict)
    asked_again: int = 0
    has_error: bool = False
    told: list[Told] = field(default_factory=list)  # what listeners hear of it


@dataclass(slots=True)
class Parsed:
    """One response on its way into the database, with what the processor knows around it."""

    bundle: Bundle
    relative: str
    path: str
    stat: Stat
    response: ParseResponse
    is_present: IsPresent
    agreed: dict[str, str]
    now: datetime
    queued_at: datetime
    bundle_version: str | None = None


def store_parsed(parsed: Parsed) -> StoredFile:
    """Write versions, DAG rows, import error and the file's own row; idempotent.

    A DAG of the file that cannot be stored becomes part of the file's import error and leaves the others alone. DAGs that
    the file no longer defines become stale only after a parse without any error: a broken file removes nothing (I9).
    """
    row = _file_row(parsed)
    stored = StoredFile(row)
    errors = [parsed.response.import_error] if parsed.response.import_error else []
    warnings = list(parsed.response.warnings)
    code = _code(parsed.response) if parsed.response.dags else None
    dag_ids = [_store_dag(document, parsed, code, stored, errors, warnings) for document in parsed.response.dags]
    defined = [dag_id for dag_id in dag_ids if dag_id]
    stored.has_error = bool(errors)
    hook = _write_import_error(parsed, "\n".join(errors))
    if hook:
        stored.told.append((hook, {"filename": parsed.path, "stacktrace": "\n".join(errors)}))
    dropped = [] if errors else _drop_missing(parsed, defined)
    stored.asked_again = request_reparse_of_clashing(dropped, parsed.now)
    _update_row(parsed, row, defined if not errors else sorted({*row.dag_ids, *defined}), warnings, bool(errors))
    if stored.changed or dropped:
        notify_on_commit("scheduler")
    notify_on_commit(PARSED_TOPIC)
    return stored


def _store_dag(
    document: dict[str, Json], parsed: Parsed, code: DagCode | None, stored: StoredFile, errors: list[str], warnings: list[str]
) -> str | None:
    """Store one DAG; returns its id, or None after adding to ``errors``."""
    try:
        spec = from_json(document)
    except (KeyError, TypeError, ValueError) as error:
        errors.append(f"{parsed.path}: a DAG arrived in a form that cannot be read: {error!r}")
        return None
    existing = Dag.objects.filter(dag_id=spec.dag_id).first()
    taken = clash(existing, parsed.bundle.name, parsed.relative, parsed.path, parsed.is_present, parsed.queued_at)
    if taken:
        errors.append(taken)
        return None
    if existing is not None:
        request_reparse_of_former_owner(existing, parsed.bundle.name, parsed.relative, parsed.now)
    bundle_version = None if spec.disable_bundle_versioning else parsed.bundle_version
    dag = dag_write(spec, parsed.bundle, parsed.now, parsed.response.seconds, bundle_version)
    outcome = version_store(
        dag,
        document,
        code,
        bundle_version,
        same_inputs=_same_inputs(parsed, stored.row),
        agreed=parsed.agreed.get(spec.dag_id),
    )
    if outcome.moved_field is not None:
        warnings.append(f"DAG {spec.dag_id!r} {MOVED}: `{outcome.moved_field}` moved; the stored version stays.")
        stored.unsettled[spec.dag_id] = _both_hashes(document)
    _after_version(dag, spec, outcome, existing, stored)
    warnings_write(spec, outcome.moved_field, parsed.now)
    return spec.dag_id


def _after_version(dag: Dag, spec: DagSpec, outcome: VersionOutcome, existing: Dag | None, stored: StoredFile) -> None:
    if outcome.is_new:
        dag.latest_version = outcome.version
        dag.save(update_fields=["latest_version"])
    is_back = existing is None or existing.is_stale
    if outcome.is_changed or is_back:
        stored.changed.append(dag.dag_id)
        stored.told += assets_store(dag, spec)
        links_store(dag, spec)
    if outcome.is_schedule_changed or is_back:
        dag_set_next_dagrun(dag, spec, last_interval(dag.dag_id))


def _file_row(parsed: Parsed) -> ParsedFile:
    row, _ = ParsedFile.objects.select_for_update().get_or_create(
        bundle=parsed.bundle, relative_fileloc=storable(parsed.relative, 2000)
    )
    return row


def _same_inputs(parsed: Parsed, row: ParsedFile) -> bool:
    return bool(row.content_hash) and (row.content_hash, row.modules) == (parsed.response.content_hash, _modules(parsed.response))


def _modules(response: ParseResponse) -> dict[str, str]:
    outside = {OUTSIDE: "yes"} if response.reads_outside else {}
    return {**response.modules, **outside, RUNTIME: runtime_fingerprint()}


def _kept_modules(parsed: Parsed, row: ParsedFile) -> dict[str, str]:
    """A parse that broke off does not know all it depends on: what the parse before knew stays, as it is now."""
    return {name: content_hash(os.path.join(parsed.bundle.path, name)) for name in row.modules if name not in NO_FILES}


def _both_hashes(document: dict[str, Json]) -> str:
    return "".join(document_hashes(document))


def _code(response: ParseResponse) -> DagCode:
    code, _ = DagCode.objects.get_or_create(
        source_hash=response.content_hash, defaults={"source_code": storable(response.source)}
    )
    return code


def _write_import_error(parsed: Parsed, text: str) -> str:
    """Write or take back the file's import error; returns the listener hook that hears of it, empty for none."""
    dags = Dag.objects.filter(bundle=parsed.bundle, relative_fileloc=parsed.relative)
    if not text:
        ParseImportError.objects.filter(bundle=parsed.bundle, filename=parsed.relative).delete()
        return ""
    _, is_new = ParseImportError.objects.update_or_create(
        bundle=parsed.bundle,
        filename=storable(parsed.relative, 2000),
        defaults={"timestamp": parsed.now, "stacktrace": storable(text)},
    )
    dags.filter(has_import_errors=False).update(has_import_errors=True)
    return "on_new_dag_import_error" if is_new else "on_existing_dag_import_error"


def _drop_missing(parsed: Parsed, defined: list[str]) -> list[str]:
    """The file parsed well and these DAGs are no longer in it."""
    gone = Dag.objects.active().filter(bundle=parsed.bundle, relative_fileloc=parsed.relative).exclude(dag_id__in=defined)
    dag_ids = list(gone.values_list("dag_id", flat=True))
    if dag_ids:
        Dag.objects.filter(dag_id__in=dag_ids).update(is_stale=True)
        assets_drop(dag_ids)
    return dag_ids


def _update_row(parsed: Parsed, row: ParsedFile, dag_ids: list[str], warnings: list[str], has_errors: bool) -> None:
    kept = _kept_modules(parsed, row) if has_errors else {}
    row.content_hash, row.modules = parsed.response.content_hash, {**kept, **_modules(parsed.response)}
    row.mtime_ns, row.size = parsed.stat
    row.dag_ids, row.warnings = dag_ids, [storable(text) for text in warnings]
    row.last_parsed_at, row.last_duration_seconds = parsed.now, parsed.response.seconds
    row.missing_since = row.reparse_requested_at = None
    if not has_errors:
        row.last_good_at = parsed.now
    row.save()
