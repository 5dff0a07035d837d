"""The desk's questions, in its own words."""

from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import Q

from accounts.enums import Role

from ..enums import EARLY_KINDS, END_KINDS, PUBLIC_MESSAGE_KINDS, MessageKind, StageKind

if TYPE_CHECKING:
    from accounts.models import User


class TicketQuerySet(models.QuerySet[Any]):
    def visible_to(self, user: "User") -> "TicketQuerySet":
        """The only entrance: what the person may know to exist.

        Customers see their own; agents what their departments hold, what nobody holds yet and what is theirs to do;
        supervisors and administrators everything.
        """
        if not user.is_authenticated or not user.is_active:
            return self.none()
        if user.has_role(Role.SUPERVISOR):
            return self
        if user.is_desk_staff:
            return self.filter(
                Q(department__in=user.department_ids) | Q(department__isnull=True) | Q(assignee=user)
            )
        return self.filter(requester=user)

    def requested_by(self, user: "User") -> "TicketQuerySet":
        return self.filter(requester=user)

    def open(self) -> "TicketQuerySet":
        return self.exclude(stage_kind__in=END_KINDS)

    def closed(self) -> "TicketQuerySet":
        return self.filter(stage_kind__in=END_KINDS)

    def assigned_to(self, user: "User") -> "TicketQuerySet":
        return self.filter(assignee=user)

    def unassigned(self) -> "TicketQuerySet":
        return self.filter(assignee__isnull=True)

    def escalated(self) -> "TicketQuerySet":
        """«Soporte elevado», which should not happen (S2.32)."""
        return self.filter(is_escalated=True)

    def to_prepare(self) -> "TicketQuerySet":
        """Nobody has looked at them yet, or somebody is evaluating or preparing them."""
        return self.filter(stage_kind__in=EARLY_KINDS)

    def waiting_for_customer(self) -> "TicketQuerySet":
        return self.filter(stage_kind=StageKind.WAITING_CUSTOMER)

    def waiting_for_closure_approval(self) -> "TicketQuerySet":
        return self.filter(stage_kind=StageKind.CLOSURE_APPROVAL)

    def counted_in_metrics(self) -> "TicketQuerySet":
        """Without test tickets and duplicates (S2.43)."""
        return self.filter(is_test=False, duplicate_of__isnull=True)


class MessageQuerySet(models.QuerySet[Any]):
    def public(self) -> "MessageQuerySet":
        return self.filter(kind__in=PUBLIC_MESSAGE_KINDS)


class AttachmentQuerySet(models.QuerySet[Any]):
    def public(self) -> "AttachmentQuerySet":
        """What came with the report or with a public message; never what hangs on a note."""
        return self.filter(ticket__isnull=False).exclude(message__kind=MessageKind.NOTE)

    def drafts(self, draft_key: str) -> "AttachmentQuerySet":
        return self.filter(ticket__isnull=True, draft_key=draft_key).exclude(draft_key="")

    def of_page(self, ticket: Any, draft_key: str) -> "AttachmentQuerySet":
        """A ticket's files and those that wait to be sent with the next message, in one query."""
        waiting = Q(ticket__isnull=True, draft_key=draft_key) if draft_key else Q(pk__in=[])
        return self.filter(Q(ticket=ticket) | waiting)
