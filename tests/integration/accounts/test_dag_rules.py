"""Rules that give roles on DAGs (C30-a, C30-b): what they fit, and that they cost nothing where there are none."""

import json
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.access import Access, Verdict, access_of, users
from accounts.models import DagRule, User
from accounts.roles import Role, role_of
from accounts.tokens import token_for
from dags_app.models import Dag, DagTag
from runs.models import DagRun
from tests.factories import make_dag, make_run

pytestmark = pytest.mark.django_db


def person(name: str, *groups: str) -> User:
    user = User.objects.create_user(name)
    user.groups.add(*(Group.objects.get_or_create(name=group)[0] for group in groups))
    return user


def as_user(user: User) -> Client:
    return Client(headers={"Authorization": f"Bearer {token_for(user, lifetime_seconds=60)}"})


def rule(subject: Group | User, role: Role = Role.VIEWER, **conditions: str) -> DagRule:
    named: dict[str, Any] = {"group": subject} if isinstance(subject, Group) else {"user": subject}
    return DagRule.objects.create(role=role, **named, **conditions)


def shown(client: Client) -> list[str]:
    return [dag["dag_id"] for dag in client.get("/api/v2/dags").json()["dags"]]


def fresh(user: User) -> Access:
    return access_of(User.objects.get(pk=user.pk))


def test_without_rules_a_role_counts_for_every_dag() -> None:
    make_dag("a")
    assert shown(as_user(person("vic", "Viewer"))) == ["a"]


def test_with_one_rule_everybody_else_sees_no_dag_and_an_admin_all() -> None:
    make_dag("a")
    rule(person("owner", "Viewer"), dag_id="a")
    assert shown(as_user(person("stranger", "Op"))) == []
    assert shown(as_user(person("boss", "Admin"))) == ["a"]


@pytest.mark.parametrize(
    ("conditions", "found"),
    [
        ({"dag_id": "team_a.*"}, ["team_a.load", "team_a.send"]),
        ({"dag_id": "team_a.loa?"}, ["team_a.load"]),
        ({"dag_id": "TEAM_A.*"}, []),
        ({"dag_id": "team?a.load"}, ["team_a.load", "teamXa.load"]),
        ({"tag": "gold"}, ["team_a.send"]),
        ({"owner": "ann"}, ["team_a.load", "team_a.send"]),
        ({"owner": "an"}, []),
        ({"dag_id": "*load", "owner": "ann"}, ["team_a.load"]),
        ({"bundle": "nowhere"}, []),
    ],
)
def test_a_rule_fits_by_pattern_tag_owner_and_bundle(conditions: dict[str, str], found: list[str]) -> None:
    for dag_id in ("team_a.load", "team_a.send", "teamXa.load"):
        make_dag(dag_id)
    DagTag.objects.create(dag_id="team_a.send", name="gold")
    Dag.objects.filter(pk="team_a.load").update(owners="bob, ann")
    Dag.objects.filter(pk="team_a.send").update(owners="ann")
    Dag.objects.filter(pk="teamXa.load").update(owners="annabel")
    user = person("vic", "Viewer")
    rule(user, **conditions)
    assert sorted(shown(as_user(user))) == sorted(found)


def test_the_highest_role_of_the_rules_counts_also_above_the_persons_own() -> None:
    make_dag("mine")
    make_dag("theirs")
    user = person("vic", "Viewer", "team")
    rule(user)
    rule(Group.objects.get(name="team"), Role.USER, dag_id="mine")
    client = as_user(user)
    pause = json.dumps({"is_paused": True})
    assert client.patch("/api/v2/dags/mine", pause, content_type="application/json").status_code == 200
    assert client.patch("/api/v2/dags/theirs", pause, content_type="application/json").status_code == 403
    assert fresh(user).on_dag(Role.USER, "theirs") is Verdict.FORBIDDEN
    assert fresh(user).on_dag(Role.VIEWER, "elsewhere") is Verdict.UNKNOWN


def test_a_change_of_all_dags_changes_only_those_that_one_may_change() -> None:
    make_dag("mine")
    make_dag("theirs")
    Dag.objects.update(is_paused=False)
    user = person("vic", "Viewer")
    rule(user)
    rule(user, Role.USER, dag_id="mine")
    answer = as_user(user).patch("/api/v2/dags?dag_id_pattern=~", '{"is_paused": true}', content_type="application/json")
    assert answer.status_code == 200
    assert list(Dag.objects.order_by("pk").values_list("pk", "is_paused")) == [("mine", True), ("theirs", False)]


def test_runs_of_other_dags_are_in_no_list() -> None:
    make_run(make_dag("mine"), "r")
    make_run(make_dag("theirs"), "r")
    user = person("vic", "Viewer")
    rule(user, dag_id="mine")
    rows = as_user(user).get("/api/v2/dags/~/dagRuns").json()
    assert ([row["dag_id"] for row in rows["dag_runs"]], rows["total_entries"]) == (["mine"], 1)
    assert DagRun.objects.count() == 2, "the limit ends with the request"


def test_rules_cost_no_query_where_there_are_none_and_a_constant_number_else() -> None:
    make_run(make_dag("mine"), "r")
    user = person("vic", "Viewer")
    client = as_user(user)

    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as seen:
            assert client.get("/api/v2/dags/mine/dagRuns").status_code == 200
        assert (
            not [q for q in seen if "accounts_dagrule" in q["sql"] and "accounts_user" not in q["sql"]]
            or DagRule.objects.exists()
        )
        return len(seen)

    without = queries()
    rule(user)
    one = queries()
    for number in range(5):
        rule(user, dag_id=f"x{number}*")
    assert queries() == one
    assert one - without <= 2


@pytest.mark.parametrize(
    ("groups", "role"),
    [((), None), (("Nothing",), None), (("Viewer",), Role.VIEWER), (("Admin", "Nothing", "User"), Role.ADMIN)],
)
def test_the_role_of_the_groups_comes_with_the_user(
    groups: tuple[str, ...], role: Role | None, django_assert_num_queries: Any
) -> None:
    user = person("ann", *groups)
    with django_assert_num_queries(1):
        assert role_of(users().get(pk=user.pk)) == role
    assert role_of(user) == role
