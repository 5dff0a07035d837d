"""The catalogue of mails about tickets: one function for each, named like its folder in templates/emails/<name>/.

A function returns a `MailContent`: the button's text, the purpose of the button's link and the facts that this mail
adds to `MailContext.facts`. A process may send any mail to the requester or to staff, so the templates have a text for
both.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.timesince import timeuntil
from django.utils.translation import gettext as _

from content.text import as_typed, render_markdown
from tickets import clocks
from tickets.enums import (
    ClockKind,
    DeliveryProblem,
    EventKind,
    MessageKind,
    Purpose,
    StageKind,
    Template,
)
from tickets.models import IncomingEmail, Nonconformity, SideTask
from tickets.policies import is_staff_on
from tickets.vocabulary import TEMPLATES
from web.why_amounts import counted
from web.wording import target_in_words

from . import phrases
from .cases import MailContext, address
from .links import is_wanted


class NotSent(Exception):
    """The mail must not be sent any more, because its recipient or its reason has changed since the event. `problem`
    says which."""

    def __init__(self, problem: DeliveryProblem) -> None:
        super().__init__(problem)
        self.problem = problem


@dataclass(frozen=True)
class MailContent:
    """The button's text, the purpose of the button's link, and the facts that one kind of mail adds.

    With `offers_survey`, a second link leads to the survey, if the requester may answer it now. With `tells_due`, the
    mail tells the requester a due date, and a link leads to «¿Por qué esta fecha?».
    """

    button: str
    purpose: Purpose = Purpose.FOLLOW
    facts: dict[str, Any] = field(default_factory=dict)
    offers_survey: bool = False
    tells_due: bool = False
    address: str = ""
    """Where the button leads, if not to the ticket."""


Writer = Callable[[MailContext], MailContent]
CATALOGUE: dict[str, Writer] = {}

ONCE_ONLY = frozenset({Template.SURVEY})
"""Mails that are not sent again if they may already have left: a second copy would be worse than a lost mail."""


def mail(function: Writer) -> Writer:
    """Register `function` as the writer of the mail with the function's name. Raises `LookupError` if no app declared
    that mail."""
    if function.__name__ not in TEMPLATES:
        raise LookupError(f"no app declares the mail {function.__name__}")
    CATALOGUE[function.__name__] = function
    return function


def _ticket_button(case: MailContext) -> str:
    return _("Abrir el ticket") if case.for_staff else _("Ver mi ticket")


def _with_due(case: MailContext) -> MailContent:
    """Return the content of a mail whose text says when the ticket is expected to be closed."""
    return MailContent(_ticket_button(case), tells_due=bool(phrases.before(case.ticket.due_at)))


# --- The beginning ----------------------------------------------------------------------------------------


@mail
def received(case: MailContext) -> MailContent:
    """Confirm that the ticket was received, with its number and what happens next (S0.15, S2.2)."""
    ticket = case.ticket
    parts = [str(ticket.category or ""), phrases.moment(ticket.created_at)]
    facts: dict[str, Any] = {"ticket_meta": " · ".join(part for part in parts if part)}
    if case.for_staff:
        return MailContent(_ticket_button(case), facts=facts)
    steps = _what_next(case)
    facts |= {
        "steps_title": _("Qué sigue"),
        "steps": [plain for plain, _html in steps],
        "steps_html": [html for _plain, html in steps],
    }
    promised = (ticket.due_at, None if ticket.first_response_at else ticket.first_response_due_at)
    return MailContent(_("Seguir mi ticket"), facts=facts, tells_due=any(map(phrases.before, promised)))


def _what_next(case: MailContext) -> list[tuple[str, SafeString]]:
    ticket = case.ticket
    steps = [phrases.step(_("Clasificamos tu caso y lo asignamos a una persona."))]
    if ticket.first_response_at is None and (answer := phrases.before(ticket.first_response_due_at)):
        steps.append(phrases.step(_("Te respondemos %(when)s."), when=answer))
    if solution := phrases.before(ticket.due_at):
        clock = case.resolution
        if target := target_in_words(clock.promised) if clock and not clock.is_agreed else "":
            why = _("Esperamos resolverlo %(when)s: damos %(target)s a casos como este.")
            steps.append(phrases.step(why, when=solution, target=target))
        else:
            steps.append(phrases.step(_("Esperamos resolverlo %(when)s."), when=solution))
    if ticket.definition.closing.approver == "requester":
        steps.append(phrases.step(_("Cuando esté resuelto, te pediremos aprobar el cierre.")))
    else:
        steps.append(phrases.step(_("Cuando esté resuelto, te contaremos qué hicimos.")))
    return steps


@mail
def new_link(case: MailContext) -> MailContent:
    """Send the requester the new link that they asked for."""
    return MailContent(_("Abrir el ticket") if case.for_staff else _("Seguir mi ticket"))


@mail
def new_ticket(case: MailContext) -> MailContent:
    """Tell the department about a new ticket (S1.10)."""
    return MailContent(_ticket_button(case), facts={"report": _report(case)})


@mail
def prepared(case: MailContext) -> MailContent:
    """Say who the assignee is and when the ticket is due (S2.4)."""
    return _with_due(case)


@mail
def assigned(case: MailContext) -> MailContent:
    """Tell the assignee that the ticket is theirs (S1.13)."""
    return MailContent(_ticket_button(case), facts={"report": _report(case)})


@mail
def handed_over(case: MailContext) -> MailContent:
    """Tell a department that it received the ticket from another (S0.18, S0.20)."""
    return MailContent(_ticket_button(case), facts={"report": _report(case)})


@mail
def accepted(case: MailContext) -> MailContent:
    return _with_due(case)


@mail
def started(case: MailContext) -> MailContent:
    return _with_due(case)


@mail
def account_created(case: MailContext) -> MailContent:
    """Tell a requester that staff opened an account for them; they sign in with a code sent to this address (S2.27)."""
    return MailContent(_ticket_button(case), facts={"sign_in_url": address("account_request_login_code")})


# --- The conversation -------------------------------------------------------------------------------------


@mail
def contribution_asked(case: MailContext) -> MailContent:
    """Ask the requester to reply and attach files through a link, without signing in (S2.6)."""
    open_still = is_wanted(case.ticket, Purpose.CONTRIBUTE)
    button = _("Abrir el ticket") if case.for_staff else _("Responder") if open_still else _("Ver mi ticket")
    return MailContent(button, Purpose.CONTRIBUTE, {"open_still": open_still})


@mail
def reply(case: MailContext) -> MailContent:
    return MailContent(_("Abrir el ticket") if case.for_staff else _("Ver la conversación"))


@mail
def requester_replied(case: MailContext) -> MailContent:
    return MailContent(_ticket_button(case))


@mail
def progress(case: MailContext) -> MailContent:
    """Report progress on the ticket (S0.21)."""
    return _with_due(case)


@mail
def information_asked(case: MailContext) -> MailContent:
    """Ask the evaluator, not the requester, for missing information (S4.22)."""
    return MailContent(_ticket_button(case))


@mail
def information_given(case: MailContext) -> MailContent:
    return MailContent(_ticket_button(case))


@mail
def mentioned(case: MailContext) -> MailContent:
    return MailContent(_ticket_button(case))


def _solution(case: MailContext) -> dict[str, Any]:
    """Return the facts of the solution. If the event's message is the solution, `message` becomes None, so that the
    text is not shown twice."""
    message = case.event.message
    told = message is not None and message.kind == MessageKind.SOLUTION
    return {"solution": case.solution(), **({"message": None} if told else {})}


@mail
def proof_asked(case: MailContext) -> MailContent:
    """Ask the requester whether they wrote a mail that came from another address (B13). Raises `NotSent` once somebody
    has decided."""
    number = case.event.data.get("mail")
    if number and not any(held.is_held for held in IncomingEmail.objects.filter(pk=number)):
        raise NotSent(DeliveryProblem.OUTDATED)
    button = _("Abrir el ticket") if case.for_staff else _("Ver el correo y decidir")
    facts = {"sender": case.event.data.get("sender", ""), "came_at": phrases.moment(case.event.at)}
    return MailContent(button, facts=facts)


# --- The end ----------------------------------------------------------------------------------------------


@mail
def verification_asked(case: MailContext) -> MailContent:
    """Ask to verify the solution, and name what the closing checklist still lacks (S2.44–S2.46). Raises `NotSent` once
    the ticket has left the verification."""
    if case.ticket.kind != StageKind.VERIFICATION:
        raise NotSent(DeliveryProblem.OUTDATED)
    missing = [str(item.label) for item in case.ticket.missing_checklist_items] if case.for_staff else []
    return MailContent(_ticket_button(case), facts=_solution(case) | {"missing": missing})


@mail
def resolved(case: MailContext) -> MailContent:
    """Tell that the ticket was resolved, with the solution (S4.21, S2.28)."""
    return MailContent(_ticket_button(case), facts=_solution(case), offers_survey=True)


@mail
def returned(case: MailContext) -> MailContent:
    return MailContent(_ticket_button(case))


@mail
def closure_asked(case: MailContext) -> MailContent:
    """Ask the requester to approve or reject the closure (S2.8). Raises `NotSent` once somebody has decided."""
    if not is_wanted(case.ticket, Purpose.APPROVE):
        raise NotSent(DeliveryProblem.OUTDATED)
    button = _("Abrir el ticket") if case.for_staff else _("Revisar y decidir")
    silence = case.ticket.definition.end_of_silence(case.ticket.stage)
    facts = {
        "silence_days": silence.after_days if silence else 0,
        "silence_closes": case.ticket.is_closed_by_silence,
    }
    return MailContent(button, Purpose.APPROVE, _solution(case) | facts)


@mail
def reopened(case: MailContext) -> MailContent:
    """Tell that staff reopened a closed ticket."""
    return MailContent(_ticket_button(case))


@mail
def closure_approved(case: MailContext) -> MailContent:
    """Tell that the requester approved the closure, and whether the ticket is closed with it."""
    return MailContent(_ticket_button(case), facts={"is_open": case.ticket.is_open})


@mail
def closure_rejected(case: MailContext) -> MailContent:
    return MailContent(_ticket_button(case))


@mail
def closed(case: MailContext) -> MailContent:
    """Tell that the ticket is closed, what was done and what the requester still has to do (S0.23, S0.24, S1.16)."""
    facts = _solution(case) | {"by_requester": case.is_by_requester}
    return MailContent(_ticket_button(case), facts=facts, offers_survey=True)


@mail
def rejected(case: MailContext) -> MailContent:
    """Tell that the request was rejected (S4.19)."""
    return MailContent(_ticket_button(case))


@mail
def cancelled(case: MailContext) -> MailContent:
    survivor = case.ticket.duplicate_of
    return MailContent(_ticket_button(case), facts={"survivor": survivor.folio if survivor else ""})


@mail
def survey(case: MailContext) -> MailContent:
    """Ask for the satisfaction survey after closing (S0.25). Raises `NotSent` if the survey is not open."""
    if not is_wanted(case.ticket, Purpose.SURVEY):
        raise NotSent(DeliveryProblem.OUTDATED)
    button = _("Abrir el ticket") if case.for_staff else _("Calificar la atención")
    return MailContent(button, Purpose.SURVEY)


# --- For staff --------------------------------------------------------------------------------------------


@mail
def breached(case: MailContext) -> MailContent:
    """Tell that a clock breached (S2.32). A process may also send this mail from an action that the breach triggers;
    the event of that action names no clock."""
    clock = case.event.data.get("clock", "")
    return MailContent(
        _ticket_button(case),
        facts={
            "clock": str(ClockKind(clock).label).lower() if clock in ClockKind.values else "",
            "is_resolution": clock == ClockKind.RESOLUTION,
            "broken_at": phrases.moment(case.event.at),
            "is_escalated": case.ticket.is_escalated and clock != ClockKind.PROGRESS,
        },
    )


@mail
def warned(case: MailContext) -> MailContent:
    """Warn that a promise is about to run out (S2.32). Raises `NotSent` once that clock has stopped or is paused. A
    process may also send this mail from an action, whose event names no clock."""
    kind = case.event.data.get("clock", "")
    return MailContent(_ticket_button(case), facts=_reading(case, kind) if kind in ClockKind.values else {})


def _reading(case: MailContext, kind: str) -> dict[str, Any]:
    """Return both readings of a running clock: the time used, and the time on the wall until it runs out."""
    clock = case.ticket.clocks.filter(kind=kind).prefetch_related("pauses").first()
    if clock is None or clock.stopped_at is not None or clock.paused_at is not None:
        raise NotSent(DeliveryProblem.OUTDATED)
    now = timezone.now()
    return {
        "clock": str(ClockKind(kind).label).lower(),
        "used": counted(clock, clocks.used(clock, now=now)),
        "target": target_in_words(clock.promised),
        "due": phrases.moment(clock.due_at),
        "left": timeuntil(clock.due_at, now).replace("\xa0", " "),
    }


@mail
def status_update(case: MailContext) -> MailContent:
    """Send the desk's own message about the progress, which says the due date (S0.21)."""
    return _with_due(case)


