from django.conf import settings
from django.db import migrations, models

# What was said twice at the same time. The newest row stays. Nothing refers to these rows, so the indexes below can be
# made in the same transaction.
FORGET_REPEATED = """
DELETE FROM knowledge_deflection
WHERE outcome = 'pending' AND EXISTS (
    SELECT 1 FROM knowledge_deflection AS newer
    WHERE newer.outcome = 'pending' AND newer.id > knowledge_deflection.id
    AND newer.process = knowledge_deflection.process AND newer.category = knowledge_deflection.category
    AND (newer.user_id = knowledge_deflection.user_id
         OR (newer.visitor = knowledge_deflection.visitor AND newer.visitor <> ''))
)
"""


class Migration(migrations.Migration):
    dependencies = [
        ("knowledge", "0004_review_requests"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunSQL(FORGET_REPEATED, migrations.RunSQL.noop),
        migrations.RemoveIndex(model_name="deflection", name="deflection_of_user"),
        migrations.RemoveIndex(model_name="deflection", name="deflection_of_visitor"),
        migrations.AddConstraint(
            model_name="deflection",
            constraint=models.UniqueConstraint(
                condition=models.Q(outcome="pending"),
                fields=("user", "process", "category"),
                name="deflection_of_user_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="deflection",
            constraint=models.UniqueConstraint(
                condition=models.Q(("outcome", "pending"), models.Q(("visitor", ""), _negated=True)),
                fields=("visitor", "process", "category"),
                name="deflection_of_visitor_once",
            ),
        ),
    ]
