"""Verbs for received mails: hold one for a decision, let it in, discard it, block its sender, confirm or deny it."""

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.dispatch import Signal
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounts.models import User
from content.batches import delete_in_batches

from .. import policies
from ..actors import SYSTEM, Actor, Guest, user_of
from ..enums import EventKind, MailDecision, MailReason, MailVerdict, Purpose, Template
from ..exceptions import GuardFailed, NotAllowed
from ..models import BlockedSender, DeskAddress, IncomingEmail, MailOriginal, Ticket
from ..models.incoming import HELD_FOR
from ..record.events import record
from ..record.locking import locked

mail_let_in = Signal()
"""Sent with `mail=`, `actor=` (who writes it now), `ticket=` (None for a new one) and `address=`, inside the
transaction: the app that reads mail must make its message or ticket. A receiver raises `DeskError` if it cannot."""

ORIGINALS_KEPT = timedelta(days=180)
UNDOABLE = frozenset({MailDecision.DISCARDED, MailDecision.BLOCKED})
ASKS = frozenset({MailReason.OTHER_ADDRESS})
"""Reasons for which the requester is asked whether they wrote the mail."""
NOT_THEIR_ADDRESS = frozenset({MailReason.STAFF_UNPROVEN, MailReason.FORGED})
"""Reasons for which the address in From may be somebody else's: blocking it would block the wrong person."""


def hold(ticket: Ticket, mail: IncomingEmail) -> None:
    """Record on the ticket that a mail waits for a decision. The requester is asked about one that may be theirs: once
    for each address, so that a stranger cannot fill their mailbox."""
    ticket = locked(ticket)
    earlier = ticket.mails.filter(sender=mail.sender, reason__in=ASKS).exclude(pk=mail.pk)
    asks = mail.reason in ASKS and not earlier.exists()
    record(
        ticket,
        EventKind.MAIL_HELD,
        actor=SYSTEM,
        public=False,
        data={"mail": mail.pk, "sender": mail.sender, "reason": mail.reason},
        notify=[("requester", Template.PROOF_ASKED)] if asks else [],
    )


@transaction.atomic
def let_in(
    mail: IncomingEmail, *, actor: User, to_ticket: bool, address: DeskAddress | None = None
) -> IncomingEmail:
    """Let a held mail in: as a message on its ticket, or as a ticket of its own at `address`. Returns the mail.

    The message shows the address from which it came, because nobody proved whose it is. Raises `NotAllowed`, and
    `GuardFailed` if somebody has decided before."""
    mail = _locked(mail)
    _require_may_decide(mail, actor)
    ticket = mail.ticket if to_ticket else None
    if to_ticket and ticket is None:
        raise GuardFailed(_("Este correo no pertenece a ningún ticket. Crea uno aparte."))
    if not to_ticket and address is None:
        raise GuardFailed(_("Elige con qué dirección de la mesa se crea el ticket."))
    writer = Guest(ticket.pk, mail.sender, _shown(mail), Purpose.FOLLOW) if ticket else None
    _decide(mail, MailDecision.LET_IN if ticket else MailDecision.NEW_TICKET, actor)
    mail_let_in.send(sender=IncomingEmail, mail=mail, actor=writer, ticket=ticket, address=address)
    return mail


@transaction.atomic
def confirm(mail: IncomingEmail, *, actor: Actor) -> IncomingEmail:
    """Let in a mail of which the requester says that they wrote it from another address. Returns the mail. Raises
    `NotAllowed` and `GuardFailed`."""
    mail = _locked(mail)
    ticket = _asked_of(mail, actor)
    _decide(mail, MailDecision.LET_IN, actor)
    mail_let_in.send(sender=IncomingEmail, mail=mail, actor=actor, ticket=ticket, address=None)
    return mail


@transaction.atomic
def deny(mail: IncomingEmail, *, actor: Actor) -> IncomingEmail:
    """Discard a mail of which the requester says that they did not write it. Returns the mail."""
    mail = _locked(mail)
    _asked_of(mail, actor)
    _decide(mail, MailDecision.DENIED, actor)
    return mail


@transaction.atomic
def discard(mail: IncomingEmail, *, actor: User, block: str = "") -> IncomingEmail:
    """Discard a held mail. `block` is the address, or «@» and the domain, whose mails are refused from now on. Returns
    the mail. Raises `NotAllowed`, because only supervisors block a whole domain, and `GuardFailed` for an address or a
    domain of people whom the desk knows."""
    mail = _locked(mail)
    _require_may_decide(mail, actor)
    if block:
        if block not in (mail.sender, f"@{mail.domain}") or not mail.sender:
            raise NotAllowed
        if block.startswith("@") and not actor.is_supervisor:
            raise NotAllowed(_("Bloquear un dominio entero es decisión de un supervisor."))
        if problem := _why_not_blocked(mail, block):
            raise GuardFailed(problem)
        BlockedSender.objects.get_or_create(sender=block, defaults={"by": actor})
        mail.details["blocked"] = block
        mail.save(update_fields=["details"])
    _decide(mail, MailDecision.BLOCKED if block else MailDecision.DISCARDED, actor)
    return mail


