"""The suite itself: a test reaches the database it is meant to reach, alone and in a deployment of its own."""

import os

import pytest
from django.db import connection

from tests.deployment import Deployment
from tests.environment import DATABASE, HOME


@pytest.mark.django_db
def test_the_tests_use_the_database_that_was_asked_for() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM django_migrations")
        assert cursor.fetchone()[0] > 0
    assert connection.vendor == DATABASE


def test_the_tests_see_no_setting_of_the_developer() -> None:
    from orchestrator.config import conf

    assert conf.home == HOME
    assert os.environ["AIRFLOW_HOME"] == str(HOME)


def test_a_deployment_has_a_migrated_database_of_its_own(deployment: Deployment) -> None:
    code = "from django.db import connection as c; from accounts.models import User; print(c.vendor, User.objects.count())"
    assert deployment.run("shell", "--no-imports", "-c", code).stdout.split()[-2:] == [DATABASE, "0"]
    assert (deployment.home / "airflow.cfg").is_file()
