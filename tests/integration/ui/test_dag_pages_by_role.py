"""The pages of one DAG are for whoever reads the DAG: nobody is sent to the login form, a stranger to it finds nothing."""

import pytest
from django.test import Client

from accounts.models import User
from tests.integration.accounts.world import HIDDEN, fill, stranger
from tests.integration.ui.signed_in import client_of

pytestmark = pytest.mark.django_db

PAGES = ("", "/docs", "/tasks", "/tasks/t", "/tasks/m", "/code", "/versions", "/details", "/compare", "/calendar", "/durations")


def test_the_pages_of_a_dag_by_role() -> None:
    fill()
    viewer, unknown = client_of("Viewer"), Client()
    stranger()
    client = Client()
    client.force_login(User.objects.get(username="stranger"))
    for page in PAGES:
        path = f"/dags/{HIDDEN}{page}"
        assert unknown.get(path)["Location"].startswith("/auth/login/"), path
        assert client.get(path).status_code == 404, path
    User.objects.filter(username="stranger").delete()
    for page in PAGES:
        assert viewer.get(f"/dags/{HIDDEN}{page}").status_code == 200, page
