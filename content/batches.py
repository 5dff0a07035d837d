"""Delete many rows in short transactions, so that other writers need not wait for the locks."""

from typing import Any

from django.db.models import QuerySet

AT_ONCE = 1000


def delete_in_batches(rows: "QuerySet[Any]") -> int:
    """Delete `rows`, `AT_ONCE` at a time, each batch in its own transaction. Returns how many, cascaded rows included.

    Call it outside a transaction: inside one, all locks would be held until its end.
    """
    batch, count = rows.order_by().values("pk")[:AT_ONCE], 0
    while deleted := rows.model.objects.filter(pk__in=batch).delete()[0]:
        count += deleted
    return count
