"""Effects: what an action does besides changing the stage. A definition names them in the order they run.

An effect gets the step and the argument after its colon, as in `post_response:R4`. It changes the locked ticket or adds
rows; `perform` saves the ticket and writes the one event.
"""

from collections.abc import Callable

from django.utils.translation import override

from content.text import as_typed

from ..actors import user_of
from ..definitions.definition import Call
from ..definitions.responses import fill_in
from ..enums import MessageKind, Template
from ..models import Message, Nonconformity
from ..record.messages import forget_draft, write_message
from ..requesters.guests import switch_contribution
from .step import Step

Effect = Callable[[Step, str], None]
EFFECTS: dict[str, Effect] = {}
ARGUMENTS: dict[str, str] = {}
"""Maps each effect that takes an argument after the colon to the sort of thing that the argument names."""
POSTING_EFFECTS: set[str] = set()
"""Effects that post the action's one message. An action that asks for a message may not have any of them."""


def effect(function: Effect) -> Effect:
    """Register the function as an effect under its own name, which process files write in `effects`."""
    EFFECTS[function.__name__] = function
    return function


def posts_message(function: Effect) -> Effect:
    """Mark an effect as one that posts the action's one message."""
    POSTING_EFFECTS.add(function.__name__)
    return function


def takes_argument(what: str) -> Callable[[Effect], Effect]:
    """Mark an effect as one that takes an argument after the colon. `what` is what it names: `response`."""

    def declare(function: Effect) -> Effect:
        ARGUMENTS[function.__name__] = what
        return function

    return declare


def run(call: Call, step: Step) -> None:
    EFFECTS[call.name](step, call.argument)


def post(step: Step, *, kind: MessageKind, body: str, steps: str = "") -> Message:
    """Write the action's message, put it in `step.message` for the event, and return it."""
    step.message = write_message(step.ticket, kind, author=step.actor, body=body, steps=steps, at=step.now)
    return step.message


@effect
def enable_contribution(step: Step, argument: str) -> None:
    switch_contribution(step.ticket, is_open=True)


@effect
def disable_contribution(step: Step, argument: str) -> None:
    switch_contribution(step.ticket, is_open=False)


@effect
def take(step: Step, argument: str) -> None:
    """Make the actor the assignee (S1.14), or nobody if the actor is not a user."""
    step.ticket.assignee = user_of(step.actor)


@effect
@posts_message
def write_solution(step: Step, argument: str) -> None:
    """Send `solution_done` and `solution_steps` as a solution (S2.28), unless the last solution sent is the same.

    After `withdraw_solution` the same text is sent again.
    """
    ticket = step.ticket
    sent = ticket.messages.filter(kind=MessageKind.SOLUTION).order_by("created_at", "id")
    solution = (ticket.solution_done, ticket.solution_steps)
    if ticket.solution_sent_at is None or sent.values_list("body", "steps").last() != solution:
        post(step, kind=MessageKind.SOLUTION, body=ticket.solution_done, steps=ticket.solution_steps)
        ticket.solution_sent_at = step.now
        forget_draft(ticket, MessageKind.SOLUTION, author=step.actor)


@effect
def withdraw_solution(step: Step, argument: str) -> None:
    """Clear `solution_sent_at` and the closing checklist: the case was not solved, so a solution must be sent, and
    reviewed, again."""
    step.ticket.solution_sent_at = None
    step.ticket.checklist_entries.all().delete()


@effect
def undo_closing(step: Step, argument: str) -> None:
    """Take back what closing set, because the ticket is reopened: the solution sent with its review, the approval asked
    for, the call still due, and the marks of a test ticket (S2.43) and of a duplicate (S2.40)."""
    withdraw_solution(step, "")
    ticket = step.ticket
    ticket.closure_asked_at = ticket.call_due_since = ticket.duplicate_of = None
    ticket.is_test = False


@effect
@posts_message
@takes_argument("response")
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
    """Set `closure_asked_at`: from now on the requester is asked to approve the closure."""
    step.ticket.closure_asked_at = step.now


@effect
def clear_closure_approval(step: Step, argument: str) -> None:
    step.ticket.closure_asked_at = None


@effect
def open_nonconformity(step: Step, argument: str) -> None:
    """Open a nonconformity for the assignee: the case was answered but not solved (S2.30).

    Tells the supervisors and the assignee.
    """
    reason = as_typed(step.message.body) if step.message else str(step.action.label)
    row = Nonconformity.objects.create(
        ticket=step.ticket, responsible=step.ticket.assignee, reason=reason, opened_at=step.now
    )
    step.facts["nonconformity"] = row.pk
    step.notify.append(("role:supervisor", Template.NONCONFORMITY))
    if step.ticket.assignee_id:
        step.notify.append(("assignee", Template.NONCONFORMITY))


@effect
def send_survey(step: Step, argument: str) -> None:
    """Send the survey after closing, but not for a test or a duplicate (S0.25)."""
    if not step.ticket.is_test and step.ticket.duplicate_of_id is None:
        step.notify.append(("requester", Template.SURVEY))


@effect
def ask_for_call(step: Step, argument: str) -> None:
    """Put the ticket, which closes, into «Por llamar» until a call to its requester is logged, whatever its outcome
    (S2.16). Does nothing if somebody has talked to them by phone already."""
    if not step.ticket.has_successful_call:
        step.ticket.call_due_since = step.now


@effect
def mark_test(step: Step, argument: str) -> None:
    """Mark the ticket as a test: it is kept, but left out of every figure (S2.43)."""
    step.ticket.is_test = True


@effect
def escalate(step: Step, argument: str) -> None:
    """Mark the ticket as escalated, «soporte elevado» (S2.32)."""
    step.ticket.is_escalated = True
