"""Decides how rows that a list chose are deleted: one page says which they are, and only its button deletes them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse

from orchestrator.rest.errors import RestError
from orchestrator.ui.lists import ListSpec, read_values
from orchestrator.ui.returning import way_back

MOST = 1000


@dataclass(frozen=True, slots=True)
class Deletion:
    """What is deleted. ``field``: the column that names a row; ``delete``: deletes one by its name, audited."""

    spec: ListSpec
    rows: QuerySet[Any]
    field: str
    list_route: str
    consequence: str
    delete: Callable[[str], bool]


def deletion(request: HttpRequest, of: Deletion) -> HttpResponse:
    """Ask on GET, delete on POST. Raises ``Http404`` where nothing is chosen that is there."""
    back = way_back(request, reverse(of.list_route))
    if request.method == "POST":
        with transaction.atomic():
            number = sum(of.delete(name) for name in _chosen(request, of))
        messages.success(request, f"{number} {of.spec.noun}{'' if number == 1 else 's'} deleted.")
        return redirect(back)
    names = _chosen(request, of)
    if not names:
        raise Http404(f"No {of.spec.noun} is chosen, or none of the chosen ones is there any more")
    context = {"names": names, "noun": of.spec.noun, "consequence": of.consequence, "next": back}
    return render(request, "ui/delete.html", context)


def _chosen(request: HttpRequest, of: Deletion) -> Sequence[str]:
    """The names that are ticked, or with ``all`` those that the filters of the list match."""
    if request.method == "POST":
        rows = of.rows.filter(**{f"{of.field}__in": _names(request.POST)})
    elif request.GET.get("all") == "on":
        try:
            rows = of.spec.narrow(of.rows, read_values(of.spec, request.GET))
        except RestError as refusal:
            raise Http404("The filters cannot be read") from refusal
    else:
        rows = of.rows.filter(**{f"{of.field}__in": _names(request.GET)})
    return list(rows.order_by(of.field).values_list(of.field, flat=True)[:MOST])


def _names(data: QueryDict) -> list[str]:
    """The chosen names; no row has one with a NUL, and PostgreSQL takes none."""
    return [name for name in data.getlist("selected") if "\0" not in name]
