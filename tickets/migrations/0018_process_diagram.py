from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tickets", "0017_index_for_large_desks")]

    operations = [
        migrations.AddField(
            model_name="processversion",
            name="diagram",
            field=models.JSONField(blank=True, editable=False, null=True, verbose_name="mapa"),
        ),
    ]
