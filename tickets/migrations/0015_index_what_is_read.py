import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

# Room in each page for newer versions of its rows: PostgreSQL then leaves the indexes alone when no indexed column
# changes. Pages that are full already get no room until they are rewritten.
ROOM = {"tickets_ticket": 85, "tickets_clock": 90}

# A stage belongs to one process and has one kind. Without knowing it, PostgreSQL expects hundreds of tickets where there
# are tens of thousands, and sorts them instead of reading the first fifty along an index.
STATISTICS = "ticket_stages"


def tune(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        for table, percent in ROOM.items():
            schema_editor.execute(f"ALTER TABLE {table} SET (fillfactor = {percent})")
        schema_editor.execute(
            f"CREATE STATISTICS {STATISTICS} (mcv) ON process_version_id, stage, stage_kind FROM tickets_ticket"
        )


def untune(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(f"DROP STATISTICS {STATISTICS}")
        for table in ROOM:
            schema_editor.execute(f"ALTER TABLE {table} RESET (fillfactor)")


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("tickets", "0014_calls_due"),
    ]

    operations = [
        migrations.RunPython(tune, untune),
        migrations.AddConstraint(
            model_name="ticket",
            constraint=models.UniqueConstraint(fields=("folio",), name="ticket_folio"),
        ),
        migrations.AlterField(
            model_name="ticket",
            name="folio",
            field=models.CharField(editable=False, max_length=24, verbose_name="folio"),
        ),
        migrations.AddIndex(
            model_name="ticket",
            index=models.Index(
                condition=models.Q(("stage_kind__in", ["new", "evaluation", "preparation"])),
                fields=["is_paused", "arrival_order", "created_at", "id"],
                name="ticket_early_by_arrival",
            ),
        ),
        migrations.AddIndex(
            model_name="ticket",
            index=models.Index(
                condition=models.Q(("duplicate_of__isnull", False)),
                fields=["duplicate_of"],
                name="ticket_duplicate_of",
            ),
        ),
        migrations.AddIndex(
            model_name="ticket",
            index=models.Index(
                condition=models.Q(("follows__isnull", False)),
                fields=["follows"],
                name="ticket_follows",
            ),
        ),
        migrations.AddIndex(
            model_name="ticket",
            index=models.Index(
                condition=models.Q(("stage_kind__in", ["done", "rejected", "cancelled"]), _negated=True),
                fields=["department", "created_at", "queue_position"],
                name="ticket_open_by_creation",
            ),
        ),
        migrations.AlterField(
            model_name="ticket",
            name="duplicate_of",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="duplicates",
                to="tickets.ticket",
                verbose_name="duplicado de",
            ),
        ),
        migrations.AlterField(
            model_name="ticket",
            name="follows",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="followed_by",
                to="tickets.ticket",
                verbose_name="sigue a",
            ),
        ),
        migrations.AlterField(
            model_name="ticket",
            name="requester",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="requested_tickets",
                to=settings.AUTH_USER_MODEL,
                verbose_name="solicitante",
            ),
        ),
    ]
