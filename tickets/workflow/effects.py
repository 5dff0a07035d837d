"""What an action may bring about beyond its stage. A definition names them, in the order they happen.

An effect takes the step and the word after its colon. It changes the locked ticket or adds rows; the workflow saves
the ticket and writes the one event.
"""

from collections.abc import Callable

from django.utils.translation import override

from ..actors import user_of
from ..definitions.definition import Call
from ..definitions.responses import fill_in
from ..enums import MessageKind, Template
from ..models import Message, Nonconformity
from ..record.messages import forget_draft, write
from ..requesters.guests import switch_contribution
from .step import Step

Effect = Callable[[Step, str], None]
EFFECTS: dict[str, Effect] = {}
ARGUMENTS: dict[str, str] = {}
"""What the word after the colon names, for the effects that take one."""
POSTING_EFFECTS: set[str] = set()
"""Effects that post the action's one message; an action that asks for a message cannot have them too."""


def effect(function: Effect) -> Effect:
    """Register the function under its own name, which process files write in `effects`."""
    EFFECTS[function.__name__] = function
    return function


def posts(function: Effect) -> Effect:
    """Say that an effect posts the action's one message."""
    POSTING_EFFECTS.add(function.__name__)
    return function


def names(what: str) -> Callable[[Effect], Effect]:
    """Say that an effect takes a word after the colon, and that it names a `response`."""

    def declare(function: Effect) -> Effect:
        ARGUMENTS[function.__name__] = what
        return function

    return declare


def run(call: Call, step: Step) -> None:
    EFFECTS[call.name](step, call.argument)


def post(step: Step, *, kind: MessageKind, body: str, steps: str = "") -> Message:
    """The message that goes with the action; the event will carry it."""
    step.message = write(step.ticket, kind, author=step.actor, body=body, steps=steps, at=step.now)
    return step.message


@effect
def enable_contribution(step: Step, argument: str) -> None:
    switch_contribution(step.ticket, is_open=True)


@effect
def disable_contribution(step: Step, argument: str) -> None:
    switch_contribution(step.ticket, is_open=False)


@effect
def take(step: Step, argument: str) -> None:
    """S1.14: whoever acts becomes the one responsible."""
    step.ticket.assignee = user_of(step.actor)


@effect
@posts
def write_solution(step: Step, argument: str) -> None:
    """Send the solution's fields as the solution (S2.28), unless the same solution was sent before."""
    ticket = step.ticket
    sent = ticket.messages.filter(kind=MessageKind.SOLUTION).order_by("created_at", "id")
    solution = (ticket.solution_done, ticket.solution_steps)
    if ticket.solution_sent_at is None or sent.values_list("body", "steps").last() != solution:
        post(step, kind=MessageKind.SOLUTION, body=ticket.solution_done, steps=ticket.solution_steps)
        ticket.solution_sent_at = step.now
        forget_draft(ticket, MessageKind.SOLUTION, author=step.actor)


@effect
def withdraw_solution(step: Step, argument: str) -> None:
    """The case was not solved after all: the next solution has to be written and sent anew."""
    step.ticket.solution_sent_at = None


@effect
@posts
@names("response")
def post_response(step: Step, argument: str) -> None:
    """Send one of the process's standard answers, in the requester's language."""
    response = step.definition.response(argument)
    if response is None:
        raise LookupError(f"publishing checks that response {argument} exists")
    with override(step.ticket.requester_language):
        post(step, kind=response.kind, body=fill_in(str(response.body), step.ticket, now=step.now))
    step.facts["response"] = argument


@effect
def ask_closure_approval(step: Step, argument: str) -> None:
    """Start waiting for the requester's verdict."""
    step.ticket.closure_asked_at = step.now


@effect
def clear_closure_approval(step: Step, argument: str) -> None:
    step.ticket.closure_asked_at = None


@effect
def open_nonconformity(step: Step, argument: str) -> None:
    """S2.30: an answer was given for a case that was not solved; the one responsible gets a report."""
    reason = step.message.body if step.message else str(step.action.label)
    row = Nonconformity.objects.create(
        ticket=step.ticket, responsible=step.ticket.assignee, reason=reason, opened_at=step.now
    )
    step.facts["nonconformity"] = row.pk
    step.notify.append(("role:supervisor", Template.NONCONFORMITY))
    if step.ticket.assignee_id:
        step.notify.append(("assignee", Template.NONCONFORMITY))


@effect
def send_survey(step: Step, argument: str) -> None:
    """S0.25: after closing, never for a test or a duplicate."""
    if not step.ticket.is_test and step.ticket.duplicate_of_id is None:
        step.notify.append(("requester", Template.SURVEY))


@effect
def mark_test(step: Step, argument: str) -> None:
    """S2.43: kept, but left out of every figure."""
    step.ticket.is_test = True


@effect
def escalate(step: Step, argument: str) -> None:
    """S2.32: «soporte elevado»."""
    step.ticket.is_escalated = True
