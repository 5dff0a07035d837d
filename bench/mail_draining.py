"""`python -m bench.mail_draining SECONDS`: send what waits in the outbox in this process, and print the figures as
JSON."""

import json
import sys
import time
from typing import Any

import django


def hot() -> tuple[int, int]:
    """Return how many rows of the outbox were updated so far, and how many of them without touching an index."""
    from django.db import connection

    if connection.vendor != "postgresql":
        return 0, 0
    connection.close()  # a backend reports its statistics when it is idle
    time.sleep(1.2)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'notifications_outgoingemail'"
        )
        return tuple(cursor.fetchone())


def main() -> None:
    django.setup()
    from django.db import connection

    from notifications.outgoing import delivery

    queries = 0

    def count(execute: Any, *arguments: Any) -> Any:
        nonlocal queries
        queries += 1
        return execute(*arguments)

    delivery.drain(0.5)  # templates and catalogues are read once in a worker's life
    before = hot()
    began, cpu = time.perf_counter(), time.process_time()
    with connection.execute_wrapper(count):
        sent = delivery.drain(float(sys.argv[1]))
    wall, cpu = time.perf_counter() - began, time.process_time() - cpu
    after = hot()
    json.dump(
        {
            "sent": sent,
            "seconds": wall,
            "cpu": cpu,
            "queries": queries,
            "updates": after[0] - before[0],
            "hot": after[1] - before[1],
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main()
