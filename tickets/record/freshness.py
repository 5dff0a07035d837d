"""Refusing a form whose page was drawn before something else happened to the ticket (DESIGN §2)."""

from collections.abc import Sequence

from django.utils.translation import gettext_lazy as _

from content.errors import DeskError

from ..actors import Actor, user_of
from ..models import Ticket, TicketEvent


class StaleTicket(DeskError):
    """The ticket moved on since the person's page was drawn. `changes` are the events they have not seen."""

    default = _("El ticket cambió mientras escribías. Revisa los cambios; tu texto sigue aquí.")

    def __init__(self, changes: Sequence[TicketEvent]) -> None:
        self.changes = changes
        super().__init__()


def require_fresh(ticket: Ticket, *, actor: Actor, version: int | None) -> None:
    """Refuse to act on a page that was drawn before something else happened (DESIGN §2).

    Staff forms carry `version`, requesters' forms `public_version`: what happens inside the desk is no news to them.
    """
    if version is None:
        return
    user = user_of(actor)
    staff = user is not None and user.is_desk_staff
    if version == (ticket.version if staff else ticket.public_version):
        return
    events = ticket.events.select_related("actor", "message").order_by("-version")
    if staff:
        changes = list(events.filter(version__gt=version))
    else:
        changes = list(events.filter(is_public=True)[: max(ticket.public_version - version, 0)])
    raise StaleTicket(changes[::-1])
