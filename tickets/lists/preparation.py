"""Queries for the page «Preparar» (S2.3): the tickets to prepare, possible assignees and possible duplicates."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet

from accounts.models import User
from content.sorting import sort_key

from ..models import ProcessVersion, Ticket
from ..workflow.preparing import preparation_of, prepares_in
from . import queues
from .queues import ORDERS

LINE_SIZE = 50


class PreparationQueue:
    """The tickets that this user may prepare among the first `LINE_SIZE` to be prepared, in order of arrival (S2.35).

    `is_cut` says whether more than `LINE_SIZE` are to be prepared.
    """

    def __init__(self, user: User) -> None:
        early = Ticket.objects.visible_to(user).open().to_prepare()
        in_use = ProcessVersion.objects.filter(pk__in=early.values("process_version"))
        versions = {version.pk: version for version in in_use.order_by()}
        waiting = Q(pk__in=[])
        for version in versions.values():
            waiting |= Q(process_version=version.pk, stage__in=prepares_in(version.definition))
        rows = early.filter(waiting).select_related("requester", "category").order_by(*ORDERS["llegada"].keys)
        found = list(rows[: LINE_SIZE + 1])
        for ticket in found:
            ticket.process_version = versions[ticket.process_version_id]
        self.is_cut = len(found) > LINE_SIZE
        self.tickets = list(_preparable(found[:LINE_SIZE], user))

    @property
    def count(self) -> str:
        return f"{len(self.tickets)}{'+' if self.is_cut else ''}"

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


def _preparable(tickets: Iterable[Ticket], user: User) -> Iterable[Ticket]:
    """Yield the tickets that this user may prepare.

    Of the tickets with the same process version, stage, department and assignee only one is checked, and its answer is
    used for all. It may be wrong for some if the `when` of an action depends on other columns.
    """
    known: dict[tuple[Any, ...], bool] = {}
    for ticket in tickets:
        sort = (ticket.process_version_id, ticket.stage, ticket.department_id, ticket.assignee_id)
        if sort not in known:
            known[sort] = preparation_of(ticket, user=user) is not None
        if known[sort]:
            yield ticket


@dataclass(frozen=True)
class Colleague:
    """A staff member who could be the assignee, with how many open tickets they have."""

    user: User
    load: int
    departments: str
    is_of_department: bool


def possible_assignees(department_id: int | None) -> list[Colleague]:
    """Return all staff as possible assignees, with three queries.

    Those of the department come first, then those with fewer open tickets.
    """
    people = list(User.objects.staff().prefetch_related("departments"))
    load = queues.open_ticket_counts(people)
    found = [
        Colleague(
            person,
            load.get(person.pk, 0),
            ", ".join(str(department) for department in person.departments.all()),
            any(department.pk == department_id for department in person.departments.all()),
        )
        for person in people
    ]
    return sorted(found, key=lambda item: (not item.is_of_department, item.load, sort_key(item.user.name)))


def other_open_tickets(ticket: Ticket, *, user: User) -> "QuerySet[Ticket]":
    """Return the same requester's other open tickets that `user` may see: one could be a duplicate (S2.40)."""
    open_tickets = Ticket.objects.visible_to(user).open().exclude(pk=ticket.pk)
    if ticket.requester_id is not None:
        same = open_tickets.filter(requester=ticket.requester_id)
    else:
        same = open_tickets.filter(requester=None, requester_email=ticket.requester_email)
    return same.order_by("-created_at", "-id")
