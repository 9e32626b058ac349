"""Migrations of one app alone, back and forth: what is made after each of them needs no table that is not there (C19)."""

from tests.deployment import Deployment

CODE = """
from django.core.management import call_command as do
from django.contrib.auth.models import Group
from runs.models import Pool
for target in {targets}:
    do("migrate", *target, verbosity=0)
print("made:", Pool.objects.get().pool, sorted(Group.objects.values_list("name", flat=True)))
"""
MADE = "made: default_pool ['Admin', 'Op', 'User', 'Viewer']"
ALL = ("runs", "dags_app", "vault", "admin", "accounts", "auth", "contenttypes")


def migrated(deployment: Deployment, *targets: tuple[str, ...]) -> str:
    """Migrate in one process to one target after the other; returns what there is then."""
    done = deployment.run("shell", "--no-imports", "-c", CODE.format(targets=targets))
    return done.stdout.strip().splitlines()[-1]


def test_c19_an_app_goes_back_to_nothing_and_comes_again(deployment: Deployment) -> None:
    assert migrated(deployment, ("runs", "zero"), ("runs",)) == MADE


def test_c19_one_app_alone_is_migrated_on_an_empty_database(deployment: Deployment) -> None:
    assert migrated(deployment, *((app, "zero") for app in ALL), ("runs",), ()) == MADE


def test_c19_an_app_goes_back_to_older_columns(deployment: Deployment) -> None:
    assert migrated(deployment, ("runs", "zero"), ("runs",), ("runs", "0005"), ("runs",)) == MADE
