"""The data that «Preparar» shows beside its form: the list of tickets to prepare, the report and the requester."""

from typing import Any

from django.utils.functional import cached_property

from accounts.models import User
from tickets import policies
from tickets.definitions.definition import Action
from tickets.definitions.fields import displayed_answers
from tickets.lists.preparation import PreparationQueue, other_open_tickets
from tickets.models import Attachment, Message, Ticket
from tickets.workflow.preparing import asks_as_preparation, preparation_of

from ..access import DeskRequest
from ..kept import PREPARE, KeptForm

OTHERS = 5
MESSAGES = 20


class PreparePage:
    def __init__(self, request: DeskRequest, ticket: Ticket) -> None:
        self.user: User = request.user
        self.ticket = ticket
        self.kept = KeptForm(request, PREPARE, ticket)

    @cached_property
    def line(self) -> PreparationQueue:
        return PreparationQueue(self.user)

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
        """The preparing action of the process, whether or not it can be performed now."""
        return next(filter(asks_as_preparation, self.ticket.definition.actions), None)

    # --- The report ---------------------------------------------------------------------------------------

    @cached_property
    def messages(self) -> list[Message]:
        """The requester's first messages, at most `MESSAGES`."""
        said = self.ticket.messages.filter(from_requester=True).order_by("created_at", "id")
        return list(said[:MESSAGES])

    @cached_property
    def files(self) -> list[Attachment]:
        return list(self.ticket.attachments.all())

    @cached_property
    def answers(self) -> list[tuple[Any, str]]:
        return displayed_answers(self.ticket.definition.fields, self.ticket.fields)

    # --- The requester ------------------------------------------------------------------------------------

    @cached_property
    def others(self) -> list[Ticket]:
        return list(other_open_tickets(self.ticket, user=self.user)[:OTHERS])

    @cached_property
    def other_actions(self) -> list[Action]:
        """The other actions that this person may perform on the ticket now."""
        actions = policies.available_actions(self.ticket, actor=self.user)
        return [action for action in actions if action != self.action]

    @property
    def is_inactive(self) -> bool:
        return bool(self.ticket.requester and self.ticket.requester.is_inactive_standing)
