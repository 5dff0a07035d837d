from django.db import migrations


class Migration(migrations.Migration):
    """Mark every ticket, so that the job writes the words of those from before. It begins with the newest."""

    dependencies = [
        ("tickets", "0026_words"),
    ]

    operations = [
        migrations.RunSQL(
            "INSERT INTO tickets_changedtext (ticket_id) SELECT id FROM tickets_ticket ORDER BY id",
            migrations.RunSQL.noop,
        ),
    ]
