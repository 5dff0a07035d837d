"""Validators for phone numbers, addresses and time zones, shared by models, forms and process files."""

import unicodedata

from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator, RegexValidator
from django.utils.translation import gettext_lazy as _

from .zones import is_known

phone_validator = RegexValidator(
    r"^\+?[0-9][0-9 ()./-]{5,28}[0-9]$",
    _("Escribe un teléfono con su código de área, como +58 212 771 9011."),
)

MAX_ADDRESS = 254
"""The length of the longest address that mail servers accept (RFC 5321)."""


def validate_address(value: str) -> None:
    """Refuse an e-mail address whose domain is local or is not written the way mail servers use it.

    Domains without a dot and IP addresses are local. Unprintable characters before the @ are refused too.

    Mail servers drop invisible characters from a domain and replace wide ones. If we accepted such spellings, one
    mailbox would have countless addresses, each with its own limit on mail (B14, B34), and a stranger could register
    an address that looks like somebody else's. For the same reason letters before the @ must be ASCII, because four
    others («ı», «ſ» and the Kelvin sign among them) become ASCII in another case, and each part of a domain must be
    written in one script: a Cyrillic «а» among Latin letters is there to deceive. Raises `ValidationError`.
    """
    if len(value) > MAX_ADDRESS:  # before the work below, which grows faster than the address
        raise ValidationError(EmailValidator.message, code="invalid")
    local, _at, domain = value.rpartition("@")
    try:
        shown = domain.encode("idna").decode("idna")
    except UnicodeError:
        shown = ""
    is_canonical = domain.isascii() or shown == domain.lower()
    is_local = "." not in domain or domain.startswith("[")
    is_plain = local.isascii() and local.isprintable()
    if is_local or not (shown and is_canonical and is_plain) or any(map(_mixes_scripts, shown.split("."))):
        raise ValidationError(EmailValidator.message, code="invalid")


def _mixes_scripts(label: str) -> bool:
    """Whether the letters of `label` come from more than one script. Japanese always mixes its three."""
    scripts = {unicodedata.name(char, "").partition(" ")[0] for char in label if char.isalpha()}
    return len(scripts) > 1 and not scripts <= {"CJK", "HIRAGANA", "KATAKANA", "LATIN"}


def validate_time_zone(value: str) -> None:
    """Refuse a name that the time zone database does not have. Raises `ValidationError`."""
    if not is_known(value):
        raise ValidationError(_("No conocemos esa zona horaria."))
