from django.conf import settings
from django.db import migrations, models

# Departments have their own kinds of work. Without knowing it, PostgreSQL expects dozens of tickets where there are
# thousands, and sorts them instead of reading the first along an index.
STATISTICS = "ticket_places"


def tune(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(
            f"CREATE STATISTICS {STATISTICS} (mcv) ON department_id, stage_kind, is_paused FROM tickets_ticket"
        )
        schema_editor.execute("ANALYZE tickets_ticket")


def untune(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(f"DROP STATISTICS {STATISTICS}")


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("accounts", "0005_former_staff"),
        ("tickets", "0016_retention_mark"),
    ]

    operations = [
        migrations.RemoveIndex(model_name="ticket", name="ticket_early"),
        migrations.AddIndex(
            model_name="ticket",
            index=models.Index(
                condition=models.Q(("stage_kind__in", ["new", "evaluation", "preparation"])),
                fields=["process_version", "stage", "department"],
                name="ticket_early",
            ),
        ),
        migrations.RemoveIndex(model_name="ticket", name="ticket_open_by_assignee"),
        migrations.AddIndex(
            model_name="ticket",
            index=models.Index(
                condition=models.Q(("stage_kind__in", ["done", "rejected", "cancelled"]), _negated=True),
                fields=["assignee", "is_paused", "due_order", "id"],
                include=("is_test", "duplicate_of", "department", "stage_kind", "is_escalated", "by_arrival"),
                name="ticket_open_by_assignee",
            ),
        ),
        migrations.AddIndex(
            model_name="ticket",
            index=models.Index(
                condition=models.Q(
                    models.Q(("stage_kind__in", ["done", "rejected", "cancelled"]), _negated=True),
                    ("assignee__isnull", False),
                ),
                fields=["assignee", "is_paused", "arrival_order", "created_at", "id"],
                name="ticket_assigned_by_arrival",
            ),
        ),
        migrations.RunPython(tune, untune),
    ]
