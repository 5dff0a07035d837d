from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0005_former_staff")]

    operations = [
        migrations.AddIndex(
            model_name="user",
            index=models.Index(
                condition=models.Q(("is_active", True), models.Q(("role", "customer"), _negated=True)),
                fields=["name", "id"],
                name="user_staff",
            ),
        ),
    ]
