"""The schema of this app up to here in one step, for new databases: its migrations one by one took a second of the first start."""

import django.db.models.deletion
import orchestrator.kernel.ids
from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [('dags_app', '0001_initial'), ('dags_app', '0002_assets_warnings_favorites'), ('dags_app', '0003_plugins'), ('dags_app', '0004_overlap_and_missed'), ('dags_app', '0005_event_policy'), ('dags_app', '0006_dag_links'), ('dags_app', '0007_names')]

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='Bundle',
            fields=[
                ('name', models.CharField(max_length=250, primary_key=True, serialize=False)),
                ('kind', models.CharField(default='LocalDagBundle', max_length=250)),
                ('kwargs', models.JSONField(blank=True, default=dict, help_text='Arguments of its class, without secrets.')),
                ('path', models.CharField(blank=True, help_text='Absolute folder on the machines that read it.', max_length=2000)),
                ('version', models.CharField(blank=True, max_length=200, null=True)),
                ('is_active', models.BooleanField(default=True)),
                ('last_refreshed_at', models.DateTimeField(blank=True, null=True)),
                ('last_scan_completed_at', models.DateTimeField(blank=True, null=True)),
                ('unreadable_since', models.DateTimeField(blank=True, null=True)),
                ('unreadable_reason', models.TextField(blank=True, default='')),
            ],
        ),
        migrations.CreateModel(
            name='DagCode',
            fields=[
                ('source_hash', models.CharField(max_length=64, primary_key=True, serialize=False)),
                ('source_code', models.TextField()),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
            options={
                'verbose_name': 'DAG code',
            },
        ),
        migrations.CreateModel(
            name='Plugin',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('name', models.CharField(blank=True, default='', max_length=500)),
                ('source', models.TextField(help_text='File below the plugins folder, or package and entry point.')),
                ('content', models.JSONField(blank=True, default=dict, help_text='Class paths and names of what it brings.')),
                ('error', models.TextField(blank=True, default='')),
                ('loaded_at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='Asset',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=1500)),
                ('uri', models.CharField(max_length=1500)),
                ('group', models.CharField(default='asset', max_length=1500)),
                ('extra', models.JSONField(blank=True, default=dict)),
                ('access_control', models.JSONField(blank=True, null=True)),
                ('is_active', models.BooleanField(default=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
            ],
            options={
                'indexes': [models.Index(fields=['uri'], name='asset_uri')],
                'constraints': [models.UniqueConstraint(fields=('name', 'uri'), name='asset_name_uri_unique')],
            },
        ),
        migrations.CreateModel(
            name='AssetAlias',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=1500, unique=True)),
                ('group', models.CharField(default='asset', max_length=1500)),
                ('assets', models.ManyToManyField(blank=True, related_name='aliases', to='dags_app.asset')),
            ],
            options={
                'verbose_name_plural': 'asset aliases',
            },
        ),
        migrations.CreateModel(
            name='Dag',
            fields=[
                ('dag_id', models.CharField(max_length=250, primary_key=True, serialize=False)),
                ('dag_display_name', models.CharField(blank=True, max_length=2000)),
                ('bundle_version', models.CharField(blank=True, max_length=200, null=True)),
                ('relative_fileloc', models.CharField(blank=True, max_length=2000)),
                ('fileloc', models.CharField(blank=True, max_length=2000)),
                ('description', models.TextField(blank=True, null=True)),
                ('owners', models.CharField(blank=True, max_length=2000)),
                ('timetable_type', models.CharField(blank=True, max_length=255)),
                ('timetable_summary', models.TextField(blank=True, null=True)),
                ('timetable_description', models.CharField(blank=True, max_length=1000, null=True)),
                ('is_paused', models.BooleanField(default=True)),
                ('is_stale', models.BooleanField(default=False)),
                ('has_import_errors', models.BooleanField(default=False)),
                ('has_task_concurrency_limits', models.BooleanField(default=False)),
                ('max_active_tasks', models.IntegerField(default=16)),
                ('max_active_runs', models.IntegerField(default=16, null=True)),
                ('max_consecutive_failed_dag_runs', models.IntegerField(default=0)),
                ('catchup', models.BooleanField(default=False)),
                ('last_parsed_time', models.DateTimeField(blank=True, null=True)),
                ('last_parse_duration', models.FloatField(blank=True, null=True)),
                ('last_expired', models.DateTimeField(blank=True, null=True)),
                ('next_dagrun_logical_date', models.DateTimeField(blank=True, null=True)),
                ('next_dagrun_data_interval_start', models.DateTimeField(blank=True, null=True)),
                ('next_dagrun_data_interval_end', models.DateTimeField(blank=True, null=True)),
                ('next_dagrun_create_after', models.DateTimeField(blank=True, null=True)),
                ('overlap_policy', models.CharField(default='allow', max_length=20)),
                ('event_policy', models.CharField(default='batch', max_length=20)),
                ('event_window', models.FloatField(blank=True, null=True)),
                ('catch_up_until', models.DateTimeField(blank=True, null=True)),
                ('skip_missed_until', models.DateTimeField(blank=True, null=True)),
                ('scheduling_error', models.TextField(blank=True, default='')),
                ('scheduling_error_count', models.IntegerField(default=0)),
                ('scheduling_retry_at', models.DateTimeField(blank=True, null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('bundle', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='dags', to='dags_app.bundle')),
            ],
            options={
                'verbose_name': 'DAG',
                'indexes': [models.Index(condition=models.Q(('is_paused', False), ('is_stale', False)), fields=['next_dagrun_create_after'], name='dag_due')],
            },
        ),
        migrations.CreateModel(
            name='DagVersion',
            fields=[
                ('id', models.UUIDField(default=orchestrator.kernel.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('version_number', models.IntegerField()),
                ('bundle_name', models.CharField(blank=True, max_length=250, null=True)),
                ('bundle_version', models.CharField(blank=True, max_length=200, null=True)),
                ('structure_hash', models.CharField(max_length=64)),
                ('attributes_hash', models.CharField(max_length=64)),
                ('document', models.TextField()),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('last_updated', models.DateTimeField(auto_now=True)),
                ('code', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='dags_app.dagcode')),
                ('dag', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='versions', to='dags_app.dag')),
            ],
            options={
                'verbose_name': 'DAG version',
                'ordering': ['dag_id', 'version_number'],
                'constraints': [models.UniqueConstraint(fields=('dag', 'version_number'), name='dag_version_number_unique')],
            },
        ),
        migrations.AddField(
            model_name='dag',
            name='latest_version',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='dags_app.dagversion'),
        ),
        migrations.CreateModel(
            name='DagWarning',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('warning_type', models.CharField(choices=[('asset conflict', 'Asset Conflict'), ('non-existent pool', 'Non Existent Pool'), ('runtime varying value', 'Runtime Varying Value')], max_length=50)),
                ('message', models.TextField()),
                ('timestamp', models.DateTimeField()),
                ('dag', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='warnings', to='dags_app.dag')),
            ],
            options={
                'verbose_name': 'DAG warning',
                'constraints': [models.UniqueConstraint(fields=('dag', 'warning_type'), name='dag_warning_unique')],
            },
        ),
        migrations.CreateModel(
            name='ParsedFile',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('relative_fileloc', models.CharField(max_length=2000)),
                ('content_hash', models.CharField(blank=True, max_length=64)),
                ('modules', models.JSONField(blank=True, default=dict, help_text='Imported modules of the bundle: path to content hash.')),
                ('mtime_ns', models.BigIntegerField(default=0)),
                ('size', models.BigIntegerField(default=0)),
                ('dag_ids', models.JSONField(blank=True, default=list)),
                ('last_parsed_at', models.DateTimeField(blank=True, null=True)),
                ('last_duration_seconds', models.FloatField(blank=True, null=True)),
                ('last_good_at', models.DateTimeField(blank=True, null=True)),
                ('missing_since', models.DateTimeField(blank=True, null=True)),
                ('warnings', models.JSONField(blank=True, default=list)),
                ('reparse_requested_at', models.DateTimeField(blank=True, null=True)),
                ('bundle', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='files', to='dags_app.bundle')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('bundle', 'relative_fileloc'), name='parsed_file_unique')],
            },
        ),
        migrations.CreateModel(
            name='ParseImportError',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('filename', models.CharField(help_text='Path relative to the bundle.', max_length=2000)),
                ('timestamp', models.DateTimeField()),
                ('stacktrace', models.TextField()),
                ('bundle', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='import_errors', to='dags_app.bundle')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('bundle', 'filename'), name='import_error_unique')],
            },
        ),
        migrations.CreateModel(
            name='AssetWatcher',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=1500)),
                ('classpath', models.CharField(max_length=1000)),
                ('encrypted_kwargs', models.TextField(blank=True, default='')),
                ('kwargs_hash', models.CharField(help_text='Of class and arguments: another hash is another trigger.', max_length=64)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('asset', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='watchers', to='dags_app.asset')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('asset', 'name'), name='asset_watcher_unique')],
            },
        ),
        migrations.CreateModel(
            name='AssetReference',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('role', models.CharField(choices=[('schedule', 'Schedule'), ('outlet', 'Outlet'), ('inlet', 'Inlet')], max_length=10)),
                ('task_id', models.CharField(blank=True, default='', help_text='Empty for the schedule.', max_length=250)),
                ('name', models.CharField(blank=True, default='', max_length=1500)),
                ('uri', models.CharField(blank=True, default='', max_length=1500)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('alias', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='references', to='dags_app.assetalias')),
                ('asset', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='references', to='dags_app.asset')),
                ('dag', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='asset_references', to='dags_app.dag')),
            ],
            options={
                'indexes': [models.Index(fields=['role', 'asset'], name='asset_reference_role')],
            },
        ),
        migrations.CreateModel(
            name='DagFavorite',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('user_name', models.CharField(max_length=512)),
                ('dag', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='favorites', to='dags_app.dag')),
            ],
            options={
                'verbose_name': 'DAG favorite',
                'constraints': [models.UniqueConstraint(fields=('user_name', 'dag'), name='dag_favorite_unique')],
            },
        ),
        migrations.CreateModel(
            name='DagLink',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('trigger', 'Trigger'), ('sensor', 'Sensor')], max_length=10)),
                ('task_id', models.CharField(max_length=250)),
                ('label', models.CharField(blank=True, max_length=2000)),
                ('other_dag_id', models.CharField(help_text='The DAG that is triggered or waited for.', max_length=250)),
                ('dag', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='links', to='dags_app.dag')),
            ],
            options={
                'verbose_name': 'DAG link',
                'indexes': [models.Index(fields=['other_dag_id', 'kind'], name='dag_link_other')],
            },
        ),
        migrations.CreateModel(
            name='DagOwnerLink',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('owner', models.CharField(max_length=500)),
                ('link', models.CharField(max_length=500)),
                ('dag', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='owner_links', to='dags_app.dag')),
            ],
            options={
                'verbose_name': 'DAG owner link',
                'constraints': [models.UniqueConstraint(fields=('dag', 'owner'), name='dag_owner_link_unique')],
            },
        ),
        migrations.CreateModel(
            name='DagTag',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=100)),
                ('dag', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='tags', to='dags_app.dag')),
            ],
            options={
                'verbose_name': 'DAG tag',
                'ordering': ['name'],
                'constraints': [models.UniqueConstraint(fields=('name', 'dag'), name='dag_tag_unique')],
            },
        ),
    ]
