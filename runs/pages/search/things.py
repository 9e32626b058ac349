"""Decides which pages, assets, connections, variables and pools the search finds, for whom."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from urllib.parse import urlencode

from accounts.roles import Role
from dags_app.models import Asset
from orchestrator.ui.layout import GROUPS
from runs.models import Pool
from runs.pages.search.dags import tag_hits, tag_kind
from runs.pages.search.hits import Asked, Hit, having, link
from runs.pages.search.names import Kind, Name
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


def kinds(asked: Asked, best: Role) -> list[Kind]:
    """Return the assets, connections, variables, pools and tags that may be found, by what they are called."""
    assets = Asset.objects.filter(having(asked.words, "name", "uri", "group"))
    keys = [
        Kind(kind, model.objects.filter(having(asked.words, column)), column, MOST)
        for kind, _, model, column, route, _, least in KEYS
        if best >= least and link(route)
    ]
    return [Kind("Asset", assets, "name", MOST, ("uri", "id")), *keys, tag_kind(asked)]


def named_hits(asked: Asked, names: Sequence[Name]) -> list[Hit]:
    """Return what was found by its name; never anything of what it holds."""
    tags = [name for name in names if name.kind == "Tag"]
    return [*(_hit(name) for name in names if name.kind != "Tag"), *tag_hits(asked, tags)]


def _hit(name: Name) -> Hit:
    if name.kind == "Asset":
        uri, pk = name.more
        return Hit("Asset", "database", name.label, link("asset_detail", pk), uri if uri != name.label else "")
    icon, route, param = next((icon, route, param) for kind, icon, _, _, route, param, _ in KEYS if kind == name.kind)
    return Hit(name.kind, icon, name.label, f"{link(route)}?{urlencode({param: name.label})}")
