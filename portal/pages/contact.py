"""The contact panel: phone, WhatsApp and e-mail from the settings, and the hours of the phone (S3.25, S3.26)."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from tickets.addresses import promise_by_mail
from tickets.definitions.targets import Target
from tickets.enums import TargetUnit
from tickets.schedules.openness import ClosureAhead, counted_for, opening, openness
from web.kept import kept
from web.opening_hours import closure_notices, first_capital, in_zone, until_in_words, week_table
from web.wording import target_in_words

HELP = "help"
"""What of the desk's answers, topics and hours is kept: `web.kept.mark_change` of it makes all of it anew."""


def panel(reader: object) -> dict[str, Any]:
    """Return what portal/_contact.html draws: `rows`, one for each channel that the settings name; `table`, the hours
    of the phone on the next seven days; `zone`, whose time they are, if not the reader's; and `closures`, what
    customers read about extraordinary closures, and the `reader`, if they are signed in, about their open tickets.

    All but the last is the same for everybody, and kept until the desk's hours or addresses change. Takes no query
    while it is kept, and one for a signed-in `reader` if there are closures.
    """
    now = timezone.now()
    shown, closures = kept(
        "contact", (f"{now:%Y-%m-%d %H:%M}",), lambda: _for_everybody(now), until_changed=HELP
    )
    counted = counted_for(reader, closures) if isinstance(reader, User) else ()
    return {**shown, "closures": closure_notices(closures, now=now, counted=counted)}


def _for_everybody(now: datetime) -> tuple[dict[str, Any], tuple[ClosureAhead, ...]]:
    state = openness(now)
    hours: dict[str, Any] = {"open": None, "until": ""}
    if state.phone:
        phone = opening(state.phone, now=now)
        hours = {"open": phone.is_open, "until": until_in_words(phone, state.phone.zone, now=now)}
    promise = promise_by_mail()
    rows = [
        {
            "icon_name": "telephone",
            "value": settings.DESK_SUPPORT_PHONE,
            "href": f"tel:{_digits(settings.DESK_SUPPORT_PHONE)}",
            "note": _("Teléfono"),
            **hours,
        },
        {
            "icon_name": "whatsapp",
            "value": settings.DESK_SUPPORT_WHATSAPP,
            "href": f"https://wa.me/{_digits(settings.DESK_SUPPORT_WHATSAPP).lstrip('+')}",
            "note": _("WhatsApp"),
            **hours,
        },
        {
            "icon_name": "envelope",
            "value": settings.DESK_SUPPORT_EMAIL,
            "href": f"mailto:{settings.DESK_SUPPORT_EMAIL}",
            "note": _("Correo"),
            "open": True if promise else None,
            "until": _("Activo 24/7, respondemos en %(time)s") % {"time": _in_hours(promise)}
            if promise
            else "",
        },
    ]
    shown = {
        "rows": [row for row in rows if row["value"]],
        "table": list(week_table(state.phone, now=now)) if state.phone else [],
        "zone": first_capital(in_zone(state.phone.zone, now).strip(" ()")) if state.phone else "",
    }
    return shown, state.closures


def _in_hours(target: Target) -> str:
    """Return the target in words, up to two days as hours on the clock: «24 horas», not «1 día»."""
    hours, rest = divmod(target.amount, timedelta(hours=1))
    if target.unit != TargetUnit.ELAPSED or rest or hours > 48:
        return target_in_words(target)
    return ngettext("%(hours)d hora", "%(hours)d horas", hours) % {"hours": hours}


def _digits(number: str) -> str:
    return "".join(char for char in number if char.isdigit() or char == "+")
