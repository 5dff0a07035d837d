"""Write the turns of the tickets that exist, so that the people whom their stages name see them at once."""

from types import SimpleNamespace

from django.db import migrations
from django.db.models import Exists, OuterRef

from tickets.definitions.loading import definition_of
from tickets.definitions.problems import DefinitionError
from tickets.record.turns import names_of

BATCH = 500


def fill(apps, schema_editor):
    """Fill `Turn` for the tickets of every version that names people beyond those who see the ticket anyway.

    The names come from the code that runs today, because they follow from the process file and not from the database.
    """
    for version in apps.get_model("tickets", "ProcessVersion").objects.iterator():
        try:
            definition = definition_of(version.source)
        except DefinitionError:
            continue
        if definition.gives_turns:
            _fill_version(apps, version, definition)


def _fill_version(apps, version, definition):
    turn = apps.get_model("tickets", "Turn")
    rows = []
    calls = apps.get_model("tickets", "ContactEntry").objects.filter(ticket=OuterRef("pk"), kind="call")
    tickets = apps.get_model("tickets", "Ticket").objects.filter(process_version=version)
    tickets = tickets.select_related("assignee").annotate(has_call=Exists(calls))
    for ticket in tickets.iterator(chunk_size=BATCH):
        subject = SimpleNamespace(
            **{
                "call_due_since": None,
                **vars(ticket),
            },  # 0014 adds the column; a process of today may ask for it
            definition=definition,
            requester=None,  # the only condition that reads it counts as true here
            acting_assignee=ticket.assignee if ticket.assignee and ticket.assignee.is_active else None,
            call_outcome="logged" if ticket.has_call else "",
        )
        rows += [turn(ticket_id=ticket.pk, who=name) for name in names_of(subject, _doers(apps, ticket))]
        if len(rows) >= BATCH:
            turn.objects.bulk_create(rows, ignore_conflicts=True)
            rows = []
    turn.objects.bulk_create(rows, ignore_conflicts=True)


def _doers(apps, ticket):
    """Return the function that finds who did an action on the ticket."""
    events = apps.get_model("tickets", "TicketEvent").objects.filter(ticket=ticket.pk, actor__isnull=False)
    return lambda action: events.filter(action=action).values_list("actor", flat=True)


class Migration(migrations.Migration):
    dependencies = [("tickets", "0009_turn")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
