import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("notifications", "0003_forget_codes")]

    operations = [
        migrations.CreateModel(
            name="MailHold",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "since",
                    models.DateTimeField(default=django.utils.timezone.now, verbose_name="desde"),
                ),
                ("backup_at", models.DateTimeField(verbose_name="copia hecha")),
            ],
            options={
                "verbose_name": "retención de correo",
                "verbose_name_plural": "retenciones de correo",
            },
        ),
    ]
