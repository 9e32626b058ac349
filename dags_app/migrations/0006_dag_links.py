import json
from typing import Any

import django.db.models.deletion
from django.db import migrations, models


def fill(apps: Any, schema_editor: Any) -> None:
    """Write the links of the versions that are stored already; a later one is written as it is parsed."""
    rows = apps.get_model("dags_app", "Dag").objects.exclude(latest_version=None)
    made = apps.get_model("dags_app", "DagLink")
    for dag_id, document in rows.values_list("pk", "latest_version__document").iterator(chunk_size=50):
        try:
            links = json.loads(document).get("dependencies") or []
        except (ValueError, AttributeError, RecursionError):
            continue  # a document that cannot be read is stored anew by the next parse
        for link in links:
            kind = link["dependency_type"]
            other = link["target"] if kind == "trigger" else link["source"]
            if kind in ("trigger", "sensor") and "{{" not in other:
                texts = {"task_id": link["dependency_id"][:250], "label": link["label"][:2000], "other_dag_id": other[:250]}
                made.objects.create(dag_id=dag_id, kind=kind, **texts)


class Migration(migrations.Migration):
    dependencies = [
        ("dags_app", "0005_event_policy"),
    ]

    operations = [
        migrations.CreateModel(
            name="DagLink",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("kind", models.CharField(choices=[("trigger", "Trigger"), ("sensor", "Sensor")], max_length=10)),
                ("task_id", models.CharField(max_length=250)),
                ("label", models.CharField(blank=True, max_length=2000)),
                ("other_dag_id", models.CharField(help_text="The DAG that is triggered or waited for.", max_length=250)),
                (
                    "dag",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="links", to="dags_app.dag"),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["other_dag_id", "kind"], name="dag_link_other")],
            },
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
