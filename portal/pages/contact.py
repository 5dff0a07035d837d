"""The contact panel: phone, WhatsApp and e-mail from the settings. It has no opening hours yet."""

from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _


def panel() -> list[dict[str, Any]]:
    """Return the rows of components/_hours.html, one for each channel that the settings name (S3.25, S3.26)."""
    rows = [
        {
            "icon_name": "telephone",
            "value": settings.DESK_SUPPORT_PHONE,
            "href": f"tel:{_digits(settings.DESK_SUPPORT_PHONE)}",
            "note": _("Teléfono"),
        },
        {
            "icon_name": "whatsapp",
            "value": settings.DESK_SUPPORT_WHATSAPP,
            "href": f"https://wa.me/{_digits(settings.DESK_SUPPORT_WHATSAPP).lstrip('+')}",
            "note": _("WhatsApp"),
        },
        {
            "icon_name": "envelope",
            "value": settings.DESK_SUPPORT_EMAIL,
            "href": f"mailto:{settings.DESK_SUPPORT_EMAIL}",
            "note": _("Correo"),
        },
    ]
    return [row for row in rows if row["value"]]


def _digits(number: str) -> str:
    return "".join(char for char in number if char.isdigit() or char == "+")
