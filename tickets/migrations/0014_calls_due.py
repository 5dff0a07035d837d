from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tickets", "0013_list_by_arrival")]

    operations = [
        migrations.AddField(
            model_name="ticket",
            name="call_due_since",
            field=models.DateTimeField(blank=True, null=True, verbose_name="llamada pendiente"),
        ),
        migrations.AddIndex(
            model_name="ticket",
            index=models.Index(
                condition=models.Q(("call_due_since__isnull", False)),
                fields=["call_due_since", "id"],
                name="ticket_call_due",
            ),
        ),
    ]
