"""Decides which of Django's permissions the four roles hold, so that the admin and other Django apps follow the same roles."""

from collections.abc import Iterable
from typing import Any

from django.apps import apps as installed
from django.apps.registry import Apps

from accounts.roles import GROUPS, Role

# Models that a role may add, change and delete; every role may look at what belongs to a DAG.
CHANGED = {
    Role.VIEWER: (),
    Role.USER: ("dags_app.dag", "dags_app.dagfavorite", "runs.dagrun", "runs.taskinstance", "runs.xcom", "runs.backfill"),
    Role.OP: ("vault.connection", "vault.connectiontest", "vault.variable", "runs.pool", "dags_app.asset", "runs.assetevent"),
    Role.ADMIN: (
        "accounts.user",
        "accounts.dagrule",
        "accounts.apitoken",
        "accounts.auditlog",
        "auth.group",
        "processes.housekeeping",
    ),
}
# Models that are looked at only by those who may change them.
GUARDED = (
    "vault.connection",
    "vault.connectiontest",
    "vault.variable",
    *CHANGED[Role.ADMIN][:3],
    "accounts.loginfailure",
    "runs.trigger",
)
APPS = ("dags_app", "runs", "vault", "accounts", "processes")


def permissions_of(role: Role) -> set[tuple[str, str]]:
    """Return app and code name of each permission of a role; a role has those of the ones below it."""
    changed = [name for least, names in CHANGED.items() if least <= role for name in names]
    models = [model._meta.label_lower for app in APPS for model in installed.get_app_config(app).get_models()]
    seen = [name for name in models if name not in GUARDED] + changed
    return set(_codes("view", seen)) | {code for verb in ("add", "change", "delete") for code in _codes(verb, changed)}


def _codes(verb: str, names: Iterable[str]) -> list[tuple[str, str]]:
    return [(app, f"{verb}_{model}") for app, model in (name.split(".") for name in names)]


def ensure_groups(using: str = "default", apps: Apps = installed, **_: Any) -> None:
    """Make the groups, and give them what they lack of their permissions; what a site gave them besides stays.

    Does nothing where a migrate of some apps left out the tables of groups; ``apps`` is what there is after it.
    """
    if not {"auth", "contenttypes"} <= {model._meta.app_label for model in apps.get_models()}:
        return
    from django.contrib.auth.management import create_permissions
    from django.contrib.auth.models import Group, Permission

    for app in (*APPS, "auth"):
        create_permissions(installed.get_app_config(app), verbosity=0, using=using)
    known = {
        (app, code): pk
        for pk, app, code in Permission.objects.using(using).values_list("pk", "content_type__app_label", "codename")
    }
    for name, role in GROUPS.items():
        group, _made = Group.objects.using(using).get_or_create(name=name)
        group.permissions.add(*(known[code] for code in permissions_of(role) if code in known))
