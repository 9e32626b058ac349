"""Decides what a card says of a failure: what went wrong and where, what it kept from running, since when, what to do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from orchestrator.sdk.serialization.spec import DagSpec
from orchestrator.templatetags.shown import plain
from runs.cause_words import cause_remedy, cause_words, is_of_platform, process_words
from runs.causes import Cause
from runs.fingerprints import first_line, type_and_message
from runs.models import DagRun, TaskInstance
from runs.pages.run.error_history import History, histories, looked_at
from runs.pages.run.failure_facts import ask
from runs.pages.run.failures import MOST_CARDS, Failure, failures_of, kept_from_running
from runs.pages.run.given_params import GivenParams, params_of
from runs.pages.run.head import RunHead
from runs.pages.run.log_evidence import CodeLine, LogEvidence, code_around, log_evidence
from runs.pages.run.task_rows import TaskRow, index_path

# Only the first cards read a log.
MOST_LOGS = 3
MOST_NAMES = 8
# Of these the detail is a whole sentence.
_SAID = (Cause.EXIT_CODE, Cause.SIGNAL, Cause.OUT_OF_MEMORY)


@dataclass(frozen=True, slots=True)
class CauseCard:
    """One failure as the page shows it."""

    lead: TaskInstance
    count: int
    names: Sequence[tuple[str, str]]
    more_names: int
    kind: str
    message: str
    remedy: str
    is_of_platform: bool
    facts: Sequence[str]
    evidence: LogEvidence
    code: Sequence[CodeLine]
    below: int
    history: History | None
    change: tuple[int, int] | None
    retry_url: str
    mark_url: str
    params: GivenParams

    @property
    def name(self) -> str:
        """``load [part-05]``."""
        return named(self.lead.task_id, self.lead.map_index, self.lead.rendered_map_index)

    @property
    def log_url(self) -> str:
        """The log, at its first error."""
        return f"{index_path(self.lead.dag_run, self.lead.task_id, self.lead.map_index)}#error"

    @property
    def headline(self) -> str:
        """The error in one line."""
        return f"{self.kind}: {first_line(self.message)}" if self.kind and self.message else self.kind or self.message

    @property
    def ticket(self) -> str:
        """The failure as Markdown for a ticket."""
        run, frame = self.lead.dag_run, self.evidence.frame
        tries = f"try {self.lead.try_number} of {self.lead.max_tries + 1}"
        lines = [f"**{run.dag_id}.{self.name}** failed ({tries}) in run `{run.run_id}`", ""]
        lines += [f"- Error: `{plain(self.headline)}`"] + ([f"- At: `{frame.filename}:{frame.line}`"] if frame else [])
        lines += [f"- {fact[0].upper()}{fact[1:]}" for fact in self.facts]
        lines += [f"- {self.count} task instances failed so"] if self.count > 1 else []
        lines += [f"- Params: {self._params_text}"] if self.params.shown else []
        if self.code:
            lines += ["", "```python", *(f"{line.number} {'>' if line.is_it else ' '} {line.text}" for line in self.code), "```"]
        if self.evidence.lines:
            lines += ["", "```", *(plain(line.get("event", "")) for line in self.evidence.lines), "```"]
        return "\n".join(lines)

    @property
    def _params_text(self) -> str:
        named = [f"`{plain(p.name)}={plain(p.text)}`{' (default)' if p.is_default else ''}" for p in self.params.shown]
        return ", ".join(named + ([f"{self.params.more} more"] if self.params.more else []))


def named(task_id: str, map_index: int, rendered: str | None = None) -> str:
    """Return how people name a task instance."""
    return task_id if map_index < 0 else f"{task_id} [{rendered or map_index}]"


def cause_cards(
    head: RunHead, rows: Sequence[TaskRow], spec: DagSpec | None, failed: int
) -> tuple[list[CauseCard], list[Failure]]:
    """Return a card for each of the first failures, and all failures; two queries, none where nothing failed."""
    run = head.run
    found = failures_of(run, failed)
    if not found:
        return [], []
    by_task = {row.task_id: row for row in rows}
    runs = looked_at(head.earlier, sum(by_task[task_id].total for task_id in _tasks(found[:MOST_CARDS]) if task_id in by_task))
    facts = ask(run, found[:MOST_CARDS], runs, head.last_success)
    shown = [failure for failure in found[:MOST_CARDS] if failure.lead is not None]
    past = histories(run, shown, runs, facts)
    evidences = {failure.fingerprint: log_evidence(failure.lead) for failure in shown[:MOST_LOGS] if failure.lead}
    params = params_of(run, spec)
    cards = []
    for failure in shown:
        evidence = evidences.get(failure.fingerprint, LogEvidence())
        below = kept_from_running(failure, spec, by_task)
        change = _change(failure, facts.version_before)
        cards.append(_card(run, failure, evidence, _code(failure, evidence), below, past[failure.fingerprint], change, params))
    return cards, found


def _tasks(failures: Iterable[Failure]) -> set[str]:
    return {task_id for failure in failures for task_id in failure.task_ids}


def _card(
    run: DagRun,
    failure: Failure,
    evidence: LogEvidence,
    code: list[CodeLine],
    below: int,
    past: History,
    change: Any,
    params: GivenParams,
) -> CauseCard:
    lead = failure.lead
    if lead is None:
        raise ValueError("a card needs a failure with an instance that stands for it")
    kind, message = type_and_message(lead.cause_detail)
    if not kind and evidence.exc_type and lead.cause in (None, Cause.USER_EXCEPTION, Cause.FAIL_EXCEPTION):
        kind, message = evidence.exc_type, evidence.message
    retry_url, mark_url = _orders(run, failure, lead)
    return CauseCard(
        lead=lead,
        count=failure.count,
        names=[(named(*member), f"{index_path(run, *member[:2])}#error") for member in failure.members[:MOST_NAMES]],
        more_names=failure.count - len(failure.members[:MOST_NAMES]),
        kind=kind or ("" if message and lead.cause in _SAID else cause_words(lead.cause)),
        message=message,
        remedy=cause_remedy(lead.cause),
        is_of_platform=is_of_platform(lead.cause),
        facts=process_words(lead),
        evidence=evidence,
        code=code,
        below=below,
        history=past,
        change=change,
        retry_url=retry_url,
        mark_url=mark_url,
        params=params,
    )


def _orders(run: DagRun, failure: Failure, lead: TaskInstance) -> tuple[str, str]:
    """Where one has it run again, and where one marks it: the instance, its task, or what failed of the run."""
    if len(failure.task_ids) > 1:
        return f"{reverse('run_clear', args=[run.dag_id, run.run_id])}?mode=failed", ""
    path = index_path(run, lead.task_id, lead.map_index if failure.count == 1 else -1)
    only = "" if failure.count == 1 else "&only_failed=on"
    return f"{path}/clear?downstream=on{only}", f"{path}/mark?state=success"


def _code(failure: Failure, evidence: LogEvidence) -> list[CodeLine]:
    """Return the lines around an error that lies in the DAG file, as stored with the version that ran."""
    frame = evidence.frame
    if frame is None or not failure.source or not failure.file or not frame.filename.endswith(failure.file):
        return []
    return code_around(failure.source, frame.line)


def _change(failure: Failure, before: int | None) -> tuple[int, int] | None:
    """The versions between which the code changed since the last run that succeeded."""
    now = failure.version
    return (before, now) if before and now and before != now else None
