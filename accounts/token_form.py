"""Decides what the form of a new API token holds and what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.http import QueryDict

from accounts.roles import Role

LONGEST_NAME = 100
# What the form sends -> (words, days).
LIFETIMES: dict[str, tuple[str, int | None]] = {
    "1": ("1 day", 1),
    "7": ("7 days", 7),
    "30": ("30 days", 30),
    "90": ("90 days", 90),
    "365": ("1 year", 365),
    "never": ("never", None),
}


@dataclass(slots=True)
class TokenForm:
    """What is asked for; ``problem`` is one sentence where it cannot be made so."""

    name: str = ""
    role: Role = Role.VIEWER
    lifetime: str = "90"
    problem: str = ""

    def expires_at(self, now: datetime) -> datetime | None:
        """Return when the token ends."""
        days = LIFETIMES[self.lifetime][1]
        return None if days is None else now + timedelta(days=days)

    def roles_up_to(self, best: Role | None) -> list[str]:
        """Return the roles that may be asked for."""
        return [role.name.title() for role in Role if best is not None and role <= best]

    @property
    def role_name(self) -> str:
        """The role as people write it."""
        return self.role.name.title()


def read_token_form(data: QueryDict) -> TokenForm:
    """Return what was sent."""
    form = TokenForm(name=data.get("name", "").strip())
    try:
        form.role = Role[data.get("role", "").upper()]
    except KeyError:
        form.problem = "Choose the role that the token has at most."
    form.lifetime = data.get("expires", "")
    if form.lifetime not in LIFETIMES:
        form.lifetime, form.problem = "90", "Choose when the token ends."
    if not 0 < len(form.name) <= LONGEST_NAME:
        form.problem = f"A token needs a name of 1 to {LONGEST_NAME} characters: it is what the audit log says."
    return form
