"""Choose the standard answers that fit a ticket (S2.13) and fill the variables into their text (S2.23)."""

import re
from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from content.markdown import literal

from .conditions import all_hold
from .definition import Response
from .subject import Subject

VARIABLE = re.compile(r"\{\w+\}")
VARIABLES = ("saludo", "nombre", "folio", "vigente", "llamada", "terminos")


def greeting(now: datetime) -> str:
    """Return the greeting for the hour of `now` in `settings.DESK_TIME_ZONE`."""
    hour = now.astimezone(ZoneInfo(settings.DESK_TIME_ZONE)).hour
    if 5 <= hour < 12:
        return _("Buenos días")
    return _("Buenas tardes") if 12 <= hour < 19 else _("Buenas noches")


def fill_in(text: str, ticket: Subject, *, now: datetime | None = None) -> str:
    """Return `text` with each of the `VARIABLES` in braces replaced by its value for `ticket`.

    Values are literal: a person named `[Pague aquí](https://…)` gets no link into an answer that the desk signs. Any
    other word in braces stays as it is: `text` is data written by people, not a template.
    """
    values = {
        "saludo": greeting(now or timezone.now()),
        "nombre": literal(ticket.requester_name),
        "folio": literal(ticket.folio),
        "vigente": literal(ticket.duplicate_of.folio) if "{vigente}" in text and ticket.duplicate_of else "",
        "llamada": literal(ticket.call_outcome.lower() or _("pendiente")) if "{llamada}" in text else "",
        "terminos": _terms(),
    }
    return re.sub(r"\{(\w+)\}", lambda found: values.get(found[1], found[0]), text)


def is_written_in(message: str, response: Response) -> bool:
    """Whether the message contains the whole text of the standard answer in one of its languages, with anything where
    the variables are. Spaces and line breaks do not count."""
    written = " ".join(message.split())
    return any(_contains(written, text) for text in (response.body.es, response.body.en) if text)


def _contains(written: str, text: str) -> bool:
    position = 0
    for part in VARIABLE.split(text):
        fixed = " ".join(part.split())
        found = written.find(fixed, position)
        if found < 0:
            return False
        position = found + len(fixed)
    return True


def _terms() -> str:
    """Return the words for the terms and conditions, as a Markdown link if `DESK_TERMS_URL` is set (S2.17)."""
    words = _("TÉRMINOS Y CONDICIONES")
    return f"[{words}]({settings.DESK_TERMS_URL})" if settings.DESK_TERMS_URL else words


def fitting_responses(ticket: Subject) -> list[Response]:
    """Return the standard answers that the composer offers for `ticket` in its present stage.

    Answers that an action posts are left out, so that the requester does not receive them twice.
    """
    definition = ticket.definition
    return [
        response
        for response in definition.responses
        if response.key not in definition.posted_responses
        and (not response.stages or ticket.stage in response.stages)
        and all_hold(response.when, ticket)
    ]
