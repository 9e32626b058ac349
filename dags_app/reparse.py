"""Decides what "reparse now" answers: it waits for the DAG processor and gives the new version or the error."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.db import transaction

from dags_app.models import Dag, ParsedFile, ParseImportError
from dags_app.services import file_request_reparse
from orchestrator.database import wakeup_for
from orchestrator.kernel.clock import monotonic

PARSED_TOPIC = "parsed"
POLL_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class ReparseResult:
    """``state`` is ``parsed``, ``failed``, ``unknown_file`` or ``timeout``; ``versions`` maps dag_id to version number."""

    state: str
    versions: dict[str, int] = field(default_factory=dict)
    import_error: str = ""


def file_reparse_now(bundle_name: str, relative_fileloc: str, timeout_seconds: float = 60.0) -> ReparseResult:
    """Have a file parsed again and wait for the outcome; must not be called inside a transaction."""
    wakeup = wakeup_for(PARSED_TOPIC)
    try:
        with transaction.atomic():
            asked_at = file_request_reparse(bundle_name, relative_fileloc)
        if asked_at is None:
            return ReparseResult("unknown_file")
        deadline = monotonic() + timeout_seconds
        rows = ParsedFile.objects.filter(bundle_id=bundle_name, relative_fileloc=relative_fileloc)
        while rows.filter(reparse_requested_at__isnull=False).exists():
            remaining = deadline - monotonic()
            if remaining <= 0:
                return ReparseResult("timeout")
            wakeup.wait(min(POLL_SECONDS, remaining))
    finally:
        wakeup.close()
    return _outcome(bundle_name, relative_fileloc)


def _outcome(bundle_name: str, relative_fileloc: str) -> ReparseResult:
    dags = Dag.objects.active().filter(bundle_id=bundle_name, relative_fileloc=relative_fileloc).select_related("latest_version")
    versions = {dag.dag_id: dag.latest_version.version_number for dag in dags if dag.latest_version}
    error = ParseImportError.objects.filter(bundle_id=bundle_name, filename=relative_fileloc).first()
    return ReparseResult("failed" if error else "parsed", versions, error.stacktrace if error else "")
