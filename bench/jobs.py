"""Measure what jobs cost: `python -m bench.jobs 100000` prints memory and time of exports of all tickets, and the time
that the database takes for a sweep with ten clocks due among all that run.

The database is the one that the bench filled for this size. An export may take 150 MB of a worker, the queries of a
sweep 5 ms.
"""

import argparse
import os
import resource
import subprocess
import sys
import time
from datetime import timedelta
from typing import Any

from bench.database import ROOT, environment

DUE = 10
ROUNDS = 20


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("size", type=int)
    parser.add_argument("--job", choices=["csv", "xlsx", "sweep"])
    arguments = parser.parse_args()
    if arguments.job is None:
        for job in ("csv", "xlsx", "sweep"):  # each in a process of its own, whose memory is then its own
            command = [sys.executable, "-m", "bench.jobs", str(arguments.size), "--job", job]
            subprocess.run(command, cwd=ROOT, env=environment(arguments.size), check=True)
        return
    import django

    django.setup()
    if arguments.job == "sweep":
        sweep()
    else:
        export(arguments.job)


def export(kind: str) -> None:
    """Write all tickets into a file as a worker does, and print what that took."""
    from accounts.models import User
    from agents import exports
    from tickets.enums import ExportState
    from tickets.models import Export

    supervisor = User.objects.filter(email__startswith="supervisor").order_by("pk")[0]
    before = megabytes()
    row = Export.objects.create(
        owner=supervisor,
        name="Todo",
        format=kind,
        language="es",
        zone="America/Bogota",
        state=ExportState.RUNNING,
    )
    started = time.monotonic()
    exports._write(row)
    took = time.monotonic() - started
    row.refresh_from_db()
    size = row.file.size / 1e6
    print(
        f"{kind}: {row.total} rows, {size:.1f} MB in {took:.1f} s; the process took {megabytes():.0f} MB, "
        f"{megabytes() - before:.0f} MB of it for the export"
    )
    row.file.delete(save=False)
    row.delete()


def megabytes() -> float:
    """Return the most memory that this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def sweep() -> None:
    """Let ten clocks be due, and print what the queries that find them and the others take. Nothing is kept."""
    from django.db import connection, transaction
    from django.utils import timezone

    from tickets.models import Clock
    from tickets.models.clock import UNRECORDED_BREACH
    from tickets.workflow import sweeps

    with transaction.atomic():
        running = Clock.objects.filter(UNRECORDED_BREACH)
        Clock.objects.filter(UNRECORDED_BREACH, due_at__lte=timezone.now()).update(breached_at=timezone.now())
        soonest = list(running.order_by("due_at").values_list("pk", flat=True)[:DUE])
        Clock.objects.filter(pk__in=soonest).update(due_at=timezone.now() - timedelta(minutes=1))
        times: list[float] = []

        def timed(execute: Any, *arguments: Any) -> Any:
            started = time.perf_counter()
            try:
                return execute(*arguments)
            finally:
                times[-1] += time.perf_counter() - started

        for _round in range(ROUNDS):
            times.append(0.0)
            with connection.execute_wrapper(timed):
                found = len(sweeps.overdue().values_list("ticket_id", flat=True)[:200])
                len(sweeps.noticed().values_list("ticket_id", flat=True)[:200])
        print(
            f"sweep: {found} due among {running.count()} running clocks; its queries take "
            f"{1000 * sorted(times)[ROUNDS // 2]:.2f} ms"
        )
        transaction.set_rollback(True)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bench.settings")
    main()
