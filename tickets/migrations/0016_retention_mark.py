from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tickets", "0015_index_what_is_read")]

    operations = [
        migrations.CreateModel(
            name="RetentionMark",
            fields=[
                ("name", models.CharField(max_length=20, primary_key=True, serialize=False)),
                ("ticket_id", models.BigIntegerField(default=0)),
            ],
        ),
    ]
