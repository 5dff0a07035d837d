"""Allow a retired category beside the active one with the same key."""

from django.db import migrations, models


def make_keys_unique(apps, schema_editor):
    """Give retired categories a key of their own, which the constraint of before needs."""
    category = apps.get_model("tickets", "Category")
    seen = set()
    for row in category.objects.order_by("-is_active", "-pk"):
        if (row.process_id, row.key) in seen:
            row.key = f"{row.key[:40]}-{row.pk}"
            row.save(update_fields=["key"])
        seen.add((row.process_id, row.key))


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("tickets", "0010_fill_turns"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="category",
            name="category_key_per_process",
        ),
        migrations.AddConstraint(
            model_name="category",
            constraint=models.UniqueConstraint(
                condition=models.Q(("is_active", True)),
                fields=("process", "key"),
                name="category_active_key_per_process",
                violation_error_message="Otra categoría con esa clave ya se puede elegir.",
            ),
        ),
        migrations.RunPython(migrations.RunPython.noop, make_keys_unique),
    ]
