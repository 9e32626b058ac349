"""One table of metrics: the code, docs/metrics.md and what Airflow 3.3.2 declares say the same."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

from orchestrator.metrics.catalogue import METRICS
from orchestrator.metrics.names import legacy

REPOSITORY = Path(__file__).parents[3]
# Recorded from the list of metrics that the package apache-airflow-core 3.3.2 ships: names, types and older names.
AIRFLOW = {row["name"]: row for row in json.loads(Path(__file__).with_name("airflow_metrics.json").read_text())}
# The class of a job is `Job` in Airflow 3, so `{job_name}_start` of its list is `job_start` on the wire.
ON_THE_WIRE = {f"{{job_name}}_{what}": f"job_{what}" for what in ("start", "end", "heartbeat_failure")}
# Sent by Airflow 3.3.2 and not in its list: the prefix of a deadline's callback with the state that it came to.
NOT_LISTED = {"deadline_alerts.callback_success", "deadline_alerts.callback_failed"}
SAYS = ("count", "timing", "stopwatch", "gauge", "_tag", "_between")


def tables() -> list[list[list[str]]]:
    """The tables of the page, each a list of rows, each a list of cells."""
    found: list[list[list[str]]] = []
    for line in (REPOSITORY / "docs/metrics.md").read_text().splitlines():
        if line.startswith("| --- "):
            found.append([])
        elif line.startswith("| `") and found:
            found[-1].append([cell.strip() for cell in line.strip("| ").split("|")])
    return [table for table in found if any(row[0].strip("`") in METRICS or row[0].strip("`") in AIRFLOW for row in table)]


def names_in(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def test_the_page_has_every_metric_with_its_type_its_tags_and_its_older_name() -> None:
    sent, ours, _ = tables()
    rows = {
        names_in(row[0])[0]: (row[1], tuple(names_in(row[2])), (names_in(row[3]) or [None])[0], row in ours)
        for row in sent + ours
    }
    assert rows == {metric.name: (metric.kind, metric.tags, metric.legacy, metric.is_ours) for metric in METRICS.values()}


def test_each_of_airflows_metrics_is_either_sent_or_left_out_with_a_reason() -> None:
    left_out = {name: row[1] for row in tables()[2] for name in names_in(row[0])}
    assert all(left_out.values())
    theirs = {ON_THE_WIRE.get(name, name) for name in AIRFLOW} | NOT_LISTED
    sent = {metric.name for metric in METRICS.values() if not metric.is_ours}
    assert sent | set(left_out) == theirs
    assert not sent & set(left_out)


def test_types_and_older_names_are_airflows() -> None:
    for name, row in AIRFLOW.items():
        metric = METRICS.get(ON_THE_WIRE.get(name, name))
        if metric is not None:
            older = name if name in ON_THE_WIRE else row["older"]
            assert (metric.kind, metric.legacy) == (row["type"], older), name


def said() -> tuple[set[str], list[str]]:
    """The texts of the code, with patterns for those that are put together, and the names given to functions of metrics."""
    texts, given = set(), []
    for package in ("orchestrator", "runs", "dags_app", "vault"):
        for path in (REPOSITORY / package).rglob("*.py"):
            if path.name == "catalogue.py" or "sdk" in path.parts:
                continue
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Constant | ast.JoinedStr) and (text := pattern(node)):
                    texts.add(text)
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") in SAYS and node.args:
                    given += [pattern(node.args[0])] if pattern(node.args[0]) else []
    return texts, given


def pattern(node: ast.AST) -> str:
    if isinstance(node, ast.Constant):
        return re.escape(node.value) if isinstance(node.value, str) else ""
    if isinstance(node, ast.JoinedStr):
        return "".join(pattern(part) or "[a-z]+" for part in node.values)
    return ""


def test_every_metric_is_said_somewhere_and_nothing_else_is() -> None:
    texts, given = said()
    together = re.compile("|".join(f"(?:{text})" for text in texts if "." in text or "_" in text))
    assert [name for name in METRICS if not together.fullmatch(name)] == []
    assert [name for name in given if not any(re.fullmatch(name, known) for known in METRICS)] == []


def test_an_older_name_has_two_underscores_for_a_point_and_keeps_the_other_tags() -> None:
    tags = (("dag_id", "d"), ("state", "success"), ("task_id", "group.task"))
    assert legacy("ti.finish", tags) == ("ti.finish.d.group__task.success", ())
    assert legacy("operator_failures", (("dag_id", "d"), ("operator_name", "Bash Operator"))) == (
        "operator_failures_Bash_Operator",
        (("dag_id", "d"),),
    )
    assert legacy("ti_failures", tags) is None
