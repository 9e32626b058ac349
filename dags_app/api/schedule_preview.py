"""Decides the REST operations that show a schedule before it happens and let a DAG begin with it; additions to Airflow's API."""

from typing import Any

from django.db import transaction

from accounts.roles import Role
from dags_app.api.pausing import ON_UNPAUSE, dag_pause
from dags_app.api.queries import dag_or_404
from dags_app.api.schemas import DAG
from dags_app.selectors import SpecUnreadableError
from dags_app.upcoming import cron_preview, schedule_preview
from orchestrator.kernel.clock import utcnow
from orchestrator.rest import scalars
from orchestrator.rest.bodies import Body, Field
from orchestrator.rest.errors import NotFoundError, ProblemError, RestError
from orchestrator.rest.operations import Call, Operations
from orchestrator.rest.params import Param, params
from orchestrator.rest.schemas import instant
from orchestrator.sdk.definitions.timetables import AirflowTimetableInvalid, CronTriggerTimetable
from orchestrator.sdk.definitions.timetables.dst_policy import GAPS, OVERLAPS
from orchestrator.sdk.definitions.timetables.preview import Preview, Tick

operations = Operations("DAG")

MOST = 200


def _count(value: Any) -> int:
    number = scalars.at_least(1)(value)
    if number > MOST:
        raise ProblemError("less_than_equal", f"Input should be less than or equal to {MOST}", {"le": MOST})
    return int(number)


_COUNT = params(Param("count", _count, 20))
CRON = Body(
    "SchedulePreviewBody",
    {
        "cron": Field(scalars.text, required=True, null=False),
        "timezone": Field(scalars.text, null=False, default="UTC"),
        "dst_gap": Field(scalars.choice(*GAPS)),
        "dst_overlap": Field(scalars.choice(*OVERLAPS)),
        "count": Field(_count, null=False, default=20),
    },
)


@operations.add("GET", "/dags/{dag_id}/schedulePreview", "get_schedule_preview", params=_COUNT)
def get_schedule_preview(call: Call) -> dict[str, Any]:
    """Return the ticks of a DAG's schedule before and after now."""
    dag = dag_or_404(call.path["dag_id"])
    try:
        return _body(schedule_preview(dag, utcnow(), call.query["count"]))
    except (SpecUnreadableError, AirflowTimetableInvalid, ValueError, NotImplementedError) as error:
        raise RestError(422, f"The schedule of {dag.dag_id} cannot say its times: {error}") from error


@operations.add("POST", "/schedulePreview", "preview_schedule", body=CRON)
def preview_schedule(call: Call) -> dict[str, Any]:
    """Return the ticks of a cron expression before it is written into a DAG file."""
    body = call.body
    words = {name: body[name] for name in ("dst_gap", "dst_overlap")}
    try:
        timetable = CronTriggerTimetable(body["cron"], body["timezone"], **words)
        return _body(cron_preview(timetable, utcnow(), body["count"]))
    except (AirflowTimetableInvalid, ValueError) as error:
        raise RestError(422, str(error)) from error


UNPAUSE = Body("UnpauseBody", {"missed": Field(scalars.choice(*ON_UNPAUSE))})


@operations.add("POST", "/dags/{dag_id}/unpause", "unpause_dag", role=Role.USER, body=UNPAUSE)
def unpause_dag(call: Call) -> dict[str, Any]:
    """Switch a DAG on and say which of the intervals that it missed are made up for (C24-c)."""
    with transaction.atomic():
        is_moved = dag_pause(call.path["dag_id"], False, actor=call.user_name, missed=call.body["missed"])
    if is_moved is None:
        raise NotFoundError(f"Dag with id: {call.path['dag_id']} was not found")
    return DAG.of(dag_or_404(call.path["dag_id"]))


def _body(shown: Preview) -> dict[str, Any]:
    return {"previous": [_tick(tick) for tick in shown.previous], "next": [_tick(tick) for tick in shown.following]}


def _tick(tick: Tick) -> dict[str, Any]:
    return {"run_after": instant(tick.at), "local": tick.local, "zone": tick.zone, "note": tick.note}
