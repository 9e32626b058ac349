"""Decides what the search offers about the DAG or the run whose page is open: its forms, and the pages of a DAG by name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from urllib.parse import unquote

from accounts.access import Access, Verdict
from accounts.roles import Role
from runs.pages.search.hits import Asked, Hit, link
from runs.pages.tabs import tabs

MOST_DAGS = 2
# words, route, query, icon
OF_RUN = (
    ("Retry the failed tasks of this run", "run_clear", "?mode=failed", "refresh"),
    ("Clear this run", "run_clear", "", "arrow-back-up"),
    ("Mark this run", "run_mark", "", "check"),
    ("Stop this run", "run_stop", "", "player-stop"),
    ("Write a note on this run", "run_note", "", "note"),
)


def place_of(path: str) -> tuple[str, str]:
    """Return the DAG and the run that a path of our pages is about, empty for none."""
    parts = [unquote(part) for part in path.split("/")]
    return _after("dags", parts), _after("runs", parts)


def _after(word: str, parts: Sequence[str]) -> str:
    place = parts.index(word) + 1 if word in parts else 0
    return parts[place].replace("\x00", "") if 0 < place < len(parts) else ""


def run_action_hits(asked: Asked, run_id: str, access: Access) -> Iterator[Hit]:
    """Yield the forms of the run whose page is open, to whoever may use them."""
    if not (asked.dag_id and run_id) or access.on_dag(Role.USER, asked.dag_id) is not Verdict.GRANTED:
        return
    for words, route, query, icon in OF_RUN:
        url = link(route, asked.dag_id, run_id)
        if url and all(word.lower() in words.lower() for word in asked.words):
            yield Hit("Action", icon, words, url + query, opens="dialog")


def tab_hits(asked: Asked, dag_ids: Sequence[str]) -> Iterator[Hit]:
    """Yield pages of a DAG, as in ``sales graph``, or ``graph`` on one of its pages."""
    for dag_id in dag_ids[:MOST_DAGS]:
        words = asked.words if dag_id == asked.dag_id else asked.words[1:]
        for tab in tabs("dag", "", {"dag_id": dag_id}) if words else ():
            if all(word.lower() in tab.label.lower() for word in words):
                yield Hit("Page", "sitemap", f"{dag_id}: {tab.label}", tab.url)
