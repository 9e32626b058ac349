"""Decides the command ``manage.py explain``: why a DAG gets no run, or why a run or a task instance waits."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandError, CommandParser

from orchestrator.management.command import AirflowCommand
from orchestrator.management.local_arguments import add_output

if TYPE_CHECKING:
    from runs.explain.answer import Explanation


class Command(AirflowCommand):
    """``manage.py explain <dag_id> [run_id] [task_id] [--map-index N]``."""

    help = "Say why something waits: a DAG, a run or a task instance."

    def add_arguments(self, parser: CommandParser) -> None:
        """The more is named, the narrower the question."""
        parser.add_argument("dag_id")
        parser.add_argument("run_id", nargs="?")
        parser.add_argument("task_id", nargs="?")
        parser.add_argument("--map-index", type=int, default=-1)
        add_output(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the reasons, the first one first; an unknown name is one sentence and exit code 1."""
        found = _found(options)
        if options["output"] == "json":
            first, *others = found
            self.stdout.write(json.dumps({**first.document(), "also": [item.document() for item in others]}, indent=2))
            return
        if options["output"] != "table":
            self.show([item.document() for item in found], options)
            return
        for number, item in enumerate(found):
            self._table(item, "also: " if number else "")

    def _table(self, item: "Explanation", prefix: str) -> None:
        self.stdout.write(f"{prefix}{item.sentence}")
        for name, moment in (("since", item.since), ("expected", item.eta)):
            if moment is not None:
                self.stdout.write(f"  {name}  {moment.isoformat()}")
        width = max((len(blocker.kind) for blocker in item.blockers), default=0)
        for blocker in item.blockers:
            self.stdout.write(f"  {blocker.kind:<{width}}  {blocker.name}  {blocker.state or '-'}  {blocker.link or ''}".rstrip())


def _found(options: dict[str, Any]) -> "Sequence[Explanation]":
    from dags_app.models import Dag
    from runs.explain.dag import explain_dag
    from runs.explain.instance import explain_instance
    from runs.explain.run import explain_run
    from runs.models import DagRun, TaskInstance

    dag_id, run_id, task_id = options["dag_id"], options["run_id"], options["task_id"]
    if run_id is None:
        dag = Dag.objects.filter(pk=dag_id).first()
        if dag is None:
            raise CommandError(f"There is no DAG {dag_id!r}; see `manage.py dags list`.")
        return explain_dag(dag)
    if task_id is None:
        run = DagRun.objects.filter(dag_id=dag_id, run_id=run_id).first()
        if run is None:
            raise CommandError(f"DAG {dag_id!r} has no run {run_id!r}.")
        return explain_run(run)
    rows = TaskInstance.objects.select_related("dag_run").filter(dag_id=dag_id, run_id=run_id, task_id=task_id)
    ti = rows.filter(map_index=options["map_index"]).first()
    if ti is None:
        indexes = list(rows.order_by("map_index").values_list("map_index", flat=True)[:5])
        hint = f"; map indexes that it has: {', '.join(map(str, indexes))}" if indexes else ""
        raise CommandError(f"Run {run_id!r} of DAG {dag_id!r} has no task instance {task_id!r}[{options['map_index']}]{hint}.")
    return explain_instance(ti)
