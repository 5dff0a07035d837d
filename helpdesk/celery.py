"""The Celery application. Its settings that depend on the environment are `CELERY_*` in helpdesk.settings."""

import logging
import os
from contextlib import suppress
from functools import cached_property
from time import monotonic
from typing import Any

from celery import Celery
from celery.signals import (
    beat_init,
    celeryd_after_setup,
    celeryd_init,
    setup_logging,
    task_postrun,
    task_prerun,
    worker_process_init,
)
from django.conf import settings
from kombu import Exchange, Queue
from kombu.transport import TRANSPORT_ALIASES

from helpdesk import logs
from helpdesk.variables import WrongVariables, refuse_unnamed_size
from helpdesk.warm_up import spare_collector
from notifications.senders import MAIL_QUEUE, share, slots_of

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helpdesk.settings")
TRANSPORT_ALIASES["filesystem"] = "demo.file_broker:Transport"

logger = logging.getLogger(__name__)
SLOW_TASK_SECONDS = 10.0


class Desk(Celery):
    """Its worker and beat print no banner, for every line of a log is one record."""

    def _load_config(self) -> Any:
        """Celery's method that reads settings first. It ends `celery worker` and `beat` without a traceback."""
        try:
            return super()._load_config()
        except WrongVariables as error:
            raise SystemExit(str(error)) from error

    @cached_property
    def Worker(self) -> Any:  # noqa: N802  (Celery's name)
        return without_banner(self.subclass_with_self("celery.apps.worker:Worker"))

    @cached_property
    def Beat(self) -> Any:  # noqa: N802  (Celery's name)
        return without_banner(self.subclass_with_self("celery.apps.beat:Beat"))


def without_banner(program: Any) -> Any:
    """Return `program` made quiet. The command line names `quiet` itself, so a default would not do."""
    return lambda *args, **options: program(*args, **{**options, "quiet": True})


app = Desk("helpdesk")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.update(
    timezone="UTC",
    beat_max_loop_interval=5,
    task_default_queue="desk",
    # A worker reads both queues unless `--queues` names one. Mail has its own, because its server may be slow or mute.
    task_queues=[Queue(name, Exchange(name), routing_key=name) for name in ("desk", MAIL_QUEUE)],
    task_routes={"notifications.tasks.drain_outbox": {"queue": MAIL_QUEUE}},
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


@setup_logging.connect
def keep_our_logging(**kwargs: Any) -> None:
    """Connected, it keeps Celery from adding handlers of its own: settings.LOGGING is set up already."""


def say_as_a_line(msg: str, f: Any = None) -> None:
    """Write what Celery says about its end («Warm shutdown») as a record of the log, without its `print`. It is called
    in the handler of a signal, which may have interrupted the log while it wrote: so nothing but one `os.write`."""
    record = logger.makeRecord(logger.name, logging.INFO, __file__, 0, msg.strip(), (), None)
    formatter = logs.JsonFormatter() if settings.PRODUCTION else logging.Formatter(logging.BASIC_FORMAT)
    with suppress(OSError):
        os.write(2, f"{formatter.format(record)}\n".encode())


@celeryd_init.connect
def end_in_lines(**kwargs: Any) -> None:
    """Give the worker's program our way of saying how it ends. It has no setting for that."""
    from celery.apps import worker

    worker.safe_say = say_as_a_line


@beat_init.connect
def say_that_beat_runs(**kwargs: Any) -> None:
    logger.info("beat runs")


@celeryd_after_setup.connect
def leave_processes_for_other_work(instance: Any, **kwargs: Any) -> None:
    """Bound the worker's processes that send mail. It has not forked them yet."""
    share.limit(slots_of(instance.concurrency, set(app.amqp.queues.consume_from)))


@worker_process_init.connect
def spare_collector_in_worker(**kwargs: Any) -> None:
    """Spare the garbage collector, in each process of a worker, what the worker had loaded before it forked."""
    spare_collector()


@task_prerun.connect
def name_the_log_lines(task_id: str, task: Any, **kwargs: Any) -> None:
    logs.request_id.set(task_id)
    task.request.desk_began = monotonic()


@task_postrun.connect
def report_slow_task(task: Any, **kwargs: Any) -> None:
    """Write a line for a task that took long. Of the others only failures are written: an idle desk runs 40 tasks a
    minute."""
    seconds = monotonic() - getattr(task.request, "desk_began", monotonic())
    if seconds > SLOW_TASK_SECONDS:
        logger.warning("task %s took %.1f s", task.name, seconds)
    logs.request_id.set("-")
