"""Beat's scheduler, which keeps no file: the schedule of last runs lay with the uploads, so a full disk ended beat, and
with it retries, deadlines and every other periodic task."""

from datetime import UTC, datetime

from celery.beat import Scheduler

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


class SchedulerWithoutFile(Scheduler):
    """Sends every task once when beat starts, and then by its period. Nothing is remembered from the last run: every
    entry only wakes a worker, which reads a table, so one run more or less does no harm (celery_schedule.py)."""

    def setup_schedule(self) -> None:
        super().setup_schedule()
        for entry in self.schedule.values():
            entry.last_run_at = LONG_AGO
