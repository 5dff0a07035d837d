from django.db import migrations
from django.db.models import F, Q

END_KINDS = ("done", "rejected", "cancelled")


def find_unanswered(apps, schema_editor):
    """Put the closed tickets whose requester wrote after the end, and got no answer, into «Respuestas en cerrados»."""
    answered = Q(last_staff_message_at__gt=F("last_requester_message_at"))
    apps.get_model("tickets", "Ticket").objects.filter(
        stage_kind__in=END_KINDS, last_requester_message_at__gt=F("closed_at")
    ).exclude(answered).update(late_reply_at=F("last_requester_message_at"))


class Migration(migrations.Migration):
    dependencies = [("tickets", "0002_late_replies")]

    operations = [migrations.RunPython(find_unanswered, migrations.RunPython.noop)]
