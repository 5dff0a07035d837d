"""The catalogue: one function for every mail about a ticket, beside its three files in templates/emails/<name>/.

A function says what the mail adds to the facts of its case, what its button is called and what the button is for. Any
mail may go to the requester or to staff, as the process has it; the texts know both readers.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from tickets.enums import ClockKind, DeliveryProblem, MessageKind, Purpose, Template
from tickets.models import Nonconformity
from tickets.vocabulary import TEMPLATES

from . import phrases
from .cases import Case, address
from .links import is_wanted


class NotSent(Exception):
    """Between the event and now the mail lost its reader or its reason."""

    def __init__(self, problem: DeliveryProblem) -> None:
        super().__init__(problem)
        self.problem = problem


@dataclass(frozen=True)
class Letter:
    button: str
    purpose: Purpose = Purpose.FOLLOW
    facts: dict[str, Any] = field(default_factory=dict)


Writer = Callable[[Case], Letter]
CATALOGUE: dict[str, Writer] = {}

ONCE_ONLY = frozenset({Template.SURVEY})
"""Mails whose second copy would annoy more than their loss: not repeated when nobody knows whether they left."""


def mail(function: Writer) -> Writer:
    """Register the function as the writer of the mail of its name. Raises `LookupError` for a name nobody declared."""
    if function.__name__ not in TEMPLATES:
        raise LookupError(f"no app declares the mail {function.__name__}")
    CATALOGUE[function.__name__] = function
    return function


def _view(case: Case) -> str:
    return _("Abrir el ticket") if case.for_staff else _("Ver mi ticket")


# --- The beginning ----------------------------------------------------------------------------------------


@mail
def received(case: Case) -> Letter:
    """S0.15, S2.2: we have it, this is its number, and this is what happens next."""
    ticket = case.ticket
    parts = [str(ticket.category or ""), phrases.moment(ticket.created_at)]
    facts: dict[str, Any] = {"ticket_meta": " · ".join(part for part in parts if part)}
    if case.for_staff:
        return Letter(_view(case), facts=facts)
    steps = _what_next(case)
    facts |= {
        "steps_title": _("Qué sigue"),
        "steps": [plain for plain, _html in steps],
        "steps_html": [html for _plain, html in steps],
    }
    return Letter(_("Seguir mi ticket"), facts=facts)


def _what_next(case: Case) -> list[tuple[str, SafeString]]:
    ticket = case.ticket
    steps = [phrases.step(_("Clasificamos tu caso y lo asignamos a una persona."))]
    if ticket.first_response_at is None and (answer := phrases.before(ticket.first_response_due_at)):
        steps.append(phrases.step(_("Te respondemos %(when)s."), when=answer))
    if solution := phrases.before(ticket.due_at):
        steps.append(phrases.step(_("Esperamos resolverlo %(when)s."), when=solution))
    if ticket.definition.closing.approver == "requester":
        steps.append(phrases.step(_("Cuando esté resuelto, te pediremos aprobar el cierre.")))
    else:
        steps.append(phrases.step(_("Cuando esté resuelto, te contaremos qué hicimos.")))
    return steps


@mail
def new_link(case: Case) -> Letter:
    """The requester asked for another link to their ticket."""
    return Letter(_("Abrir el ticket") if case.for_staff else _("Seguir mi ticket"))


@mail
def new_ticket(case: Case) -> Letter:
    """S1.10: the team hears of a report that came in."""
    return Letter(_view(case), facts={"report": _report(case)})


@mail
def prepared(case: Case) -> Letter:
    """S2.4: somebody is responsible and there is a date."""
    return Letter(_view(case))


@mail
def assigned(case: Case) -> Letter:
    """S1.13: you are the one."""
    return Letter(_view(case), facts={"report": _report(case)})


@mail
def accepted(case: Case) -> Letter:
    return Letter(_view(case))


@mail
def started(case: Case) -> Letter:
    return Letter(_view(case))


@mail
def account_created(case: Case) -> Letter:
    """S2.27: the desk opened an account for whoever asked; a code sent to this address lets them in."""
    return Letter(_view(case), facts={"sign_in_url": address("account_request_login_code")})


# --- The conversation -------------------------------------------------------------------------------------


@mail
def contribution_asked(case: Case) -> Letter:
    """S2.6: answer and attach files from this link, without signing in."""
    open_still = is_wanted(case.ticket, Purpose.CONTRIBUTE)
    button = _("Abrir el ticket") if case.for_staff else _("Responder") if open_still else _("Ver mi ticket")
    return Letter(button, Purpose.CONTRIBUTE, {"open_still": open_still})


@mail
def reply(case: Case) -> Letter:
    return Letter(_("Abrir el ticket") if case.for_staff else _("Ver la conversación"))


@mail
def requester_replied(case: Case) -> Letter:
    return Letter(_view(case))


@mail
def progress(case: Case) -> Letter:
    """S0.21: it goes on."""
    return Letter(_view(case))


@mail
def information_asked(case: Case) -> Letter:
    """S4.22: the evaluator, not the reporter, is asked to complete what is missing."""
    return Letter(_view(case))


@mail
def information_given(case: Case) -> Letter:
    return Letter(_view(case))


@mail
def mentioned(case: Case) -> Letter:
    return Letter(_view(case))


def _solution(case: Case) -> dict[str, Any]:
    """What was done and what is left to do; not once more as the words that came with the event."""
    message = case.event.message
    told = message is not None and message.kind == MessageKind.SOLUTION
    return {"solution": case.solution(), **({"message": None} if told else {})}


# --- The end ----------------------------------------------------------------------------------------------


@mail
def verification_asked(case: Case) -> Letter:
    return Letter(_view(case), facts=_solution(case))


@mail
def resolved(case: Case) -> Letter:
    """S4.21, S2.28."""
    return Letter(_view(case), facts=_solution(case))


@mail
def returned(case: Case) -> Letter:
    return Letter(_view(case))


@mail
def closure_asked(case: Case) -> Letter:
    """S2.8: the requester decides. Not sent once somebody has decided."""
    if not is_wanted(case.ticket, Purpose.APPROVE):
        raise NotSent(DeliveryProblem.OUTDATED)
    button = _("Abrir el ticket") if case.for_staff else _("Revisar y decidir")
    days = case.ticket.definition.closes_after(case.ticket.stage)
    return Letter(button, Purpose.APPROVE, _solution(case) | {"silence_days": days})


@mail
def closure_approved(case: Case) -> Letter:
    return Letter(_view(case))


@mail
def closure_rejected(case: Case) -> Letter:
    return Letter(_view(case))


@mail
def closed(case: Case) -> Letter:
    """S0.23, S0.24, S1.16: it is solved and closed, this was done, and this is left to you."""
    return Letter(_view(case), facts=_solution(case) | {"by_requester": case.is_by_requester})


@mail
def rejected(case: Case) -> Letter:
    """S4.19."""
    return Letter(_view(case))


@mail
def cancelled(case: Case) -> Letter:
    survivor = case.ticket.duplicate_of
    return Letter(_view(case), facts={"survivor": survivor.folio if survivor else ""})


@mail
def survey(case: Case) -> Letter:
    """S0.25: short, after closing."""
    if not is_wanted(case.ticket, Purpose.SURVEY):
        raise NotSent(DeliveryProblem.OUTDATED)
    button = _("Abrir el ticket") if case.for_staff else _("Calificar la atención")
    return Letter(button, Purpose.SURVEY)


# --- The desk's own ---------------------------------------------------------------------------------------


@mail
def breached(case: Case) -> Letter:
    """S2.32: a promise was broken. What a process does about it may be told so too; that event names no clock."""
    clock = case.event.data.get("clock", "")
    return Letter(
        _view(case),
        facts={
            "clock": str(ClockKind(clock).label).lower() if clock in ClockKind.values else "",
            "is_resolution": clock == ClockKind.RESOLUTION,
            "broken_at": phrases.moment(case.event.at),
            "is_escalated": case.ticket.is_escalated,
        },
    )


@mail
def nonconformity(case: Case) -> Letter:
    """S2.30: an answer was given for a case that was not solved."""
    row = Nonconformity.objects.filter(pk=case.event.data.get("nonconformity")).first()
    reason = row.reason if row and (case.for_staff or case.is_verified) else ""
    return Letter(_view(case), facts={"reason": "" if case.event.message else reason})


def _report(case: Case) -> dict[str, Any] | None:
    """What the requester reported, for whoever has to work on it."""
    if not case.for_staff:
        return None
    message = case.ticket.messages.filter(kind="report").order_by("id").first()
    return case.words(message) if message else None
