"""The Celery application. Its settings that depend on the environment are `CELERY_*` in helpdesk.settings."""

import os
from typing import Any

from celery import Celery
from celery.signals import beat_init, celeryd_init, task_prerun
from kombu.transport import TRANSPORT_ALIASES

from helpdesk import logs
from helpdesk.variables import WrongVariables, refuse_unnamed_size

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helpdesk.settings")
TRANSPORT_ALIASES["filesystem"] = "demo.file_broker:Transport"

app = Celery("helpdesk")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.update(
    timezone="UTC",
    beat_max_loop_interval=5,
    task_default_queue="desk",
    task_soft_time_limit=90,
    task_time_limit=120,
    worker_prefetch_multiplier=1,
    worker_max_tasks_per_child=1000,
    worker_max_memory_per_child=400_000,  # KiB: a child that used more is replaced after its task
    worker_hijack_root_logger=False,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    # A message only tells a worker to read a table (outbox, clocks). A lost message delays the work until the next
    # scheduled run, and a repeated one does no harm. So messages are acknowledged early, have no result, and publishing
    # them is retried once. A task whose work is stored nowhere else must set acks_late.
    task_acks_late=False,
    task_ignore_result=True,
    task_publish_retry=True,
    task_publish_retry_policy={
        "max_retries": 1,
        "interval_start": 0,
        "interval_step": 0.1,
        "interval_max": 0.1,
    },
)
app.autodiscover_tasks()


@celeryd_init.connect
@beat_init.connect
def named_size_only(**kwargs: Any) -> None:
    """End a worker or scheduler whose DESK_ENV was forgotten. Celery swallows exceptions of signals, but not this."""
    try:
        refuse_unnamed_size()
    except WrongVariables as error:
        raise SystemExit(str(error)) from error


@task_prerun.connect
def name_the_log_lines(task_id: str, **kwargs: Any) -> None:
    logs.request_id.set(task_id)