@mail
def nonconformity(case: MailContext) -> MailContent:
    """Tell that a nonconformity was opened: the answer given did not solve the case (S2.30)."""
    row = Nonconformity.objects.filter(pk=case.event.data.get("nonconformity")).first()
    reason = row.reason if row and (case.for_staff or case.is_verified) else ""
    return MailContent(_ticket_button(case), facts={"reason": "" if case.event.message else reason})


@mail
def task_asked(case: MailContext) -> MailContent:
    """Tell a department that it was asked for a side task (S0.20). Raises `NotSent` once the task has ended."""
    task = task_of(case)
    if task is not None and not task.is_open:
        raise NotSent(DeliveryProblem.OUTDATED)
    return MailContent(_ticket_button(case), facts={"task": _side_task(case)})


@mail
def task_done(case: MailContext) -> MailContent:
    """Tell who asked for a side task, and the assignee, what the other department did (S0.20)."""
    return MailContent(_ticket_button(case), facts={"task": _side_task(case)})


@mail
def task_withdrawn(case: MailContext) -> MailContent:
    """Tell who had taken a side task that it is no longer needed: it was withdrawn, or its ticket closed (S0.20)."""
    facts: dict[str, Any] = {"task": _side_task(case), "by_closing": bool(case.event.data.get("by_closing"))}
    facts["sees_ticket"] = case.mail.user is not None and is_staff_on(case.mail.user, case.ticket)
    if facts["sees_ticket"] or not case.for_staff:
        return MailContent(_ticket_button(case), facts=facts)
    queue = f"{settings.DESK_BASE_URL}/agentes/colas/tareas/"
    return MailContent(_("Ver las tareas de tu equipo"), facts=facts, address=queue)


def task_of(case: MailContext) -> SideTask | None:
    """Return the side task that the event is about."""
    return SideTask.objects.select_related("department").filter(pk=case.event.data.get("task")).first()


def _side_task(case: MailContext) -> dict[str, Any] | None:
    """Return the facts of the event's side task for a mail to staff; None for other readers: it is internal."""
    task = task_of(case)
    if task is None or not case.for_staff:
        return None
    words = task.result if case.event.kind == EventKind.TASK_DONE else task.details
    return {
        "department": str(task.department),
        "title": task.title,
        "text": as_typed(words),
        "html": phrases.for_mail(render_markdown(words)),
    }


def _report(case: MailContext) -> dict[str, Any] | None:
    """Return the facts of the requester's report for a mail to staff. None for other readers or without a report."""
    if not case.for_staff:
        return None
    return case.words(case.report) if case.report else None
