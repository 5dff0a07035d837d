"""The links that lead from a guard's refusal to the place where staff can do what is missing."""

from collections.abc import Collection
from dataclasses import dataclass

from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from content.errors import DeskError
from tickets import policies
from tickets.definitions.definition import Action
from tickets.enums import ContactKind, MessageKind, PlaceKind
from tickets.exceptions import AccountMissing, GuardFailed, Place
from tickets.models import Ticket
from tickets.workflow.guards import refusals
from tickets.workflow.step import Step

from ..access import DeskRequest
from ..origin import with_origin

SECTIONS = {
    PlaceKind.CHECKLIST: (gettext_lazy("Ir a la lista de cierre"), "#sec-lista"),
    PlaceKind.SIDE_TASKS: (gettext_lazy("Ver las tareas"), "#sec-tareas"),
}
"""The places that are a section of the ticket's page."""


@dataclass(frozen=True)
class Way:
    """Names what is missing before an action, and links to the place where it can be done; `url` is empty if there is
    none. `in_dialog` says whether the place is a form that opens in the dialog of the ticket's page."""

    text: str
    label: str = ""
    url: str = ""
    in_dialog: bool = False


def ways_of(
    request: DeskRequest,
    ticket: Ticket,
    action: Action,
    *,
    asked: Collection[str],
    problem: DeskError | None = None,
    back: str = "",
) -> list[Way]:
    """Return what the guards of `action` lack now, unless its form asks for it (`asked` are its fields), and the way
    out of `problem`, the refusal of the form just sent, if there is one.

    `back` names the page to which the account's page returns; without it, that is the ticket.
    """
    step = Step(ticket, ticket.definition, action, request.user, {}, timezone.now())
    failures = {str(each): each for each in refusals(step) if not each.asks or set(each.asks) - set(asked)}
    if ticket.requester_id is None and action.needs_account:
        failures.setdefault(str(AccountMissing()), AccountMissing())
    if isinstance(problem, GuardFailed) and problem.place:
        failures.setdefault(str(problem), problem)
    if "requester" in asked:  # that answer sets the account
        failures.pop(str(AccountMissing()), None)
    return [_way(request, ticket, failure, back) for failure in failures.values()]


def _way(request: DeskRequest, ticket: Ticket, failure: GuardFailed, back: str) -> Way:
    place, text = failure.place, str(failure)

    def link(view: str, *args: str, **parameters: str) -> str:
        url = with_origin(request, reverse(f"agents:{view}", args=[ticket.folio, *args]))
        more = QueryDict(mutable=True)
        more.update({name: value for name, value in parameters.items() if value})
        return f"{url}{'&' if '?' in url else '?'}{more.urlencode()}" if more else url

    match place:
        case None:
            return Way(text)
        case Place(PlaceKind.ACCOUNT):
            return Way(text, _("Seleccionar o crear su cuenta"), link("ticket_account", volver=back))
        case Place(PlaceKind.CHECKLIST | PlaceKind.SIDE_TASKS as kind):
            name, section = SECTIONS[kind]
            return Way(text, str(name), link("ticket") + section)
        case Place(PlaceKind.CONTACT, kind):
            label = _("Registrar la llamada")
            if kind == ContactKind.WHATSAPP:
                label = _("Registrar la conversación de WhatsApp")
            # A successful contact ticks the item that needs it, as from the item's own button.
            item = next((each.key for each in ticket.definition.closing.checklist if each.needs == kind), "")
            return Way(text, label, link("ticket_contact", medio=kind, punto=item), in_dialog=True)
        case Place(PlaceKind.COMPOSER, mode):
            label = _("Escribir un seguimiento")
            if mode == MessageKind.SOLUTION:
                label = _("Escribir la solución")
            if mode == MessageKind.NOTE:
                label = _("Adjuntar en una nota interna")
            return Way(text, label, link("ticket", modo=mode) + "#composer")
        case Place(PlaceKind.RESPONSE, key):
            response = ticket.definition.response(key)
            label = _("Preparar «%(response)s»") % {"response": response.label if response else key}
            return Way(text, label, link("ticket", respuesta=key) + "#composer")
    if answer := _answer_to_inactive(ticket, request):
        return Way(text, str(answer.label), link("ticket_action", answer.key), in_dialog=True)
    return Way(text, _("Guardar su estatus en el ticket"), link("ticket") + "#sec-solicitante")


def _answer_to_inactive(ticket: Ticket, request: DeskRequest) -> Action | None:
    """Return the action that answers an inactive requester, if it is offered now."""
    for action in policies.available_actions(ticket, actor=request.user):
        if any(when.name == "requester_inactive" and not when.negated for when in action.when):
            return action
    return None
