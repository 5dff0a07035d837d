"""What the team does with proposals: take them, set them aside as wrong, and how often each (S3.20, decision 53)."""

from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models import Count
from django.utils import timezone

from accounts.models import User
from tickets import policies
from tickets.models import Ticket

from .deflections import REPORTED_DAYS
from .enums import ProposalOutcome
from .exceptions import NotAllowed
from .models import ProposalUse

TAKEN, SET_ASIDE = ProposalOutcome.TAKEN, ProposalOutcome.SET_ASIDE


@dataclass(frozen=True)
class Share:
    """How many tickets had their proposal taken, in whole or in part, and how many had it set aside."""

    taken: int
    set_aside: int

    @property
    def total(self) -> int:
        return self.taken + self.set_aside

    @property
    def percent(self) -> int:
        """The share of the proposals taken, of those about which somebody decided."""
        return round(100 * self.taken / self.total) if self.total else 0


def use_of(ticket: Ticket) -> ProposalUse | None:
    return ProposalUse.objects.filter(ticket=ticket).select_related("by").first()


@transaction.atomic
def note_taken(ticket: Ticket, *, actor: User) -> None:
    """Count the ticket's proposal as taken. Twice is once."""
    _write(ticket, TAKEN, actor)


@transaction.atomic
def set_aside(ticket: Ticket, *, actor: User) -> None:
    """Propose nothing more for this ticket, to nobody: what was proposed is not like it. Raises `NotAllowed`."""
    _require_may_answer(ticket, actor)
    _write(ticket, SET_ASIDE, actor)


@transaction.atomic
def bring_back(ticket: Ticket, *, actor: User) -> None:
    """Propose again what was set aside. Raises `NotAllowed`."""
    _require_may_answer(ticket, actor)
    ProposalUse.objects.filter(ticket=ticket, outcome=SET_ASIDE).delete()


def share(*, days: int = REPORTED_DAYS) -> Share:
    """Return what became of the proposals about which somebody decided in the last `days` days. One query."""
    since = timezone.now() - timedelta(days=days)
    rows = ProposalUse.objects.filter(at__gte=since).order_by().values_list("outcome").annotate(n=Count("pk"))
    counts = dict(rows)
    return Share(counts.get(TAKEN, 0), counts.get(SET_ASIDE, 0))


def _write(ticket: Ticket, outcome: ProposalOutcome, actor: User) -> None:
    values = {"outcome": outcome, "by": actor, "at": timezone.now()}
    ProposalUse.objects.update_or_create(ticket=ticket, defaults=values)


def _require_may_answer(ticket: Ticket, actor: User) -> None:
    if not ticket.is_open or not policies.can_answer(actor, ticket):
        raise NotAllowed
