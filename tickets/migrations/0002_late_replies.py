import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("tickets", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="ticket",
            name="follows",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="followed_by",
                to="tickets.ticket",
                verbose_name="sigue a",
            ),
        ),
        migrations.AddField(
            model_name="ticket",
            name="late_reply_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="respuesta tras el cierre"),
        ),
        migrations.AddIndex(
            model_name="ticket",
            index=models.Index(
                condition=models.Q(("late_reply_at__isnull", False)),
                fields=["late_reply_at", "id"],
                name="ticket_late_reply",
            ),
        ),
    ]
