"""Decides which tests run on which database, and what every test gets: the database's place, and on demand a deployment of its own."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests import environment
from tests.deployment import Deployment, Template
from tests.faults.platform import Platform

settings.register_profile("suite", deadline=None, max_examples=60)
settings.load_profile("suite")


#: A test that asks for one of these uses a database.
DATABASE_FIXTURES = frozenset({"db", "transactional_db", "deployment", "deployment_template"})


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On PostgreSQL run the tests that use a database; the others have run on SQLite, and the database changes nothing for them."""
    if environment.DATABASE == "postgresql":
        rest = [item for item in items if not _uses_database(item)]
        items[:] = [item for item in items if _uses_database(item)]
        config.hook.pytest_deselected(items=rest)


def _uses_database(item: pytest.Item) -> bool:
    named = DATABASE_FIXTURES.intersection(getattr(item, "fixturenames", ()))
    return bool(named) or item.get_closest_marker("django_db") is not None


@pytest.fixture
def airflow_home() -> Path:
    """Return the home that this test process uses; its DAGs folder is ``<home>/dags``."""
    return environment.HOME


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Keep the test database of SQLite in a file: threads and WAL behave as in production, which they do not in memory.

    On PostgreSQL the workers of xdist get a database each, by their suffix.
    """
    from django.db import connection

    if connection.vendor == "sqlite":
        connection.settings_dict["TEST"]["NAME"] = str(environment.HOME / "test.db")


@pytest.fixture(scope="session")
def deployment_template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """Return a migrated deployment to copy from."""
    return Template(tmp_path_factory.mktemp("template"), os.environ.get(environment.SERVER_URL))


@pytest.fixture
def deployment(deployment_template: Template, tmp_path: Path) -> Iterator[Deployment]:
    """Give the test a deployment of its own (home, database, port); its processes end with the test."""
    made = deployment_template.copy(tmp_path / "home")
    yield made
    deployment_template.drop(made)


@pytest.fixture
def platform(deployment: Deployment) -> Iterator[Platform]:
    """Give a platform with nothing started; all of it ends with the test."""
    made = Platform(deployment)
    yield made
    made.stop()
