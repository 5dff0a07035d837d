"""The Celery application. What depends on the environment are the CELERY_* names of helpdesk.settings."""

import os
from typing import Any

from celery import Celery
from celery.signals import beat_init, task_prerun
from kombu.transport import TRANSPORT_ALIASES

from helpdesk import logs

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
    worker_max_memory_per_child=400_000,  # KiB: a picture that blew up takes one child with it, not the machine
    worker_hijack_root_logger=False,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    # A message is a hint to look at a table (outbox, clocks), so losing one costs a tick and running one twice
    # nothing: acknowledged early, no result, published with hardly any patience. A task that *is* its own record
    # says acks_late.
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


@beat_init.connect
def beat_at_once(sender: Any, **kwargs: Any) -> None:
    """The scheduler would send its first heartbeat after one period; whoever waits for /readyz need not."""
    app.send_task("helpdesk.tasks.heartbeat")


@task_prerun.connect
def name_the_log_lines(task_id: str, **kwargs: Any) -> None:
    logs.request_id.set(task_id)
