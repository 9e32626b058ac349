"""Decides what somebody may do: the role that groups give, the roles that rules give on DAGs, and the limit of a token.

As soon as there is one rule, rules alone decide about DAGs; admins see all. Without rules a role counts for every DAG.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import reduce
from operator import or_
from typing import Any

from django.apps import apps
from django.contrib.auth.models import Group
from django.db.models import Case, Exists, IntegerField, OuterRef, Q, QuerySet, Subquery, When

from accounts.models import DagRule, User
from accounts.reach import Scope
from accounts.roles import GROUPS, Role, role_of


class Verdict(Enum):
    """Whether something is granted; ``UNKNOWN`` means that the DAG is not there for this person."""

    GRANTED = 1
    FORBIDDEN = 2
    UNKNOWN = 3


@dataclass(frozen=True, slots=True)
class Access:
    """The rights of one request. ``rules`` None: no rule limits this person."""

    user_name: str
    role: Role | None
    rules: tuple[tuple[Role, Q], ...] | None
    _on_dags: dict[str, Role | None] = field(default_factory=dict, compare=False, repr=False)

    def best(self) -> Role | None:
        """Return the highest role that the person has anywhere."""
        roles = [role for role in (self.role, *(role for role, _ in self.rules or ())) if role is not None]
        return max(roles, default=None)

    def scope(self, least: Role) -> Scope | None:
        """Return the DAGs on which the person has at least a role; None where that is all of them."""
        if self.rules is None:
            return None
        found = [condition for role, condition in self.rules if role >= least]
        return Scope(reduce(or_, found) if found else Q(pk__in=[]), self.user_name)

    def on_dag(self, least: Role, dag_id: str) -> Verdict:
        """Return the verdict for one DAG; one query for all questions about it, none without rules."""
        if self.rules is None:
            return Verdict.GRANTED if self.role is not None and self.role >= least else Verdict.FORBIDDEN
        if dag_id not in self._on_dags:
            self._on_dags[dag_id] = _role_by(self.rules, dag_id)
        role = self._on_dags[dag_id]
        if role is None:
            return Verdict.UNKNOWN
        return Verdict.GRANTED if role >= least else Verdict.FORBIDDEN


def _role_by(rules: Sequence[tuple[Role, Q]], dag_id: str) -> Role | None:
    """Return the highest role that rules give on a DAG, None where they give none or there is no such DAG."""
    if not rules:
        return None
    highest = Case(
        *(When(condition, then=role.value) for role, condition in sorted(rules, key=lambda rule: -rule[0])),
        output_field=IntegerField(),
    )
    found = apps.get_model("dags_app", "Dag")._base_manager.filter(pk=dag_id).values_list(highest, flat=True)
    return next((Role(role) for role in found if role is not None), None)


_RANK = Case(*(When(name=name, then=role.value) for name, role in GROUPS.items()), output_field=IntegerField())
_ROLE_OF_GROUPS = Subquery(
    Group.objects.filter(user=OuterRef("pk"), name__in=GROUPS).annotate(rank=_RANK).order_by("-rank").values("rank")[:1]
)


def users() -> QuerySet[User]:
    """Users with the role of their groups, and with the fact whether there is any rule: no request pays a query for either."""
    return User.objects.annotate(are_there_rules=Exists(DagRule.objects.all()), role_of_groups=_ROLE_OF_GROUPS)


def access_of(user: Any) -> Access:
    """Return the rights of a user, evaluated once for each object, which lives as long as its request."""
    known: Access | None = getattr(user, "_access", None)
    if known is None:
        known = user._access = _evaluated(user)
    return known


def _evaluated(user: Any) -> Access:
    role = role_of(user)
    token = getattr(user, "acting_token", None)
    limit = Role(token.role) if token is not None else Role.ADMIN
    rules = None if role == Role.ADMIN or not _are_there_rules(user) else _rules_of(user, limit)
    return Access(user.get_username(), min(role, limit) if role is not None else None, rules)


def _are_there_rules(user: Any) -> bool:
    known: bool | None = getattr(user, "are_there_rules", None)
    return DagRule.objects.exists() if known is None else known


def _rules_of(user: Any, limit: Role) -> tuple[tuple[Role, Q], ...]:
    if not user.is_active:
        return ()
    mine = Q(user=user) | Q(group__user=user)
    return tuple((min(Role(rule.role), limit), condition_of(rule)) for rule in DagRule.objects.filter(mine).distinct())


def condition_of(rule: DagRule) -> Q:
    """Return a rule as a condition on ``Dag``; letters count as they are written, on every database."""
    condition = Q(pk__isnull=False)
    if rule.dag_id != "*":
        condition &= Q(pk__regex=_pattern(rule.dag_id)) if set(rule.dag_id) & set("*?") else Q(pk=rule.dag_id)
    if rule.tag:
        condition &= Q(pk__in=apps.get_model("dags_app", "DagTag")._base_manager.filter(name=rule.tag).values("dag_id"))
    if rule.owner:
        condition &= Q(owners__regex=f"(^|, *){_escaped(rule.owner)}(,|$)")
    return condition & Q(bundle_id=rule.bundle) if rule.bundle else condition


def _pattern(glob: str) -> str:
    return "^" + "".join({"*": ".*", "?": "."}.get(letter) or _escaped(letter) for letter in glob) + "$"


def _escaped(text: str) -> str:
    """Escape for the regular expressions of Python and of PostgreSQL alike."""
    return re.sub(r"([^\w\s])", r"\\\1", text)
