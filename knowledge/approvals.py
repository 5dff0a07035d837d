"""Find out which closings their requesters approved: only such a solution is worth an article or a proposal."""

from collections.abc import Collection
from datetime import datetime

from tickets.enums import EventKind, StageKind
from tickets.models import Process, Ticket, TicketEvent

APPROVED_TO = (StageKind.VERIFICATION, StageKind.DONE)


def approved_at(tickets: Collection[Ticket]) -> dict[int, datetime]:
    """Return, by primary key, when the requester of each of these tickets approved its closing last. Tickets without
    such an approval are left out. Takes two queries, one if there are no tickets."""
    if not tickets:
        return {}
    asked, given = _stages()
    moves = TicketEvent.objects.filter(
        ticket__in=tickets, kind=EventKind.STAGE_CHANGED, data__from__in=asked, data__to__in=given
    )
    requesters = {ticket.pk: (ticket.requester_id, ticket.requester_name) for ticket in tickets}
    found: dict[int, datetime] = {}
    for ticket, actor, name, at in moves.order_by("at", "pk").values_list(
        "ticket", "actor", "actor_name", "at"
    ):
        account, guest = requesters[ticket]
        if actor == account if account else not actor and name == guest:
            found[ticket] = at
    return found


def _stages() -> tuple[list[str], list[str]]:
    """Return the keys of the stages where a closing waits for approval, and of those that an approval leads to."""
    asked: set[str] = set()
    given: set[str] = set()
    for process in Process.objects.filter(current__isnull=False):
        for stage in process.definition.stages:
            if stage.kind == StageKind.CLOSURE_APPROVAL:
                asked.add(stage.key)
            elif stage.kind in APPROVED_TO:
                given.add(stage.key)
    return sorted(asked), sorted(given)
