"""Make `Ticket.due_order` a column that `tickets.clocks` writes, so that lists follow the nearest promise.

It was the due date of the resolution clock, whatever else was promised. Open tickets get their new value here.
Also let `clock_unseen_due` hold the clocks that stopped or paused at the very instant of their due date.
"""

from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from django.db import migrations, models
from django.db.models import F, Q

FAR_FUTURE = datetime(9999, 1, 1, tzinfo=UTC)
PAUSED = datetime(5000, 1, 1, tzinfo=UTC)
OPEN = ~Q(stage_kind__in=["done", "rejected", "cancelled"])
BATCH = 500

INDEXES = [
    models.Index(
        fields=["assignee", "is_paused", "due_order", "id"], condition=OPEN, name="ticket_open_by_assignee"
    ),
    models.Index(
        fields=["department", "is_paused", "due_order", "id"],
        condition=OPEN,
        name="ticket_open_by_department",
    ),
    models.Index(
        fields=["stage_kind", "is_paused", "due_order", "id"], condition=OPEN, name="ticket_open_by_kind"
    ),
    models.Index(fields=["is_paused", "due_order", "id"], condition=OPEN, name="ticket_open_by_due"),
    models.Index(
        fields=["is_paused", "due_order", "id"],
        condition=OPEN & Q(assignee__isnull=True),
        name="ticket_open_unassigned",
    ),
    models.Index(
        fields=["is_paused", "due_order", "id"],
        condition=OPEN & Q(is_escalated=True),
        name="ticket_open_escalated",
    ),
    models.Index(
        fields=["severity_order", "due_order", "id"], condition=OPEN, name="ticket_open_by_severity"
    ),
]
UNRECORDED_BREACH = (
    Q(breached_at__isnull=True)
    & (Q(stopped_at__isnull=True) | Q(stopped_at__gte=F("due_at")))
    & (Q(paused_at__isnull=True) | Q(paused_at__gte=F("due_at")))
)


def _order(clock: Any) -> datetime:
    if clock.paused_at is None:
        due: datetime = clock.due_at
        return due
    return PAUSED + (clock.due_at - clock.paused_at)


def fill(apps: Any, schema_editor: Any) -> None:
    """Compute the column for the tickets that have a clock that has not stopped; for others the default is right."""
    clock_model, ticket_model = apps.get_model("tickets", "Clock"), apps.get_model("tickets", "Ticket")
    running = clock_model.objects.filter(stopped_at__isnull=True).order_by("ticket_id")
    batch = []
    for pk, clocks in groupby(running.iterator(chunk_size=2000), key=lambda clock: clock.ticket_id):
        batch.append(ticket_model(pk=pk, due_order=min(map(_order, clocks))))
        if len(batch) == BATCH:
            ticket_model.objects.bulk_update(batch, ["due_order"])
            batch.clear()
    ticket_model.objects.bulk_update(batch, ["due_order"])


class Migration(migrations.Migration):
    dependencies = [("tickets", "0006_names_sort_as_in_spanish")]

    operations = [
        *(migrations.RemoveIndex("ticket", index.name) for index in INDEXES),
        migrations.RemoveField("ticket", "due_order"),
        migrations.AddField("ticket", "due_order", models.DateTimeField(default=FAR_FUTURE, editable=False)),
        migrations.RunPython(fill, migrations.RunPython.noop),
        *(migrations.AddIndex("ticket", index) for index in INDEXES),
        migrations.RemoveIndex("clock", "clock_unseen_due"),
        migrations.AddIndex(
            "clock",
            models.Index(fields=["due_at"], condition=UNRECORDED_BREACH, name="clock_unseen_due"),
        ),
    ]
