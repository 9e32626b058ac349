"""Decides the pages about what a DAG is: its code, its versions and what differs between them, all its attributes."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.views import page
from runs.pages.dag_details import details_of
from runs.pages.dag_head import spec_or_none
from runs.pages.dag_versions import code_diff, coloured, structure_diff, text_of, version_with_code, versions_of
from runs.pages.run_compare import choices, conf_pairs, last_success_before, newest, run_of, task_pairs
from runs.views.dag_switches import dag_with_head


@require_GET
@page()
def dag_code(request: HttpRequest, dag_id: str) -> HttpResponse:
    """Show the file of a DAG as it was for a version, the newest by default."""
    dag = dag_with_head(request, dag_id)
    number = _number(request.GET.get("version"))
    version = version_with_code(dag_id, number)
    text = text_of(version)
    context = {"dag": dag, "version": version, "asked": request.GET.get("version", ""), "versions": versions_of(dag_id)}
    return render(request, "runs/dag_code.html", context | {"text": text, "html": coloured(text), "lines": text.count("\n") + 1})


@require_GET
@page()
def dag_versions(request: HttpRequest, dag_id: str) -> HttpResponse:
    """List the versions of a DAG; ``?a=1&b=2`` shows what changed from one to the other."""
    dag = dag_with_head(request, dag_id)
    versions = versions_of(dag_id)
    a, b = _number(request.GET.get("a")), _number(request.GET.get("b"))
    if a is None and b is None and len(versions) > 1:
        a, b = versions[1].version_number, versions[0].version_number
    before = version_with_code(dag_id, a) if a is not None else None
    after = version_with_code(dag_id, b) if b is not None else None
    context: dict[str, Any] = {"dag": dag, "versions": versions, "before": before, "after": after, "a": a, "b": b}
    if before is not None and after is not None:
        texts = text_of(before), text_of(after)
        context |= {"lines": code_diff(*texts), "is_same_text": texts[0] == texts[1]}
        context["structure"] = structure_diff(before, after)
    return render(request, "runs/dag_versions.html", context)


@require_GET
@page()
def dag_details(request: HttpRequest, dag_id: str) -> HttpResponse:
    """Show all attributes of a DAG."""
    dag = dag_with_head(request, dag_id)
    return render(request, "runs/dag_details.html", {"dag": dag, "sections": details_of(dag, spec_or_none(dag))})


@require_GET
@page()
def dag_compare(request: HttpRequest, dag_id: str) -> HttpResponse:
    """Compare two runs: ``?a=`` (the newest by default) with ``?b=`` (the last success before it by default)."""
    dag = dag_with_head(request, dag_id)
    asked = request.GET.get("a", ""), request.GET.get("b", "")
    one = run_of(dag_id, asked[0]) if asked[0] else newest(dag_id)
    other = run_of(dag_id, asked[1]) if asked[1] else (last_success_before(one) if one else None)
    context: dict[str, Any] = {"dag": dag, "one": one, "other": other, "choices": choices(dag_id), "asked": asked}
    if one is not None and other is not None:
        was, now = other.created_dag_version, one.created_dag_version
        context |= {"pairs": task_pairs(one, other), "conf": conf_pairs(one, other)}
        context |= {"lines": code_diff(text_of(was), text_of(now)) if was and now else [], "was": was, "now": now}
    return render(request, "runs/dag_compare.html", context)


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else None
