import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.CreateModel(
            name="DemoMail",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("sender", models.CharField(max_length=320, verbose_name="de")),
                ("recipient", models.CharField(max_length=320, verbose_name="para")),
                ("subject", models.CharField(blank=True, max_length=255, verbose_name="asunto")),
                ("text", models.TextField(blank=True)),
                ("html", models.TextField(blank=True)),
                ("headers", models.JSONField(default=dict)),
                ("at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="enviado")),
            ],
            options={
                "verbose_name": "correo de la demo",
                "verbose_name_plural": "correos de la demo",
                "ordering": ["-id"],
            },
        ),
    ]
