"""The answer to /metrics, in Prometheus' format: requests of all processes of this server, and the figures of the
database."""

import logging
import os
from collections.abc import Iterator

from django.utils import timezone
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from . import processes, requests
from .figures import Figures, cache

logger = logging.getLogger(__name__)


class DeskCollector(Collector):
    """The figures of the database as metrics. Prometheus' own client would ask for them at registration, so it is only
    registered for one answer."""

    def __init__(self, figures: Figures | None) -> None:
        self.figures = figures

    def collect(self) -> Iterator[Metric]:
        yield gauge(
            "desk_figures_up", "1 if the figures of the database could be read", self.figures is not None
        )
        if self.figures is not None:
            yield from self._mail(self.figures)
            yield from self._work(self.figures)
            yield from self._tasks(self.figures)

    @staticmethod
    def _mail(found: Figures) -> Iterator[Metric]:
        now = timezone.now()
        age = (now - found.outbox_oldest).total_seconds() if found.outbox_oldest else 0
        yield gauge("desk_outbox_waiting", "Mails that wait (counted up to 10000)", found.outbox_waiting)
        yield gauge("desk_outbox_oldest_seconds", "How long the oldest due mail has waited", max(age, 0))
        yield gauge("desk_outbox_held", "1 while a restored copy holds its mail", found.held is not None)
        troubled = GaugeMetricFamily(
            "desk_mails_troubled", "Mails that were not delivered (up to 10000)", labels=["state"]
        )
        troubled.add_metric(["failed"], found.mails_failed)
        troubled.add_metric(["uncertain"], found.mails_uncertain)
        yield troubled

    @staticmethod
    def _work(found: Figures) -> Iterator[Metric]:
        yield gauge(
            "desk_overdue_promises",
            "Open tickets whose nearest promise is over (up to 10000)",
            found.overdue_promises,
        )
        yield gauge(
            "desk_escalated", "Open tickets in «soporte elevado» (up to 10000); target 0", found.escalated
        )
        yield gauge("desk_uploads_held", "Files that wait for the virus scanner", found.uploads_held)
        for name in ("open", "unassigned", "overdue"):
            family = GaugeMetricFamily(
                f"desk_queue_{name}", f"Tickets of a department: {name} (up to 10000)", labels=["department"]
            )
            for queue in found.queues:
                family.add_metric([queue.key], getattr(queue, name))
            yield family

    @staticmethod
    def _tasks(found: Figures) -> Iterator[Metric]:
        last = GaugeMetricFamily(
            "desk_task_last_run_timestamp_seconds", "End of the last run", labels=["task"]
        )
        took = GaugeMetricFamily("desk_task_seconds", "Duration of the last run", labels=["task"])
        failed = GaugeMetricFamily("desk_task_failed", "1 if the last run failed", labels=["task"])
        failures = CounterMetricFamily("desk_task_failures", "Runs that failed", labels=["task"])
        for run in found.tasks:
            name = run.task.rpartition(".")[2]
            last.add_metric([name], run.ran_at.timestamp())
            took.add_metric([name], run.seconds)
            failed.add_metric([name], run.has_failed)
            failures.add_metric([name], run.failures)
        yield from (last, took, failed, failures)


def gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, value=float(value))


def exposition() -> tuple[bytes, str]:
    """Return the body and the content type of /metrics. A database that is away leaves the requests' metrics, and
    `desk_figures_up` 0."""
    figures = CollectorRegistry()
    figures.register(DeskCollector(figures_or_none()))
    return counted_requests() + generate_latest(figures), CONTENT_TYPE_LATEST


def counted_requests() -> bytes:
    """Return the metrics of the requests: of all processes of this server, or of this one, as under runserver."""
    registry = CollectorRegistry()
    if os.environ.get(processes.VARIABLE):
        MultiProcessCollector(registry)
        with processes.locked(exclusive=False):
            return generate_latest(registry)
    for collector in (requests.REQUESTS, requests.SECONDS):
        registry.register(collector)
    return generate_latest(registry)


def figures_or_none() -> Figures | None:
    try:
        return cache.get()
    except Exception:
        logger.exception("the figures of the database cannot be read")
        return None
