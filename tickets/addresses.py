"""The addresses to which people write: what a mail is about, and what it is promised (S0.7, S3.26)."""

from collections.abc import Collection

from django.conf import settings

from .definitions.targets import Target
from .enums import CaseKind, ClockKind, Severity
from .models import DeskAddress, Process
from .promises import targets_of


def receives_mail() -> bool:
    """Whether this desk reads its mail: it takes answers, or has a mailbox."""
    return bool(settings.DESK_REPLY_DOMAIN or settings.DESK_MAILBOXES)


def active_addresses() -> list[DeskAddress]:
    """Return the addresses that take mail, the oldest first. One query: most mails answer a ticket and need neither
    process nor category."""
    return list(DeskAddress.objects.filter(is_active=True).order_by("pk"))


def main_address(known: Collection[DeskAddress] | None = None) -> DeskAddress | None:
    """Return the address for mails that went to no other: that of the support address, else the first. A desk that has
    set up none takes its first process that guests may use, without a category. None if it has no such process.
    `known` are the `active_addresses`, if they are read already."""
    found = active_addresses() if known is None else list(known)
    support = settings.DESK_SUPPORT_EMAIL.lower()
    if found:
        return next((row for row in found if row.email.lower() == support), found[0])
    processes = Process.objects.filter(is_active=True, current__isnull=False)
    for process in processes.order_by("pk")[:50]:
        if process.definition.login_for("") != "required":
            return DeskAddress(email=support, process=process)
    return None


def promise_by_mail() -> Target | None:
    """Return within what time a mail to the support address is answered first (S3.26). None if nothing is promised, or
    if nobody reads that address: then the desk must promise nothing."""
    address = main_address() if receives_mail() else None
    if address is None:
        return None
    category = address.category
    return targets_of(address.process).find(
        ClockKind.FIRST_RESPONSE,
        severity=category.severity if category else Severity.MEDIUM,
        case_kind=category.case_kind if category else CaseKind.PROBLEM,
    )
