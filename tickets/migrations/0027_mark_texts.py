from django.db import migrations


def mark_all(apps, schema_editor):
    """Mark every ticket, so that the job writes the words of those from before. It begins with the newest."""
    schema_editor.execute(
        "INSERT INTO tickets_changedtext (ticket_id) SELECT id FROM tickets_ticket ORDER BY id"
    )


class Migration(migrations.Migration):
    dependencies = [
        ("tickets", "0026_words"),
    ]

    operations = [
        migrations.RunPython(mark_all, migrations.RunPython.noop),
    ]
