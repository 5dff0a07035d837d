"""Make and parse the Reply-To address of our mails. It names the ticket, the person and the mail, and proves that we
made it (B12, B13).

`respuesta+10482.u55.m7k2.<mac>@…`: the ticket's primary key, who (`u` and the user's primary key, or `g` for the guest
who filed it), the mail's primary key in base 36, and a keyed hash over all and the person's email address. Addresses of
earlier releases name no mail. The local part is in lower case, because mail
servers may change the case, and shorter than 64 characters, because they may cut longer ones. The sender of an incoming
mail must still be checked, because a person can pass the address on.
"""

import base64
import re
from dataclasses import dataclass

from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.http import base36_to_int, int_to_base36

from accounts.models import User

from .models import Ticket

LOCAL_PART = "respuesta"
MAC_BYTES = 15  # 120 bits, 24 letters without padding
PATTERN = re.compile(
    rf"{LOCAL_PART}\+(\d{{1,18}})\.(?:u(\d{{1,18}})|(g))(?:\.m([0-9a-z]{{1,12}}))?\.([a-z2-7]{{24}})@(.+)",
    re.ASCII,
)
FORWARD_PART = "reenvio"
FORWARD_PATTERN = re.compile(rf"{FORWARD_PART}\+u(\d{{1,18}})\.([a-z2-7]{{24}})@(.+)", re.ASCII)
FORWARDING = 0
"""Stands for the ticket in the hash of a forwarding address: no ticket has this primary key."""


@dataclass(frozen=True)
class Sender:
    """The person to whom we gave the address, the ticket it is for, and the primary key of the mail that had it."""

    ticket: Ticket
    user: User | None
    email: str
    mail: int | None = None


def make(ticket: Ticket, *, user: User | None, email: str, mail: int | None = None) -> str:
    """Return the address for one person's replies about one ticket. While `DESK_REPLY_DOMAIN` is empty, return the
    support address."""
    if not settings.DESK_REPLY_DOMAIN:
        return settings.DESK_SUPPORT_EMAIL
    who = f"u{user.pk}" if user else "g"
    if mail is not None:
        who = f"{who}.m{int_to_base36(mail)}"
    mac = _mac(ticket.pk, who, email, settings.SECRET_KEY)
    return f"{LOCAL_PART}+{ticket.pk}.{who}.{mac}@{settings.DESK_REPLY_DOMAIN}"


def parse(address: str) -> Sender | None:
    """Return the `Sender` for whom `address` was made. None if we did not make it, if it was changed, or if the user is
    inactive or has another email address now."""
    match = PATTERN.fullmatch(address.strip().lower())
    if match is None or match[6] != settings.DESK_REPLY_DOMAIN.lower():
        return None
    ticket = Ticket.objects.filter(pk=int(match[1])).first()
    if ticket is None:
        return None
    user = User.objects.filter(pk=int(match[2]), is_active=True).first() if match[2] else None
    email = user.email if user else ticket.requester_email
    if match[2] and user is None:
        return None
    who = (f"u{match[2]}" if match[2] else "g") + (f".m{match[4]}" if match[4] else "")
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    valid = [constant_time_compare(_mac(ticket.pk, who, email, key), match[5]) for key in keys]
    mail = base36_to_int(match[4]) if match[4] else None
    return Sender(ticket, user, email, mail) if any(valid) else None


def make_forwarding(user: User) -> str:
    """Return the address to which a staff member forwards mails that customers sent to them: each becomes a ticket of
    that customer. Empty while `DESK_REPLY_DOMAIN` is."""
    if not settings.DESK_REPLY_DOMAIN:
        return ""
    mac = _mac(FORWARDING, f"u{user.pk}", user.email, settings.SECRET_KEY)
    return f"{FORWARD_PART}+u{user.pk}.{mac}@{settings.DESK_REPLY_DOMAIN}"


def parse_forwarding(address: str) -> User | None:
    """Return the person whose forwarding address this is; None if we did not make it or they are inactive."""
    match = FORWARD_PATTERN.fullmatch(address.strip().lower())
    if match is None or match[3] != settings.DESK_REPLY_DOMAIN.lower():
        return None
    user = User.objects.filter(pk=int(match[1]), is_active=True).first()
    if user is None:
        return None
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    macs = [_mac(FORWARDING, f"u{user.pk}", user.email, key) for key in keys]
    return user if any(constant_time_compare(mac, match[2]) for mac in macs) else None


def is_one(address: str) -> bool:
    """Whether `address` has the form of a reply or forwarding address, valid or not, whatever its domain. It is a
    key and no person: pages never show it. Makes no query."""
    text = address.strip().lower()
    return any(pattern.fullmatch(text) for pattern in (PATTERN, FORWARD_PATTERN))


def _mac(ticket_id: int, who: str, email: str, key: str) -> str:
    digest = salted_hmac(
        "notifications.outgoing.reply_address",  # stays: mails that were sent carry addresses made with it
        f"{ticket_id}.{who}.{email.lower()}",
        secret=key,
        algorithm="sha256",
    ).digest()
    return base64.b32encode(digest[:MAC_BYTES]).decode().lower()
