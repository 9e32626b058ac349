"""Decides the Celery application: broker from ``[celery]``, tasks of the executors, and beat's plan in the database."""

import os
from typing import Any

from celery import Celery

from orchestrator.config import conf

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "orchestrator.settings")


def settings() -> dict[str, Any]:
    """Celery's settings from ``[celery]``. Messages are acknowledged early: the database keeps the work."""
    return {
        "broker_url": conf.get("celery", "broker_url"),
        "result_backend": conf.get("celery", "result_backend") or None,
        "worker_concurrency": conf.get("celery", "worker_concurrency"),
        "worker_prefetch_multiplier": conf.get("celery", "worker_prefetch_multiplier"),
        "worker_enable_remote_control": conf.get("celery", "worker_enable_remote_control"),
        "task_track_started": conf.get("celery", "task_track_started"),
        "task_acks_late": False,
        "task_ignore_result": True,
        "task_default_queue": conf.get("operators", "default_queue"),
        "broker_connection_retry_on_startup": True,
        "timezone": "UTC",
        "beat_scheduler": "django_celery_beat.schedulers:DatabaseScheduler",
    }


app = Celery("orchestrator", config_source=settings())
app.autodiscover_tasks(["runs.executors", "runs"], related_name="celery_tasks")
