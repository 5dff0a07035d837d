"""Reports of nonconformity: opened by the workflow, reviewed by a supervisor (S2.30)."""

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User

from .exceptions import InvalidData, NotAllowed
from .models import Nonconformity
from .text import clean_text


@transaction.atomic
def review(report: Nonconformity, *, actor: User, conclusion: str) -> Nonconformity:
    """Close a report with the supervisor's conclusion. Reviewing it again keeps the first conclusion."""
    if not actor.is_supervisor:
        raise NotAllowed
    row: Nonconformity = Nonconformity.objects.select_for_update().get(pk=report.pk)
    if row.reviewed_at is not None:
        return row
    text = clean_text(conclusion)
    if not text:
        raise InvalidData({"review": [_("Escribe la conclusión de la revisión.")]})
    row.reviewed_by, row.reviewed_at, row.review = actor, timezone.now(), text
    row.save(update_fields=["reviewed_by", "reviewed_at", "review"])
    return row
