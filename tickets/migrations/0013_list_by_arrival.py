"""Copy to each ticket whether its process works in order of arrival, and index what lists by arrival read."""

from django.conf import settings
from django.db import migrations, models

from tickets.definitions.loading import definition_of
from tickets.definitions.problems import DefinitionError


def copy_queues(apps, schema_editor):
    """Mark the tickets of versions with `queue = "arrival"`: one statement for each version."""
    ticket = apps.get_model("tickets", "Ticket")
    for version in apps.get_model("tickets", "ProcessVersion").objects.iterator():
        try:
            by_arrival = definition_of(version.source).queue == "arrival"
        except DefinitionError:
            continue
        if by_arrival:
            ticket.objects.filter(process_version=version).update(by_arrival=True)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("tickets", "0012_keep_drafts_in_tables"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="ticket",
            name="ticket_open_by_arrival",
        ),
        migrations.RemoveIndex(
            model_name="ticket",
            name="ticket_open_figures",
        ),
        migrations.AddField(
            model_name="ticket",
            name="by_arrival",
            field=models.BooleanField(default=False),
        ),
        migrations.AddIndex(
            model_name="ticket",
            index=models.Index(
                condition=models.Q(("stage_kind__in", ("done", "rejected", "cancelled")), _negated=True),
                fields=["is_paused", "arrival_order", "created_at", "id"],
                name="ticket_open_by_arrival",
            ),
        ),
        migrations.AddIndex(
            model_name="ticket",
            index=models.Index(
                condition=models.Q(
                    models.Q(("stage_kind__in", ("done", "rejected", "cancelled")), _negated=True),
                    ("by_arrival", False),
                ),
                fields=["department"],
                name="ticket_open_not_by_arrival",
            ),
        ),
        migrations.AddIndex(
            model_name="ticket",
            index=models.Index(
                condition=models.Q(("stage_kind__in", ("done", "rejected", "cancelled")), _negated=True),
                fields=["department", "stage_kind", "is_escalated", "assignee", "id"],
                name="ticket_open_figures",
            ),
        ),
        migrations.RunPython(copy_queues, migrations.RunPython.noop),
    ]
