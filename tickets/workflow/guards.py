"""Guards: requirements that an action must meet. A definition names them.

A guard gets the step and the argument after its colon, as in `field_filled:diagnostico`. It raises `GuardFailed` with
one sentence that says what is missing, or does nothing. The error also says how to go on: `asks` are the fields that
the action's form then asks for, `place` is where else staff can do it. A guard reads the step and changes nothing.
"""

from collections.abc import Callable, Iterator

from django.utils.translation import gettext as _

from .. import policies
from ..definitions.definition import Call
from ..definitions.fields import is_blank
from ..definitions.responses import is_written_in
from ..enums import ContactKind, MessageKind, PlaceKind
from ..exceptions import AccountMissing, GuardFailed, Place
from .step import Step

Guard = Callable[[Step, str], None]
GUARDS: dict[str, Guard] = {}
ARGUMENTS: dict[str, str] = {}
"""Maps each guard that takes an argument after the colon to the sort of thing that the argument names."""


def guard(function: Guard) -> Guard:
    """Register the function as a guard under its own name, which process files write in `guards`."""
    GUARDS[function.__name__] = function
    return function


def takes_argument(what: str) -> Callable[[Guard], Guard]:
    """Mark a guard as one that takes an argument after the colon. `what` is what it names: `field`, `contact` or
    `response`."""

    def declare(function: Guard) -> Guard:
        ARGUMENTS[function.__name__] = what
        return function

    return declare


def check(call: Call, step: Step) -> None:
    """Run the guard that `call` names. Raises `GuardFailed` with the guard's name in it."""
    try:
        GUARDS[call.name](step, call.argument)
    except GuardFailed as failure:
        failure.guard = call.name
        raise


def refusals(step: Step) -> Iterator[GuardFailed]:
    """Yield the error of each guard of the step's action that refuses now."""
    for call in step.action.guards:
        try:
            check(call, step)
        except GuardFailed as failure:
            yield failure


@guard
def requester_has_account(step: Step, argument: str) -> None:
    """Require that the requester has an account: the process does not advance without one (S2.26)."""
    if step.ticket.requester_id is None:
        raise AccountMissing


@guard
def standing_checked(step: Step, argument: str) -> None:
    """Require that the requester's standing was checked, which comes before any answer (S2.9)."""
    if step.ticket.standing_checked_at is not None:
        return
    if step.ticket.requester_id is None:
        raise AccountMissing
    raise GuardFailed(_("Verifica primero el estatus administrativo del solicitante."), asks=["standing"])


@guard
def requester_active(step: Step, argument: str) -> None:
    """Refuse an inactive requester, who gets the answer for inactive users and no other (S2.10)."""
    if step.ticket.requester and step.ticket.requester.is_inactive_standing:
        raise GuardFailed(
            _("El solicitante está inactivo: responde con la respuesta para usuarios inactivos."),
            place=Place(PlaceKind.ANSWER_TO_INACTIVE),
        )


@guard
def solution_written(step: Step, argument: str) -> None:
    """Require the description of what was done, without which a case is not closed (S0.24, S2.28)."""
    if not step.ticket.solution_done:
        raise GuardFailed(_("Escribe qué se hizo para resolver el caso."), asks=["solution_done"])


@guard
def solution_sent(step: Step, argument: str) -> None:
    """Require that a solution was sent: every ticket is answered after being solved (S2.39)."""
    if step.ticket.solution_sent_at is None:
        raise GuardFailed(
            _("Envía la solución al solicitante antes de seguir."),
            place=Place(PlaceKind.COMPOSER, MessageKind.SOLUTION),
        )


@guard
def side_tasks_done(step: Step, argument: str) -> None:
    """Require that no side task of another department is open (S0.20). Only staff read which ones are."""
    if not step.ticket.open_tasks:
        return
    if not policies.can_see_internal(step.actor, step.ticket):
        raise GuardFailed(_("El equipo todavía trabaja en tu caso."))
    titles = step.ticket.side_tasks.open().values_list("title", flat=True)[:3]
    raise GuardFailed(
        _("Falta que otros equipos terminen: %(tasks)s.")
        % {"tasks": ", ".join(f"«{title}»" for title in titles)},
        place=Place(PlaceKind.SIDE_TASKS),
    )


@guard
def assigned(step: Step, argument: str) -> None:
    if step.ticket.acting_assignee is None:
        raise GuardFailed(_("Asigna un responsable antes de seguir."), asks=["assignee"])


@guard
def follow_up_sent(step: Step, argument: str) -> None:
    """Require an earlier follow-up, whatever it says. For one of the standard answers there is `response_sent`."""
    if not step.ticket.messages.filter(kind=MessageKind.FOLLOW_UP).exists():
        raise GuardFailed(
            _("Envía primero un seguimiento al solicitante."),
            place=Place(PlaceKind.COMPOSER, MessageKind.FOLLOW_UP),
        )