@transaction.atomic
def take_back(mail: IncomingEmail, *, actor: User) -> IncomingEmail:
    """Undo a discarding: the mail waits again, and its sender is blocked no more. Returns the mail."""
    mail = _row(mail)
    if not _may_decide(mail, actor):
        raise NotAllowed
    if mail.decision not in UNDOABLE:
        raise GuardFailed(_("Esa decisión ya no se puede deshacer."))
    if mail.decision == MailDecision.BLOCKED:
        blocked = (
            [mail.details.pop("blocked")] if "blocked" in mail.details else [mail.sender, f"@{mail.domain}"]
        )
        BlockedSender.objects.filter(sender__in=blocked, by=actor).delete()
    mail.decision, mail.decided_by, mail.decided_at = "", None, None
    mail.save(update_fields=["decision", "decided_by", "decided_at", "details"])
    return mail


@transaction.atomic
def unblock(blocked: BlockedSender, *, actor: User) -> None:
    """Accept the mails of a blocked sender again. Raises `NotAllowed` unless the actor is a supervisor."""
    if not actor.is_active or not actor.is_supervisor:
        raise NotAllowed
    blocked.delete()


def asked_about(ticket: Ticket) -> list[IncomingEmail]:
    """Return the newest held mails of the ticket of which its requester is asked whether they wrote them. At most 5."""
    return list(ticket.mails.held().filter(reason__in=ASKS).order_by("-id")[:5])


def forget_old() -> int:
    """Delete the mails in quarantine on which nobody decided in 30 days, the refused ones of that age, and the
    originals of all mails after 180 days. Returns how many rows. Call it outside a transaction."""
    now = timezone.now()
    old = IncomingEmail.objects.filter(received_at__lt=now - HELD_FOR)
    count = delete_in_batches(old.held())
    count += delete_in_batches(old.filter(verdict=MailVerdict.REFUSED))
    originals = MailOriginal.objects.filter(mail__received_at__lt=now - ORIGINALS_KEPT)
    return count + delete_in_batches(originals)


def _row(mail: IncomingEmail) -> IncomingEmail:
    rows = IncomingEmail.objects.select_for_update(of=("self",)).select_related(
        "ticket__process_version__process", "decided_by"
    )
    found: IncomingEmail | None = rows.filter(pk=mail.pk).first()
    if found is None:
        raise GuardFailed(_("Este correo ya se borró, porque nadie decidió a tiempo."))
    return found


def _locked(mail: IncomingEmail) -> IncomingEmail:
    """Return the mail, locked. Raises `GuardFailed` if somebody has decided about it."""
    found = _row(mail)
    if not found.is_held:
        raise GuardFailed(_told(found))
    return found


def _told(mail: IncomingEmail) -> str:
    """Return what was decided about the mail, by whom and when."""
    if mail.decided_at is None:
        return _("Este correo no espera ninguna decisión.")
    words = {
        "decision": mail.get_decision_display(),
        "who": mail.decided_by or _("quien pidió el ticket"),
        "when": date_format(timezone.localtime(mail.decided_at), "SHORT_DATETIME_FORMAT"),
    }
    return _("Ya se decidió sobre este correo: %(decision)s, por %(who)s, %(when)s.") % words


def _may_decide(mail: IncomingEmail, actor: User) -> bool:
    """Whether the actor may decide: staff, and for a mail of a ticket those who work on it."""
    if not actor.is_desk_staff or not actor.is_active:
        return False
    return mail.ticket is None or policies.is_staff_on(actor, mail.ticket)


def _require_may_decide(mail: IncomingEmail, actor: User) -> None:
    if not _may_decide(mail, actor):
        raise NotAllowed


def _why_not_blocked(mail: IncomingEmail, block: str) -> str:
    """Return why blocking this address or domain would shut out people whom the desk knows, or ""."""
    if mail.reason in NOT_THEIR_ADDRESS:
        return _(
            "Quien lo envió usó la dirección de otra persona: bloquearla no lo detiene. Solo descártalo."
        )
    if not block.startswith("@"):
        theirs = User.objects.filter(email__iexact=block, is_active=True)
        if any(user.is_desk_staff for user in theirs) or DeskAddress.objects.filter(email=block).exists():
            return _("Esa dirección es del equipo: no se bloquea.")
    elif DeskAddress.objects.filter(email__endswith=block).exists():
        return _("Ese dominio es el de la mesa: no se bloquea.")
    elif User.objects.filter(email__iendswith=block, is_active=True).exists():
        return _("Hay personas con cuenta en ese dominio: bloquea solo la dirección.")
    return ""


def _asked_of(mail: IncomingEmail, actor: Actor) -> Ticket:
    """Return the ticket of a mail of which the actor, its requester, was asked. Raises `NotAllowed`."""
    if mail.ticket is None or mail.reason not in ASKS or not policies.can_reply(actor, mail.ticket):
        raise NotAllowed
    return mail.ticket


def _decide(mail: IncomingEmail, decision: MailDecision, actor: Actor) -> None:
    mail.decision, mail.decided_by, mail.decided_at = decision, user_of(actor), timezone.now()
    mail.save(update_fields=["decision", "decided_by", "decided_at"])
    if mail.ticket is not None:
        data: dict[str, Any] = {"mail": mail.pk, "sender": mail.sender, "decision": decision}
        record(locked(mail.ticket), EventKind.MAIL_DECIDED, actor=actor, public=False, data=data)


def _shown(mail: IncomingEmail) -> str:
    """Return the name under which a message of an unproven sender stands."""
    return f"{mail.sender_name} ({mail.sender})" if mail.sender_name else mail.sender
