import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("helpdesk", "0002_store_csp_reports")]

    operations = [
        migrations.CreateModel(
            name="TaskRun",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("task", models.CharField(max_length=80, unique=True)),
                ("ran_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("seconds", models.FloatField(default=0.0)),
                ("has_failed", models.BooleanField(default=False)),
                ("failures", models.PositiveIntegerField(default=0)),
                ("failed_at", models.DateTimeField(blank=True, null=True)),
                ("problem", models.CharField(blank=True, max_length=80)),
            ],
        ),
    ]
