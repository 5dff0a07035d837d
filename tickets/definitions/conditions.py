"""The conditions on a ticket that a process file may name in `when`: functions that return True or False."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from django.utils import timezone

from ..enums import CaseKind
from .definition import Action, When
from .fields import is_answer
from .subject import Subject

NEGLECTED_AFTER = timedelta(days=5)
Condition = Callable[[Subject], bool]
CONDITIONS: dict[str, Condition] = {}
CHANGES_ALONE: set[str] = set()
"""Conditions whose answer may change although nothing happens to the ticket: time passes, an account is edited."""


def condition(function: Condition) -> Condition:
    """Register `function` in `CONDITIONS` under its own name, which process files then write."""
    CONDITIONS[function.__name__] = function
    return function


def is_offered(action: Action, ticket: Subject) -> bool:
    """Whether `action` exists for `ticket` in its present stage: its `when` holds and its `within_days` are not
    over."""
    return all_hold(action.when, ticket) and not _is_too_late(action, ticket)


def _is_too_late(action: Action, ticket: Subject) -> bool:
    last = available_until(action, ticket)
    return last is not None and timezone.now() > last


def available_until(action: Action, ticket: Subject) -> datetime | None:
    """Return when the `within_days` of `action` end for a closed ticket; None if they never do."""
    if not action.within_days or ticket.closed_at is None:
        return None
    return ticket.closed_at + timedelta(days=action.within_days)


def changes_alone(function: Condition) -> Condition:
    """Mark a condition whose answer may change without an event of the ticket."""
    CHANGES_ALONE.add(function.__name__)
    return function


def may_hold(conditions: Iterable[When], ticket: Subject) -> bool:
    """Whether all `conditions` are true of `ticket`, or may become true before the ticket's next event."""
    return all(when.name in CHANGES_ALONE or _holds(when, ticket) for when in conditions)


def all_hold(conditions: Iterable[When], ticket: Subject) -> bool:
    """Whether all `conditions` are true of `ticket`."""
    return all(_holds(when, ticket) for when in conditions)


def _holds(when: When, ticket: Subject) -> bool:
    if when.field:
        field = ticket.definition.field(when.field)
        result = is_answer(ticket.fields.get(when.field), when.value, field)
    else:
        result = CONDITIONS[when.name](ticket)
    return result != when.negated


@condition
def contribution_open(ticket: Subject) -> bool:
    """«Aporte de usuario» is switched on (S2.5)."""
    return ticket.contribution_open


@condition
def requester_has_account(ticket: Subject) -> bool:
    return ticket.requester_id is not None


@condition
@changes_alone
def requester_inactive(ticket: Subject) -> bool:
    """The requester's account has the standing «inactivo» (S2.10)."""
    return bool(ticket.requester and ticket.requester.is_inactive_standing)


@condition
def assigned(ticket: Subject) -> bool:
    """Somebody who may act is responsible for the ticket."""
    return ticket.acting_assignee is not None


@condition
def answered(ticket: Subject) -> bool:
    """Staff have written to the requester at least once."""
    return ticket.first_response_at is not None


@condition
@changes_alone
def neglected(ticket: Subject) -> bool:
    """Staff have written nothing to the requester for longer than `NEGLECTED_AFTER` (S2.21)."""
    return timezone.now() - (ticket.last_staff_message_at or ticket.created_at) > NEGLECTED_AFTER


@condition
def solution_sent(ticket: Subject) -> bool:
    return ticket.solution_sent_at is not None


@condition
def call_recorded(ticket: Subject) -> bool:
    """A call to the requester was logged, whatever its outcome (S2.16)."""
    return ticket.call_outcome != ""


@condition
def call_succeeded(ticket: Subject) -> bool:
    """A successful call to the requester was logged (S2.45)."""
    return ticket.has_successful_call


@condition
def call_due(ticket: Subject) -> bool:
    """The ticket was closed, and the call that the process asks for afterwards is not logged (S2.16)."""
    return ticket.call_due_since is not None


@condition
def checklist_complete(ticket: Subject) -> bool:
    """Every item of the closing checklist is ticked (S2.44–S2.46), as the guard of the same name requires."""
    return not ticket.missing_checklist_items


@condition
def checklist_by_another(ticket: Subject) -> bool:
    """Neither the assignee nor who wrote the solution ticked an item of the closing checklist (S2.44), as the guard of
    the same name requires."""
    return not ticket.is_reviewed_by_answerer


@condition
def whatsapp_documented(ticket: Subject) -> bool:
    """A ticket handled by WhatsApp has screenshots (S2.14), as the guard of the same name requires."""
    return not ticket.lacks_whatsapp_evidence


@condition
def escalated(ticket: Subject) -> bool:
    """The ticket is escalated: «soporte elevado» (S2.32)."""
    return ticket.is_escalated


@condition
def is_procedure(ticket: Subject) -> bool:
    """The case is a «trámite», not a problem (S2.24)."""
    return ticket.case_kind == CaseKind.PROCEDURE