@guard
@takes_argument("response")
def response_sent(step: Step, argument: str) -> None:
    """Require that a standard answer was sent, by its action or with its text from the composer (S2.22)."""
    ticket, response = step.ticket, step.definition.response(argument)
    if response is None:
        raise LookupError(f"publishing checks that response {argument} exists")
    sent = ticket.messages.filter(kind=response.kind).values_list("body", flat=True)
    by_action = ticket.events.filter(data__response=argument).exists()
    if not by_action and not any(is_written_in(body, response) for body in sent):
        raise GuardFailed(
            _("Envía primero al solicitante «%(response)s».") % {"response": response.label},
            place=Place(PlaceKind.RESPONSE, argument),
        )


@guard
@takes_argument("field")
def field_filled(step: Step, argument: str) -> None:
    """Require a value in the process's field that `argument` names (S4.17, S4.18)."""
    if is_blank(step.ticket.fields.get(argument)):
        field = step.definition.field(argument)
        label = field.label if field else argument
        raise GuardFailed(_("Completa «%(field)s».") % {"field": label}, asks=[argument])


@guard
@takes_argument("contact")
def contact_recorded(step: Step, argument: str) -> None:
    """Require a logged call, or a logged WhatsApp conversation with its URL (S2.45, S2.46)."""
    contacts = [each for each in step.ticket.contacts_about_solution if each.kind == argument]
    if not any(each.url or argument != ContactKind.WHATSAPP for each in contacts):
        raise GuardFailed(ContactKind(argument).missing, place=Place(PlaceKind.CONTACT, argument))


@guard
def call_succeeded(step: Step, argument: str) -> None:
    """Require a logged successful call, in which the requester said that the case is solved (S2.45)."""
    if not step.ticket.has_successful_call:
        raise GuardFailed(
            _("Falta registrar una llamada exitosa al solicitante."),
            place=Place(PlaceKind.CONTACT, ContactKind.CALL),
        )


@guard
def whatsapp_documented(step: Step, argument: str) -> None:
    """Require screenshots in a ticket that was handled by WhatsApp (S2.14)."""
    if step.ticket.lacks_whatsapp_evidence:
        raise GuardFailed(
            _("Adjunta las capturas de la conversación de WhatsApp antes de seguir."),
            asks=["screenshots"],
            place=Place(PlaceKind.COMPOSER, MessageKind.NOTE),
        )


@guard
def checklist_complete(step: Step, argument: str) -> None:
    """Require that every item of the closing checklist is done (S2.44–S2.46)."""
    missing = [str(item.label) for item in step.ticket.missing_checklist_items]
    if missing:
        raise GuardFailed(
            _("La lista de cierre no está completa: %(items)s.") % {"items": "; ".join(missing)},
            place=Place(PlaceKind.CHECKLIST),
        )


@guard
def checklist_by_another(step: Step, argument: str) -> None:
    """Refuse if the assignee or who wrote the solution ticked any item of the checklist: nobody reviews their own
    answer (S2.44)."""
    if step.ticket.is_reviewed_by_answerer:
        raise GuardFailed(
            _(
                "La lista de cierre la completa alguien distinto del responsable y de quien escribió la solución."
            ),
            place=Place(PlaceKind.CHECKLIST),
        )


@guard
def duplicate_conditions_met(step: Step, argument: str) -> None:
    """Require what cancelling as a duplicate needs: a prepared ticket and an open one that stays (S2.41).

    `DuplicateField` has checked that both have the same requester, and that the actor may see both (B17). A ticket that
    was set otherwise and that they may not see is refused in the same words as an unknown folio.
    """
    if unprepared := [name for name in ("assignee", "difficulty") if _is_unset(step, name)]:
        raise GuardFailed(
            _("Prepara el ticket y actualiza sus campos antes de cancelarlo por duplicado."), asks=unprepared
        )
    survivor = step.ticket.duplicate_of
    if survivor is not None and not policies.can_view(step.actor, survivor):
        raise GuardFailed(
            _("No encontramos un ticket del mismo solicitante con ese folio."), asks=["duplicate_of"]
        )
    if survivor is None or survivor.duplicate_of_id is not None or not survivor.is_open:
        raise GuardFailed(
            _("El ticket que queda vigente debe estar abierto y no ser también un duplicado."),
            asks=["duplicate_of"],
        )


def _is_unset(step: Step, name: str) -> bool:
    return getattr(step.ticket, "acting_assignee" if name == "assignee" else name) is None
