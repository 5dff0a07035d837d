"""Queries for the page «Preparar» (S2.3): the tickets to prepare, possible assignees and possible duplicates."""

from dataclasses import dataclass

from django.db.models import F, QuerySet

from accounts.models import Department, Membership, User
from content.sorting import sort_key

from ..models import Ticket
from . import queues
from .queues import ORDERS

LINE_SIZE = 50
ROW = (
    "folio", "title", "requester", "requester_name", "category", "created_at", "is_escalated",
    "category__name", "category__name_en",
)  # fmt: skip
"""The columns that a row of the line shows."""


class PreparationQueue:
    """The first `LINE_SIZE` tickets of the queue «Por preparar», in order of arrival (S2.35).

    `count` is the queue's figure. `is_cut` says whether there are more than `LINE_SIZE`.
    """

    def __init__(self, user: User) -> None:
        waiting = queues.TO_PREPARE.tickets(user).order_by(*ORDERS["llegada"].keys)
        rows = waiting.select_related("category").annotate(requester_standing=F("requester__standing"))
        found = list(rows.only(*ROW)[: LINE_SIZE + 1])
        self.is_cut = len(found) > LINE_SIZE
        self.tickets = found[:LINE_SIZE]
        self.count = queues.count(waiting) if self.is_cut else len(found)

    def place_of(self, folio: str) -> int:
        """Return the ticket's place in the line, from 1, or 0 if it is not in the line."""
        folios = [ticket.folio for ticket in self.tickets]
        return folios.index(folio) + 1 if folio in folios else 0

    def before(self, folio: str) -> str:
        """Return the folio before this one in the line, or "" if there is none."""
        place = self.place_of(folio)
        return self.tickets[place - 2].folio if place > 1 else ""

    def after(self, folio: str) -> str:
        """Return the folio after this one in the line, or "" if there is none.

        For a ticket that is not in the line this is the first one.
        """
        rest = [ticket.folio for ticket in self.tickets[self.place_of(folio) :]]
        return rest[0] if rest and rest[0] != folio else ""


def next_to_prepare(user: User) -> str:
    """Return the folio of the first ticket of the line, or "" if there is none."""
    line = queues.TO_PREPARE.tickets(user).order_by(*ORDERS["llegada"].keys)
    return str(line.values_list("folio", flat=True).first() or "")


@dataclass(frozen=True)
class Colleague:
    """A staff member who could be the assignee, with how many open tickets they have, up to `MANY`."""

    pk: int
    name: str
    load: int
    departments: str
    is_of_department: bool


def possible_assignees(department_id: int | None) -> list[Colleague]:
    """Return all staff as possible assignees, with three queries.

    Those of the department come first, then those with fewer open tickets.
    """
    members: dict[int, set[int]] = {}
    for user, department in Membership.objects.order_by().values_list("user", "department"):
        members.setdefault(user, set()).add(department)
    names = {place.pk: str(place) for place in Department.objects.all()}
    found = [
        Colleague(
            pk,
            name,
            load,
            ", ".join(label for place, label in names.items() if place in members.get(pk, ())),
            department_id in members.get(pk, ()),
        )
        for pk, name, load in User.objects.staff().values_list("pk", "name", queues.open_tickets_of("pk"))
    ]
    return sorted(found, key=lambda item: (not item.is_of_department, item.load, sort_key(item.name)))


def other_open_tickets(ticket: Ticket, *, user: User) -> "QuerySet[Ticket]":
    """Return the same requester's other open tickets that `user` may see: one could be a duplicate (S2.40)."""
    open_tickets = Ticket.objects.visible_to(user).open().exclude(pk=ticket.pk)
    if ticket.requester_id is not None:
        same = open_tickets.filter(requester=ticket.requester_id)
    else:
        same = open_tickets.filter(requester=None, requester_email=ticket.requester_email)
    return same.order_by("-created_at", "-id")
