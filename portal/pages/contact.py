"""The contact panel: phone, WhatsApp and e-mail from the settings, and the hours of the phone (S3.25, S3.26)."""

from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from tickets.schedules.openness import counted_for, opening, openness
from web.opening_hours import closure_notices, first_capital, in_zone, until_in_words, week_table


def panel(reader: object) -> dict[str, Any]:
    """Return what portal/_contact.html draws: `rows`, one for each channel that the settings name; `table`, the hours
    of the phone on the next seven days; `zone`, whose time they are, if not the reader's; and `closures`, what
    customers read about extraordinary closures, and the `reader`, if they are signed in, about their open tickets."""
    now = timezone.now()
    state = openness(now)
    hours: dict[str, Any] = {"open": None, "until": ""}
    if state.phone:
        phone = opening(state.phone, now=now)
        hours = {"open": phone.is_open, "until": until_in_words(phone, state.phone.zone, now=now)}
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
            "open": None,
            "until": "",
        },
    ]
    rows = [row for row in rows if row["value"]]
    return {
        "rows": rows,
        "table": list(week_table(state.phone, now=now)) if state.phone else [],
        "zone": first_capital(in_zone(state.phone.zone, now).strip(" ()")) if state.phone else "",
        "closures": closure_notices(
            state.closures,
            now=now,
            counted=counted_for(reader, state.closures) if isinstance(reader, User) else (),
        ),
    }


def _digits(number: str) -> str:
    return "".join(char for char in number if char.isdigit() or char == "+")
