"""What the desk writes by itself about a case that goes on (S0.21): only what the record says."""

from datetime import datetime

from django.conf import settings
from django.utils import timezone
from django.utils.dateformat import format as format_date
from django.utils.translation import gettext as _

from content.dates import spanish_is_active

from .. import clocks
from ..calendars import zone_named
from ..enums import ClockKind
from ..models import Ticket


def news(ticket: Ticket, *, now: datetime) -> str:
    """Return how the case stands, in the active language: its stage as customers know it, the step after it, and the
    due date in the zone of its calendar. A date that has passed is not promised again."""
    stage = ticket.stage_definition.customer_label
    sentences = [_("Tu caso sigue abierto y está en «%(stage)s».") % {"stage": stage}]
    if following := _following(ticket, stage):
        sentences.append(_("El paso que sigue es «%(stage)s».") % {"stage": following})
    clock = ticket.clocks.select_related("calendar_version").filter(kind=ClockKind.RESOLUTION).first()
    if clock is not None:
        due = clocks.current_due(clock, now=now)
        zone = clock.calendar_version.as_rules.zone if clock.calendar_version else settings.DESK_TIME_ZONE
        if due > now:
            sentences.append(_("Esperamos resolverlo a más tardar el %(due)s.") % {"due": _moment(due, zone)})
        else:
            sentences.append(
                _("La fecha que teníamos prevista ya pasó. Lamentamos la demora; el equipo lo sabe.")
            )
    sentences.append(_("Este es un aviso automático. Si tienes algo que agregar, responde por aquí."))
    return " ".join(sentences)


def _following(ticket: Ticket, stage: str) -> str:
    """Return the customer's name of the step after `stage`; "" on a side road and before the end."""
    steps = [step.customer_label for step in ticket.definition.customer_steps]
    place = steps.index(stage) + 1 if stage in steps else len(steps)
    return steps[place] if place < len(steps) else ""


def _moment(value: datetime, zone: str) -> str:
    local = timezone.localtime(value, zone_named(zone))
    form = r"l j \d\e F, G:i" if spanish_is_active() else "l j F, G:i"
    text = format_date(local, form)
    place = zone.rpartition("/")[2].replace("_", " ")
    return _("%(moment)s (hora de %(place)s)") % {
        "moment": text.lower() if spanish_is_active() else text,
        "place": place,
    }
