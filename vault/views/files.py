"""Decides how files of connections and variables are taken from a page and given to it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from accounts.services import audit_write
from orchestrator.sdk.secrets.files import SUFFIXES, SecretsFileError
from vault.keys import UndecryptableError
from vault.transfer import ExistsError, Imported, MaskedError

MOST_BYTES = 10_000_000
RULES = {"fail": "import nothing", "skip": "leave those as they are", "overwrite": "write over them"}


class UploadError(ValueError):
    """Nothing was sent that could be read; the text says what is needed."""


def export_answer(name: str, text: str) -> HttpResponse:
    """Return a file to keep."""
    response = HttpResponse(text, content_type="application/json; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "no-store"
    return response


def import_page(request: HttpRequest, noun: str, list_route: str, load: Callable[..., Imported]) -> HttpResponse:
    """Ask for a file and what to do with names that are taken; import all of it or nothing."""
    error, rule = "", request.POST.get("on_existing", "fail")
    if request.method == "POST":
        try:
            done = _loaded(request, noun, load, rule)
        except (UploadError, SecretsFileError, ExistsError, MaskedError, UndecryptableError) as refusal:
            error = str(refusal)
        else:
            messages.success(request, _said(done, noun))
            return redirect(list_route)
    context = {
        "noun": noun,
        "rules": RULES,
        "rule": rule,
        "error": error,
        "text": request.POST.get("text", ""),
        "next": list_route,
    }
    return render(request, "vault/import.html", context, status=422 if error else 200)


def _loaded(request: HttpRequest, noun: str, load: Callable[..., Imported], rule: str) -> Imported:
    if rule not in RULES:
        raise UploadError(f"Choose what happens to {noun}s that are there already.")
    name, content = _sent(request)
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"file.{name.rpartition('.')[2].lower()}"
        path.write_bytes(content)
        try:
            with transaction.atomic():
                done = load(path, on_existing=rule, keeping=True)
                audit_write(f"import_{noun}s", actor=request.user.get_username(), extra={"names": done.written, "rule": rule})
        except SecretsFileError as refusal:
            raise UploadError(str(refusal).replace(str(path), name)) from refusal
    return done


def _sent(request: HttpRequest) -> tuple[str, bytes]:
    """The name and the content of the file, else the text that was typed, which is JSON."""
    file: Any = request.FILES.get("file")
    if file is None:
        text = request.POST.get("text", "").strip()
        if not text:
            raise UploadError("Choose a file, or write JSON into the field.")
        return "the text.json", text.encode()
    if file.size > MOST_BYTES:
        raise UploadError(f"The file has more than {MOST_BYTES // 1_000_000} MB.")
    if file.name.rpartition(".")[2].lower() not in SUFFIXES:
        raise UploadError("The name of the file must end in .json, .yaml, .yml or .env.")
    content: bytes = file.read()
    try:
        content.decode()
    except UnicodeDecodeError:
        raise UploadError("The file is no text in UTF-8.") from None
    return file.name, content


def _said(done: Imported, noun: str) -> str:
    number = len(done.written)
    said = f"{number} {noun}{'' if number == 1 else 's'} imported."
    return f"{said} {len(done.there)} were there and stay as they are." if done.there else said
