"""What «Preparar» shows beside its form: the line of tickets that wait for it, the report, and who is asking."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Q
from django.utils.functional import cached_property

from accounts.models import User
from tickets import policies
from tickets.definitions.definition import Action
from tickets.definitions.fields import answered
from tickets.models import Attachment, Message, ProcessVersion, Ticket
from tickets.queues import ORDERS

from .preparing import asks_as_preparation, preparation_of, prepares_in, siblings

LINE_SIZE = 50
OTHERS = 5
MESSAGES = 20


class Line:
    """The tickets this person can prepare, in order of arrival (S2.35): the first fifty."""

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
        self.tickets = list(_offered(found[:LINE_SIZE], user))

    @property
    def count(self) -> str:
        return f"{len(self.tickets)}{'+' if self.is_cut else ''}"

    def place_of(self, folio: str) -> int:
        """From one; 0 when it is not in the line."""
        folios = [ticket.folio for ticket in self.tickets]
        return folios.index(folio) + 1 if folio in folios else 0

    def before(self, folio: str) -> str:
        place = self.place_of(folio)
        return self.tickets[place - 2].folio if place > 1 else ""

    def after(self, folio: str) -> str:
        """The next one; from outside the line, its first."""
        rest = [ticket.folio for ticket in self.tickets[self.place_of(folio) :]]
        return rest[0] if rest and rest[0] != folio else ""


def _offered(tickets: Iterable[Ticket], user: User) -> Iterable[Ticket]:
    """Who prepares depends on the process, the stage, the department and the assignee: asked once for each."""
    known: dict[tuple[Any, ...], bool] = {}
    for ticket in tickets:
        sort = (ticket.process_version_id, ticket.stage, ticket.department_id, ticket.assignee_id)
        if sort not in known:
            known[sort] = preparation_of(ticket, user=user) is not None
        if known[sort]:
            yield ticket


class PreparePage:
    def __init__(self, user: User, ticket: Ticket) -> None:
        self.user = user
        self.ticket = ticket

    @cached_property
    def line(self) -> Line:
        return Line(self.user)

    @property
    def place(self) -> int:
        return self.line.place_of(self.ticket.folio)

    @property
    def before(self) -> str:
        return self.line.before(self.ticket.folio)

    @property
    def after(self) -> str:
        return self.line.after(self.ticket.folio)

    @cached_property
    def action(self) -> Action | None:
        return preparation_of(self.ticket, user=self.user)

    @property
    def usual_action(self) -> Action | None:
        """The preparing action of the process, whether or not it can be carried out now."""
        return next(filter(asks_as_preparation, self.ticket.definition.actions), None)

    # --- The report ---------------------------------------------------------------------------------------

    @cached_property
    def messages(self) -> list[Message]:
        """What the requester said before anybody answered."""
        said = self.ticket.messages.filter(from_requester=True).order_by("created_at", "id")
        return list(said[:MESSAGES])

    @cached_property
    def files(self) -> list[Attachment]:
        return list(self.ticket.attachments.all())

    @cached_property
    def answers(self) -> list[tuple[Any, str]]:
        return answered(self.ticket.definition.fields, self.ticket.fields)

    # --- The requester ------------------------------------------------------------------------------------

    @cached_property
    def others(self) -> list[Ticket]:
        return list(siblings(self.ticket, user=self.user)[:OTHERS])

    @cached_property
    def other_actions(self) -> list[Action]:
        """What else the process offers this person before the ticket is prepared."""
        actions = policies.available_actions(self.ticket, actor=self.user)
        return [action for action in actions if action != self.action]

    @property
    def is_inactive(self) -> bool:
        return bool(self.ticket.requester and self.ticket.requester.is_inactive_standing)

    @property
    def needs_account(self) -> bool:
        """S2.26: the process does not let a ticket without an account go on."""
        return self.ticket.requester_id is None and self.action is not None and self.action.needs_account
