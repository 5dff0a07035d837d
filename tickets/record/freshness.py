"""Refuse a form from a page that is older than the ticket's latest change (DESIGN §2)."""

from collections.abc import Sequence

from django.utils.translation import gettext_lazy as _

from content.errors import DeskError

from ..actors import Actor, user_of
from ..models import Ticket, TicketEvent


class StaleTicket(DeskError):
    """The ticket changed after the person's page was rendered. `changes` are the events that the page did not show,
    oldest first."""

    default = _("El ticket cambió mientras escribías. Revisa los cambios; tu texto sigue aquí.")

    def __init__(self, changes: Sequence[TicketEvent]) -> None:
        self.changes = changes
        super().__init__()


def require_fresh(ticket: Ticket, *, actor: Actor, version: int | None) -> None:
    """Raise `StaleTicket` if the ticket has changed since the page with `version` was rendered (DESIGN §2).

    Staff send the ticket's `version`, also if they are its requester. All others send its `public_version`, because
    events that they may not see must not stop them. `None` skips the check.
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
