"""Querysets whose methods name the groups of tickets, messages and files that the product asks for."""

from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.contrib.auth import get_user_model
from django.db import models
from django.db.models import Exists, OuterRef, Q

from accounts.enums import Role

from ..enums import EARLY_KINDS, END_KINDS, PUBLIC_MESSAGE_KINDS, MessageKind, StageKind
from . import lookups  # noqa: F401  (registers pk__among)
from .turn import Turn

if TYPE_CHECKING:
    from accounts.models import User


_SEEN, _MANY_TURNS = "_condition_on_seen_tickets", "_has_many_turns"


UNANSWERED_BY_ARRIVAL = ~Q(stage_kind__in=END_KINDS) & Q(by_arrival=True) & Q(first_response_at__isnull=True)


class TicketQuerySet(models.QuerySet[Any]):
    def visible_to(self, user: "User") -> "TicketQuerySet":
        """Return the tickets that `user` may see. Views for signed-in people must look tickets up through this method.

        Customers see the tickets they requested. Agents see the tickets of their departments, those without a
        department, those assigned to them and those whose process gives them the turn now. Supervisors and
        administrators see all. Inactive users see none.
        """
        if not user.is_authenticated or not user.is_active:
            return self.none()
        if user.has_role(Role.SUPERVISOR):
            return self
        if user.is_desk_staff:
            return self.filter(_seen_by_agent(user))
        return self.filter(requester=user)

    def requested_by(self, user: "User") -> "TicketQuerySet":
        return self.filter(requester=user)

    def open(self) -> "TicketQuerySet":
        return self.exclude(stage_kind__in=END_KINDS)

    def closed(self) -> "TicketQuerySet":
        return self.filter(stage_kind__in=END_KINDS)

    def with_late_reply(self) -> "TicketQuerySet":
        """Return the closed tickets whose requester replied after the end and waits for an answer."""
        return self.filter(late_reply_at__isnull=False)

    def with_call_due(self) -> "TicketQuerySet":
        """Return the closed tickets whose requester is still to be called (S2.16)."""
        return self.filter(call_due_since__isnull=False)

    def assigned_to(self, user: "User") -> "TicketQuerySet":
        return self.filter(assignee=user)

    def unassigned(self) -> "TicketQuerySet":
        """Return the tickets without an assignee who may act. Asks first who may not: see `nobody_assigned`."""
        return self.filter(nobody_assigned())

    def unanswered_by_arrival(self) -> "TicketQuerySet":
        """Return the open tickets of processes by arrival that nobody has answered yet (S2.35)."""
        return self.filter(UNANSWERED_BY_ARRIVAL)

    def escalated(self) -> "TicketQuerySet":
        """Return the tickets in «soporte elevado» (S2.32)."""
        return self.filter(is_escalated=True)

    def to_prepare(self) -> "TicketQuerySet":
        """Return the tickets that are new, in evaluation or in preparation: work on them has not begun."""
        return self.filter(stage_kind__in=EARLY_KINDS)

    def waiting_for_customer(self) -> "TicketQuerySet":
        return self.filter(stage_kind=StageKind.WAITING_CUSTOMER)

    def waiting_for_closure_approval(self) -> "TicketQuerySet":
        return self.filter(stage_kind=StageKind.CLOSURE_APPROVAL)

    def to_verify(self) -> "TicketQuerySet":
        """Return the tickets whose solution somebody has to verify, or to review, before they close."""
        return self.filter(stage_kind=StageKind.VERIFICATION)

    def counted_in_metrics(self) -> "TicketQuerySet":
        """Return the tickets that figures count: all except test tickets and duplicates (S2.43)."""
        return self.filter(is_test=False, duplicate_of__isnull=True)


def _seen_by_agent(user: "User") -> Q:
    """Return the condition on the tickets that this agent sees. A page asks for it up to six times, so it is kept as
    long as the user object, like the memberships that it is made from."""
    kept: Q | None = getattr(user, _SEEN, None)
    if kept is None:
        kept = (
            Q(department__in=user.department_ids)
            | Q(department__isnull=True)
            | Q(assignee=user.pk)
            | Q(**{f"pk__{_lookup(user)}": Turn.objects.of(user).values("ticket")})
        )
        setattr(user, _SEEN, kept)
    return kept


def _lookup(user: "User") -> str:
    return "in" if getattr(user, _MANY_TURNS, False) else "among"


def expect_many_turns(user: "User") -> None:
    """Say that it is this agent's turn on thousands of tickets. It changes no result: `visible_to` then tests the
    tickets of a list one after the other, and does not begin with the turns (`lookups.Among`)."""
    setattr(user, _MANY_TURNS, True)
    setattr(user, _SEEN, None)


def nobody_assigned() -> Q:
    """Return the filter for tickets whose assignee is nobody, or somebody who may no longer act.

    Takes a query, for the few people who left and still have open tickets. While there are none, the database finds
    the tickets by their own index.
    """
    users, tickets = get_user_model(), apps.get_model("tickets", "Ticket")
    still_theirs = tickets.objects.open().filter(assignee=OuterRef("pk"))
    left = users.objects.former_staff().filter(Exists(still_theirs)).values_list("pk", flat=True)
    nobody = Q(assignee__isnull=True)
    return nobody | Q(assignee__in=people) if (people := list(left)) else nobody


class MessageQuerySet(models.QuerySet[Any]):
    def public(self) -> "MessageQuerySet":
        """Return the messages that the requester may read: all but internal notes."""
        return self.filter(kind__in=PUBLIC_MESSAGE_KINDS)


class AttachmentQuerySet(models.QuerySet[Any]):
    def public(self) -> "AttachmentQuerySet":
        """Return the files that the requester may see: all sent files but those of internal notes."""
        return self.filter(ticket__isnull=False).exclude(message__kind=MessageKind.NOTE)

    def drafts(self, draft_key: str) -> "AttachmentQuerySet":
        """Return the files uploaded under `draft_key` and not sent yet. An empty key has none."""
        return self.stored().filter(ticket__isnull=True, draft_key=draft_key).exclude(draft_key="")

    def stored(self) -> "AttachmentQuerySet":
        """Leave out rows whose file is being written, or was never written because the process was killed."""
        return self.exclude(file="")

    def of_page(self, ticket: Any, draft_key: str) -> "AttachmentQuerySet":
        """Return the ticket's files and the unsent ones under `draft_key`, in one query."""
        unsent = Q(ticket__isnull=True, draft_key=draft_key) & ~Q(file="")
        waiting = unsent if draft_key else Q(pk__in=[])
        return self.filter(Q(ticket=ticket) | waiting)
