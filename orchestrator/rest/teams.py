"""Decides what a body may say of a team: nothing, since there are none here."""

from collections.abc import Mapping
from typing import Any

from orchestrator.rest.errors import ProblemError

_NO_TEAMS = "Value error, team_name cannot be set when multi_team mode is disabled. Please contact your administrator."


def no_team(body: Mapping[str, Any]) -> ProblemError | None:
    """Return what is wrong with a body that names a team."""
    return ProblemError("value_error", _NO_TEAMS, {"error": {}}) if body["team_name"] is not None else None
