"""Review nonconformity reports (S2.30). The workflow opens them; a supervisor reviews them."""

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from content.errors import InvalidData
from content.text import TextTooLong, clean_text

from .. import policies
from ..actors import Actor, user_of
from ..enums import EventKind
from ..exceptions import NotAllowed
from ..models import Nonconformity
from ..record.events import already_recorded, record
from ..record.locking import locked


@transaction.atomic
def review(report: Nonconformity, *, actor: Actor, conclusion: str, key: str | None = None) -> Nonconformity:
    """Close a report with the supervisor's conclusion and return it. A reviewed report keeps its first conclusion.

    Raises `NotAllowed`, or `InvalidData` for a conclusion that is empty or too long.
    """
    ticket = locked(report.ticket)
    row = ticket.nonconformities.get(pk=report.pk)
    if already_recorded(key, actor=actor, act=EventKind.NONCONFORMITY, ticket=ticket):
        return row
    if not policies.can_review_nonconformities(actor, ticket):
        raise NotAllowed
    if row.reviewed_at is not None:
        return row
    try:
        text = clean_text(conclusion)
    except TextTooLong as error:
        raise InvalidData({"review": [str(error)]}) from error
    if not text:
        raise InvalidData({"review": [_("Escribe la conclusión de la revisión.")]})
    row.reviewed_by, row.reviewed_at, row.review = user_of(actor), timezone.now(), text
    row.save(update_fields=["reviewed_by", "reviewed_at", "review"])
    data = {"nonconformity": row.pk}
    record(ticket, EventKind.NONCONFORMITY, actor=actor, public=False, data=data, key=key)
    return row
