"""Decides which pages are measured on a database with a long history: server time, and what a first visit transfers."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urljoin

from django.test import Client
from django.urls import reverse

from benchmarks.measures.asking import Figures, asked

_LINKS = re.compile(r'<(?:link rel="(?:stylesheet|icon)"|script)[^>]*? (?:href|src)="([^"]+)"')
_MODULES = re.compile(r'data-module="([a-z_]+)"')
_IMPORTS = re.compile(r"""from ["'](\./[\w.-]+\.js)["']""")
_SPRITE = re.compile(r'<use href="([^"#]+)#')


def measure(repeat: int) -> list[Figures]:
    """Ask for each page as the administrator; compressed as for a browser, without a network."""
    from accounts.models import User

    admin = User.objects.filter(username="bench").first() or User.objects.create_superuser("bench", password="bench-only")
    client = Client(headers={"Accept-Encoding": "gzip"}, SERVER_NAME="localhost")
    client.force_login(admin)
    return [_one(client, name, url, repeat) for name, url in _pages().items()]


def as_markdown(rows: list[Figures]) -> str:
    """The table for the README."""
    lines = ["| page | p50 | p95 | queries | HTML, gzip | first visit, all files |", "| --- | --- | --- | --- | --- | --- |"]
    return "\n".join(lines + [_line(row) for row in rows])


def _line(row: Figures) -> str:
    times = f"{row['p50_ms']:.0f} ms | {row['p95_ms']:.0f} ms"
    return f"| {row['name']} | {times} | {row['queries']} | {row['html_kb']:.0f} kB | {row['all_kb']:.0f} kB |"


def _pages() -> dict[str, str]:
    from benchmarks.seed import WIDE
    from runs.models import DagRun

    middle = DagRun.objects.exclude(dag_id=WIDE).order_by("-run_after")[DagRun.objects.count() // 2]
    run, wide = [middle.dag_id, middle.run_id], DagRun.objects.filter(dag_id=WIDE).order_by("-run_after").first()
    pages = {
        "home": reverse("home"),
        "DAG list": reverse("dag_list"),
        "DAG list, those that fail": reverse("dag_list") + "?tab=failing",
        "grid of 25 tasks": reverse("dag_detail", args=run[:1]),
        "run": reverse("run_detail", args=run),
        "task instance with its log": reverse("log_detail", args=[*run, "task_03"]),
        "runs": reverse("run_list"),
        "runs that failed": reverse("run_list") + "?state=failed",
        "task instances": reverse("task_instance_list"),
        "timeline": reverse("timeline"),
        "search": reverse("search") + "?q=dag_01",
    }
    if wide is not None:
        pages["grid of 500 tasks in 50 runs"] = reverse("dag_detail", args=[WIDE]) + "?runs=50"
        pages["run of 500 tasks"] = reverse("run_detail", args=[WIDE, wide.run_id])
    return pages


def _one(client: Client, name: str, url: str, repeat: int) -> Figures:
    answer, figures = asked(client, name, url, repeat)
    html = len(answer.content)
    return figures | {"html_kb": html / 1000, "all_kb": (html + _files(client, url)) / 1000}


def _files(client: Client, url: str) -> int:
    """The bytes of the style sheets, scripts and icons that the page names, and of what those import."""
    plain = client.get(url, headers={"Accept-Encoding": "identity"}).content.decode()
    waiting = {urljoin(url, found) for pattern in (_LINKS, _SPRITE) for found in pattern.findall(plain)}
    script = next((one for one in waiting if one.endswith("js/app.js")), "")
    waiting |= {urljoin(script, f"{module}.js") for module in _MODULES.findall(plain)}
    seen: set[str] = set()
    total = 0
    while waiting - seen:
        file = (waiting - seen).pop()
        seen.add(file)
        total += _size(client, file)
        waiting |= {urljoin(file, found) for found in _IMPORTS.findall(_text(client, file))} if file.endswith(".js") else set()
    return total


def _size(client: Client, file: str) -> int:
    return len(_body(client.get(file)))


def _text(client: Client, file: str) -> str:
    return _body(client.get(file, headers={"Accept-Encoding": "identity"})).decode()


def _body(answer: Any) -> bytes:
    return b"".join(answer.streaming_content) if answer.streaming else answer.content
