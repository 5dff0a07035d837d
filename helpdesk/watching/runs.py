"""Record when each task of the schedule ran, how long it took, and whether it failed."""

import logging
from datetime import timedelta
from time import monotonic
from typing import Any

from celery.signals import task_postrun, task_prerun
from django.conf import settings
from django.db.models import F
from django.utils import timezone

from ..models import TaskRun

logger = logging.getLogger(__name__)

WRITTEN_EVERY = 30.0
"""A task that goes well is recorded at most once in so many seconds by each worker process: the outbox is drained every
five, and a row a time would write more than the tasks do."""

BACKUP = "backup"
"""The name of the runs of `manage.py backup`, which no schedule knows. Only complete backups are recorded."""
BACKUP_OLD = timedelta(days=2)
"""A desk whose last backup is older is told so."""

_started: dict[str, float] = {}
_written: dict[str, float] = {}


def scheduled() -> set[str]:
    """Return the names of the periodic tasks."""
    return {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}


@task_prerun.connect(dispatch_uid="helpdesk.runs.begin")
def begin(task_id: str, **kwargs: Any) -> None:
    _started[task_id] = monotonic()


@task_postrun.connect(dispatch_uid="helpdesk.runs.end")
def end(task_id: str, task: Any, retval: Any, state: str, **kwargs: Any) -> None:
    """Record the run. A database that is away must not make the worker lose more than the record."""
    seconds = monotonic() - _started.pop(task_id, monotonic())
    error = retval if isinstance(retval, Exception) else None
    if task.name not in scheduled() or (error is None and _was_written_lately(task.name)):
        return
    try:
        record(task.name, seconds=seconds, error=error)
    except Exception as problem:  # noqa: BLE001  (the next run records it)
        logger.warning("the run of %s was not recorded: %s", task.name, problem)


def _was_written_lately(task: str) -> bool:
    """Whether this process has recorded a run of `task` that went well, and none that failed since, a moment ago."""
    return monotonic() - _written.get(task, float("-inf")) < WRITTEN_EVERY


def record(task: str, *, seconds: float, error: Exception | None = None) -> None:
    """Write the last run of `task`."""
    now = timezone.now()
    values: dict[str, Any] = {"ran_at": now, "seconds": seconds, "has_failed": error is not None}
    if error is not None:
        values |= {"failed_at": now, "problem": type(error).__name__[:80]}
    TaskRun.objects.get_or_create(task=task)
    row = TaskRun.objects.filter(task=task)
    if error is None:
        row.update(**values)
        _written[task] = monotonic()
    else:
        row.update(failures=F("failures") + 1, **values)
        _written.pop(task, None)
