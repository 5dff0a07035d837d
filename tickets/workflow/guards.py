"""Conditions an action may be held to. A definition names them; each says in one sentence what is missing.

A guard takes the step and the word after its colon, and raises `GuardFailed` or does nothing.
"""

from collections.abc import Callable

from django.utils.translation import gettext as _

from .. import policies
from ..definitions.definition import Call
from ..enums import Channel, ContactKind, ContactOutcome, MessageKind
from ..exceptions import GuardFailed
from .step import Step

Guard = Callable[[Step, str], None]
GUARDS: dict[str, Guard] = {}
ARGUMENTS: dict[str, str] = {}
"""What the word after the colon names, for the guards that take one."""


def guard(function: Guard) -> Guard:
    """Register the function under its own name, which process files write in `guards`."""
    GUARDS[function.__name__] = function
    return function


def names(what: str) -> Callable[[Guard], Guard]:
    """Say that a guard takes a word after the colon, and whether it names a `field` or a `contact`."""

    def declare(function: Guard) -> Guard:
        ARGUMENTS[function.__name__] = what
        return function

    return declare


def check(call: Call, step: Step) -> None:
    try:
        GUARDS[call.name](step, call.argument)
    except GuardFailed as failure:
        failure.guard = call.name
        raise


@guard
def requester_has_account(step: Step, argument: str) -> None:
    """S2.26: the flow does not advance until the requester has a user account."""
    if step.ticket.requester_id is None:
        raise GuardFailed(_("El solicitante no tiene cuenta. Selecciona o crea su cuenta antes de seguir."))


@guard
def standing_checked(step: Step, argument: str) -> None:
    """S2.9: standing is verified before any answer."""
    if step.ticket.standing_checked_at is None:
        raise GuardFailed(_("Verifica primero el estatus administrativo del solicitante."))


@guard
def requester_active(step: Step, argument: str) -> None:
    """S2.10: an inactive requester gets the answer for inactive users and no other."""
    if step.ticket.requester and step.ticket.requester.is_inactive_standing:
        raise GuardFailed(
            _("El solicitante está inactivo: responde con la respuesta para usuarios inactivos.")
        )


@guard
def solution_written(step: Step, argument: str) -> None:
    """S0.24, S2.28: closing needs the description of what was done."""
    if not step.ticket.solution_done:
        raise GuardFailed(_("Escribe qué se hizo para resolver el caso."))


@guard
def solution_sent(step: Step, argument: str) -> None:
    """S2.39: every ticket is answered, after being solved."""
    if step.ticket.solution_sent_at is None:
        raise GuardFailed(_("Envía la solución al solicitante antes de seguir."))


@guard
def assigned(step: Step, argument: str) -> None:
    if step.ticket.assignee_id is None:
        raise GuardFailed(_("Asigna un responsable antes de seguir."))


@guard
def follow_up_sent(step: Step, argument: str) -> None:
    """S2.22: R7 comes after R3, which is a follow-up."""
    if not step.ticket.messages.filter(kind=MessageKind.FOLLOW_UP).exists():
        raise GuardFailed(_("Envía primero un seguimiento al solicitante."))


@guard
@names("field")
def field_filled(step: Step, argument: str) -> None:
    """S4.17, S4.18: a field of the process must hold something."""
    if not step.ticket.fields.get(argument):
        field = step.definition.field(argument)
        raise GuardFailed(_("Completa «%(field)s».") % {"field": field.label if field else argument})


@guard
@names("contact")
def contact_recorded(step: Step, argument: str) -> None:
    """S2.45, S2.46: a call, or a WhatsApp conversation with its URL, is on record."""
    contacts = step.ticket.contacts.filter(kind=argument)
    if argument == ContactKind.WHATSAPP:
        contacts = contacts.exclude(url="")
    if not contacts.exists():
        raise GuardFailed(ContactKind(argument).missing)


@guard
def call_succeeded(step: Step, argument: str) -> None:
    """S2.45: somebody spoke to the requester and knows that it is solved."""
    if not step.ticket.contacts.filter(kind=ContactKind.CALL, outcome=ContactOutcome.SUCCESSFUL).exists():
        raise GuardFailed(_("Falta registrar una llamada exitosa al solicitante."))


@guard
def whatsapp_documented(step: Step, argument: str) -> None:
    """S2.14: what was handled by WhatsApp has its screenshots in the ticket."""
    ticket = step.ticket
    if ticket.channel != Channel.WHATSAPP and not ticket.contacts.filter(kind=ContactKind.WHATSAPP).exists():
        return
    if not ticket.attachments.filter(kind="image", message__from_requester=False).exists():
        raise GuardFailed(_("Adjunta las capturas de la conversación de WhatsApp antes de seguir."))


@guard
def checklist_complete(step: Step, argument: str) -> None:
    """S2.44–S2.46: every item of the closing checklist is done."""
    done = set(step.ticket.checklist_entries.values_list("item", flat=True))
    missing = [str(item.label) for item in step.definition.closing.checklist if item.key not in done]
    if missing:
        raise GuardFailed(
            _("La lista de cierre no está completa: %(items)s.") % {"items": "; ".join(missing)}
        )


@guard
def checklist_by_another(step: Step, argument: str) -> None:
    """S2.44: who solved the case does not review their own answer."""
    solver = step.ticket.assignee_id
    if solver is not None and step.ticket.checklist_entries.filter(done_by=solver).exists():
        raise GuardFailed(_("La lista de cierre la completa alguien distinto del responsable."))


@guard
def duplicate_conditions_met(step: Step, argument: str) -> None:
    """S2.41: same requester (the field sees to it), prepared, fields updated, survivor named and still open. Whoever
    links two tickets must be allowed to see both (B17)."""
    survivor = step.ticket.duplicate_of
    if survivor is not None and not policies.can_view(step.actor, survivor):
        raise GuardFailed(_("No encontramos un ticket del mismo solicitante con ese folio."))
    if survivor is None or survivor.duplicate_of_id is not None or not survivor.is_open:
        raise GuardFailed(_("El ticket que queda vigente debe estar abierto y no ser también un duplicado."))
    if step.ticket.assignee_id is None or step.ticket.difficulty is None:
        raise GuardFailed(_("Prepara el ticket y actualiza sus campos antes de cancelarlo por duplicado."))
