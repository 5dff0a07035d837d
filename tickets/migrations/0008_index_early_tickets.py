from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tickets", "0007_nearest_promise")]

    operations = [
        migrations.AddIndex(
            "ticket",
            models.Index(
                fields=["process_version", "stage"],
                condition=models.Q(stage_kind__in=("new", "evaluation", "preparation")),
                name="ticket_early",
            ),
        ),
    ]
