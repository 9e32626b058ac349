"""Decides the command ``manage.py assets``: list, show and materialize assets, with Airflow's flags."""

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import transaction
from django.db.models import Q

from orchestrator.management.command import AirflowCommand
from orchestrator.management.local_arguments import add_output
from orchestrator.management.stored import actor

COLUMNS = ("name", "uri", "group", "extra")


class Command(AirflowCommand):
    """``manage.py assets list|details|materialize``."""

    help = "Look after assets."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        listing = actions.add_parser("list", help="all assets")
        listing.add_argument("--columns", help="names separated by commas")
        details = actions.add_parser("details", help="one asset")
        materialize = actions.add_parser("materialize", help="start a run of the DAG that writes the asset")
        for action in (listing, details):
            action.add_argument("--alias", action="store_true", help="aliases instead of assets")
        for action in (details, materialize):
            action.add_argument("--name")
            action.add_argument("--uri")
        for action in (listing, details, materialize):
            add_output(action)

    def handle(self, *args: Any, **options: Any) -> None:
        from orchestrator.sdk.testing.table import render

        rows = {"list": self._list, "details": self._details, "materialize": self._materialize}[options["action"]](options)
        self.stdout.write(render(rows, options["output"]))

    def _list(self, options: dict[str, Any]) -> list[dict[str, Any]]:
        from dags_app.models import Asset, AssetAlias

        if options["alias"]:
            rows = [{"name": row.name, "group": row.group} for row in AssetAlias.objects.order_by("name")]
        else:
            found = Asset.objects.filter(is_active=True).order_by("name", "uri")
            rows = [{name: getattr(row, name) for name in ("id", *COLUMNS, "created_at", "updated_at")} for row in found]
        known = list(rows[0]) if rows else []
        names = _words(options["columns"]) or [name for name in COLUMNS if name in known]
        if unknown := [name for name in names if name not in known and rows]:
            raise CommandError(f"There are no columns {', '.join(unknown)}; there are {', '.join(known)}.")
        return [{name: row[name] for name in names} for row in rows]

    def _details(self, options: dict[str, Any]) -> list[dict[str, Any]]:
        from dags_app.models import AssetAlias

        if not options["alias"]:
            from runs.api.asset_queries import assets, attach_to_assets
            from runs.api.asset_schemas import ASSET

            attach_to_assets([asset := assets().get(pk=_asset(options).pk)])
            shown = ASSET.of(asset)
            return [shown | ({} if shown["last_asset_event"]["id"] else {"last_asset_event": None})]
        if options["uri"] or not options["name"]:
            raise CommandError("An alias is named by --name alone.")
        alias = AssetAlias.objects.filter(name=options["name"]).first()
        if alias is None:
            raise CommandError(f"Asset alias with name {options['name']} does not exist.")
        return [{"id": alias.pk, "name": alias.name, "group": alias.group, "assets": [str(a) for a in alias.assets.all()]}]

    def _materialize(self, options: dict[str, Any]) -> list[dict[str, Any]]:
        from accounts.services import audit_write
        from dags_app.models import AssetReference, Dag
        from runs.services import DagUnavailableError, ParamsInvalidError, RunExistsError, run_trigger
        from runs.states import DagRunType

        asset, who = _asset(options), actor()
        written = Q(asset_references__asset=asset, asset_references__role=AssetReference.Role.OUTLET)
        writers = list(Dag.objects.filter(written).distinct().order_by("dag_id")[:3])
        if len(writers) != 1:
            which = ", ".join(dag.dag_id for dag in writers) or "none"
            raise CommandError(f"Asset {asset.name!r} must be written by exactly one DAG to be materialized; it has {which}.")
        try:
            with transaction.atomic():
                run = run_trigger(dag=writers[0], conf={}, run_type=DagRunType.ASSET_MATERIALIZATION, user_name=who)
                ids = {"dag_id": run.dag_id, "run_id": run.run_id}
                audit_write("materialize_asset", actor=who, extra={"asset_id": asset.pk}, **ids)
        except (RunExistsError, DagUnavailableError, ParamsInvalidError, ValueError) as error:
            raise CommandError(str(error)) from error
        return [{"dag_id": run.dag_id, "dag_run_id": run.run_id, "run_type": run.run_type, "state": run.state}]


def _asset(options: dict[str, Any]) -> Any:
    from dags_app.models import Asset

    wanted = {key: options[key] for key in ("name", "uri") if options[key]}
    if not wanted:
        raise CommandError("Either --name or --uri is required.")
    found = list(Asset.objects.filter(is_active=True, **wanted).order_by("pk")[:2])
    where = " and ".join(f"{key} {value}" for key, value in wanted.items())
    if not found:
        raise CommandError(f"Asset with {where} does not exist.")
    if len(found) > 1:
        raise CommandError(f"More than one asset exists with {where}; give both --name and --uri.")
    return found[0]


def _words(text: str | None) -> list[str]:
    return [word.strip() for word in (text or "").split(",") if word.strip()]
