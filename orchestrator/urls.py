"""Decides which paths a server answers, by the list of applications it was started with."""

from django.urls import URLPattern, URLResolver, clear_url_caches, include, path

from orchestrator.api_apps import chosen_apps
from orchestrator.rest_companions import import_without_companions

Routes = list[URLPattern | URLResolver]

# Order matters: the first pattern that fits answers, so pages, which take the rest, come last.
CORE_MODULES = (
    ("auth/", "accounts.urls"),
    ("api/v2/", "orchestrator.rest.urls"),
    ("ui/", "orchestrator.rest.ui_urls"),
    ("", "orchestrator.rest.openapi.urls"),
    ("", "orchestrator.ui.urls"),
    ("", "accounts.page_urls"),
    ("", "vault.urls"),
    ("", "dags_app.urls"),
    ("", "dags_app.installed_urls"),
    ("", "runs.overview_urls"),
    ("", "runs.people_urls"),
    ("", "runs.urls"),
)
EXECUTION_MODULES = (("execution/", "executionapi.urls"),)


def build_urlpatterns(apps: tuple[str, ...]) -> Routes:
    """The routes of ``core`` (pages, REST API, login, admin) and ``execution`` (worker traffic)."""
    routes: Routes = []
    if "execution" in apps:
        routes += _included(EXECUTION_MODULES)
    if "core" in apps:
        from django.contrib import admin

        routes += [path("admin/", admin.site.urls), *_included(CORE_MODULES)]
    return routes


def _included(modules: tuple[tuple[str, str], ...]) -> Routes:
    return [path(prefix, include(module)) for prefix, module in modules]


def select_apps(apps: tuple[str, ...]) -> None:
    """Replace the routes; for a process that was forked from one which had imported them all."""
    urlpatterns[:] = build_urlpatterns(apps)
    clear_url_caches()


import_without_companions()
urlpatterns = build_urlpatterns(chosen_apps())
