"""Add the table of claimed batches and the column for subjects with codes; make updates of the outbox cheap.

Locks: a column is added and indexes are dropped without reading the table, each in milliseconds at any size.

Workers of the release before this one know nothing of claims in `MailBatch` and would send claimed mails again, so from
here on they cannot claim any: their mails wait for the workers of this release.
"""

import uuid

import django.db.models.deletion
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

ROOM = {"notifications_outgoingemail": 60, "notifications_mailbatch": 50, "tickets_delivery": 85}
"""Percent of a page that PostgreSQL fills with new rows. In the rest it can put the next version of a row without
touching the indexes (HOT)."""


NO_FORMER_CLAIMS = "mail_is_claimed_in_batches"


def tune_postgresql(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == "postgresql":
        for table, percent in ROOM.items():
            schema_editor.execute(f"ALTER TABLE {table} SET (fillfactor = {percent})")
        schema_editor.execute(
            f"ALTER TABLE notifications_outgoingemail ADD CONSTRAINT {NO_FORMER_CLAIMS} "
            "CHECK (state NOT IN ('sending', 'started')) NOT VALID"
        )


def reset_postgresql(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == "postgresql":
        for table in ROOM:
            schema_editor.execute(f"ALTER TABLE {table} RESET (fillfactor)")
        schema_editor.execute(f"ALTER TABLE notifications_outgoingemail DROP CONSTRAINT {NO_FORMER_CLAIMS}")


class Migration(migrations.Migration):
    dependencies = [("tickets", "0001_initial"), ("notifications", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="MailBatch",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("token", models.UUIDField(default=uuid.uuid4, editable=False)),
                ("mails", models.JSONField()),
                ("answered", models.PositiveSmallIntegerField(default=0)),
                ("started", models.PositiveSmallIntegerField(default=0)),
                ("lease_until", models.DateTimeField()),
            ],
        ),
        migrations.AddField(
            "OutgoingEmail",
            "secret_subject",
            models.CharField(blank=True, db_default="", default="", editable=False, max_length=255),
        ),
        migrations.RemoveIndex("OutgoingEmail", "mail_waiting"),
        migrations.AlterField(
            "OutgoingEmail",
            "message_id",
            models.CharField(editable=False, max_length=255, verbose_name="Message-ID"),
        ),
        migrations.AlterField(
            "OutgoingEmail",
            "event",
            models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="tickets.ticketevent",
                verbose_name="suceso",
            ),
        ),
        migrations.RunPython(tune_postgresql, reset_postgresql),
    ]
