"""Decides which pages, assets, connections, variables and pools the search finds, for whom."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlencode

from accounts.roles import Role
from dags_app.models import Asset
from orchestrator.ui.layout import GROUPS
from runs.models import Pool
from runs.pages.search.hits import Asked, Hit, best_first, having, link
from vault.models import Connection, Variable

MOST = 5
OTHER_PAGES = (("Settings", "settings", "settings"), ("Password", "key", "password_change"))
# kind, icon, model, column, page, the parameter of its list, least role as in the REST API
KEYS = (
    ("Connection", "plug", Connection, "conn_id", "connection_list", "connection_id_pattern", Role.OP),
    ("Variable", "variable", Variable, "key", "variable_list", "variable_key_pattern", Role.OP),
    ("Pool", "layout-grid", Pool, "pool", "pool_list", "pool_name_pattern", Role.VIEWER),
)


def page_hits(asked: Asked, best: Role) -> Iterator[Hit]:
    """Yield the pages of the sidebar that the person may open, and those of himself."""
    open_to = [place for _, group in GROUPS for place in group if place.least <= best]
    places = [(place.label, place.icon, url) for place in open_to if (url := link(place.route))]
    places += [(label, icon, url) for label, icon, route in OTHER_PAGES if (url := link(route))]
    for label, icon, url in places:
        if all(word.lower() in label.lower() for word in asked.words):
            yield Hit("Page", icon, label, url)


def asset_hits(asked: Asked) -> Iterator[Hit]:
    """Yield assets by name, URI or group."""
    rows = Asset.objects.filter(having(asked.words, "name", "uri", "group")).only("id", "name", "uri")
    for asset in best_first(rows, "name", asked.text)[:MOST]:
        url = link("asset_detail", asset.pk)
        if url:
            yield Hit("Asset", "database", asset.name, url, asset.uri if asset.uri != asset.name else "")


def key_hits(asked: Asked, best: Role) -> Iterator[Hit]:
    """Yield connections, variables and pools by their keys; never anything of what they hold."""
    for kind, icon, model, column, route, param, least in KEYS:
        url = link(route)
        if best < least or not url:
            continue
        rows = best_first(model.objects.filter(having(asked.words, column)), column, asked.text)
        for key in rows.values_list(column, flat=True)[:MOST]:
            yield Hit(kind, icon, key, f"{url}?{urlencode({param: key})}")
