"""Write about the people whom a process names."""

from django.utils.text import capfirst
from django.utils.translation import gettext as _

from accounts.models import User
from tickets.definitions.definition import Who
from tickets.models import Ticket
from tickets.vacancies import departments_of


def vacancy_text(who: Who, ticket: Ticket) -> str:
    """Return the sentence that says that nobody whom `who` names may act any more."""
    match who.kind:
        case "department" | "department_of":
            return " ".join(_empty_departments(who, ticket))
        case "group":
            group = ticket.definition.group(who.name)
            return _("Nadie de «%(group)s» puede actuar.") % {"group": group.label if group else who.name}
        case "user":
            person = User.objects.filter(email=who.name.lower()).first()
            return _("%(person)s ya no puede actuar.") % {"person": person or who.name}
    action = ticket.definition.action(who.name)
    label = action.label if action else capfirst(who.name)
    return _("Quien hizo «%(action)s» ya no puede actuar.") % {"action": label}


def _empty_departments(who: Who, ticket: Ticket) -> list[str]:
    return [
        (
            _("Nadie de %(department)s puede actuar.")
            if place.is_active
            else _("%(department)s está desactivado.")
        )
        % {"department": place}
        for place in departments_of(who, ticket)
    ] or [_("Nadie de «%(department)s» puede actuar.") % {"department": who.name}]
