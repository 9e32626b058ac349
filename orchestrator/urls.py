"""Decides which paths a server answers, by the list of applications it was started with."""

import importlib.util
import os

from django.urls import URLPattern, URLResolver, clear_url_caches, include, path

Routes = list[URLPattern | URLResolver]

APPS_VARIABLE = "ORCHESTRATOR_API_APPS"
ALL_APPS = ("core", "execution")

# Order matters: the first pattern that fits answers, so pages, which take the rest, come last.
CORE_MODULES = (
    ("auth/", "accounts.urls"),
    ("api/v2/", "orchestrator.rest.urls"),
    ("", "dags_app.urls"),
    ("", "runs.urls"),
    ("", "vault.urls"),
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
    return [path(prefix, include(module)) for prefix, module in modules if _exists(module)]


def _exists(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def chosen_apps() -> tuple[str, ...]:
    """The applications named by the command that started this process; all where it named none."""
    names = os.environ.get(APPS_VARIABLE, "")
    return tuple(name for name in names.split(",") if name) or ALL_APPS


def select_apps(apps: tuple[str, ...]) -> None:
    """Answer only the paths of ``apps`` in this process and in what it starts."""
    os.environ[APPS_VARIABLE] = ",".join(apps)
    urlpatterns[:] = build_urlpatterns(apps)
    clear_url_caches()


urlpatterns = build_urlpatterns(chosen_apps())
