"""Decide what becomes of a mail: whose word counts, for which ticket, and why not (B12–B14).

`judge` reads the database and changes nothing, so `manage.py ingest --dry-run` calls it too. Whoever writes proves who
they are by the address to which they write, which names them and has our hash, or by the address from which they write,
if that is the requester's. A mail says anything in From: staff need the hash, and nobody gets a ticket to read by
writing to it.
"""

import re
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from tickets import folios, policies, reply_address
from tickets.actors import Actor, Guest
from tickets.addresses import active_addresses, main_address
from tickets.enums import MailReason, MailVerdict, Purpose
from tickets.models import BlockedSender, DeskAddress, IncomingEmail, Ticket

from ..models import OutgoingEmail
from ..outgoing.outbox import mail_domain
from . import automatic, mime
from .authentication import Checks, checks_of
from .automatic import Origin
from .mime import ReadMail
from .reports import Report, report_of

AN_HOUR = timedelta(hours=1)
MOST_MAILS_OF_A_SENDER, MOST_MAILS_ON_A_TICKET = 30, 40
"""In one hour, from one sender. More wait in quarantine."""
TIMES_REFUSED = 10
"""So many times as many are refused."""
_OUR_ID = re.compile(r"(\d{1,18})\.(\d{1,18})\.([a-z_]{1,80})\.[0-9a-f]{12}@(.+)", re.ASCII)
_THREAD_ID = re.compile(r"([a-z]{1,10}-?\d{1,18})@(.+)", re.ASCII | re.IGNORECASE)


@dataclass
class Verdict:
    """What becomes of a mail. `actor` writes it on `ticket`, or files it at `address`; `None` is a guest without a
    ticket. `answers` is our mail that it answers, or the one that a delivery report is about."""

    kind: MailVerdict
    reason: str = ""
    ticket: Ticket | None = None
    actor: Actor | None = None
    address: DeskAddress | None = None
    answers: OutgoingEmail | None = None
    report: Report | None = None
    has_token: bool = False
    on_behalf: bool = False
    """Whether staff forwarded the mail, to be filed for whoever wrote it."""
    wakes: bool = True
    checks: Checks = field(default_factory=Checks)

    @property
    def answers_us(self) -> bool:
        """Whether the mail is an answer to one of ours, so that nothing but quoted text is an empty answer."""
        return self.has_token or self.answers is not None


def judge(mail: ReadMail, *, mailbox: str = "") -> tuple[Verdict, Origin]:
    """Return what becomes of the mail, and who or what sent it."""
    addresses = {row.email: row for row in active_addresses()}
    own = frozenset({settings.DESK_SUPPORT_EMAIL.lower(), *addresses})
    origin = automatic.origin_of(mail, own_addresses=own, own_domain=mail_domain())
    verdict = _Judge(mail, origin, mailbox.lower(), addresses).judge()
    return verdict, origin


@dataclass
class _Judge:
    mail: ReadMail
    origin: Origin
    mailbox: str
    addresses: dict[str, DeskAddress]

    def judge(self) -> Verdict:
        verdict = self._unreadable() or self._of_program() or self._of_person()
        verdict.checks = self.checks
        return verdict

    @cached_property
    def checks(self) -> Checks:
        return checks_of(self.mail, trusted=settings.DESK_MAIL_AUTH_SERVER)

    # --- Programs

    def _unreadable(self) -> Verdict | None:
        problems = self.mail.problems
        if mime.NO_MAIL in problems:
            return Verdict(MailVerdict.REFUSED, MailReason.NO_MAIL)
        if self.origin.kind == automatic.OWN:
            return Verdict(MailVerdict.REFUSED, MailReason.OWN, wakes=False)
        if is_blocked(self.mail.sender.email):
            return Verdict(MailVerdict.REFUSED, MailReason.BLOCKED)
        if mime.TOO_LARGE in problems:
            return Verdict(MailVerdict.QUARANTINE, MailReason.TOO_LARGE)
        if problems and not (self.mail.text or self.mail.html or self.mail.files):
            return Verdict(MailVerdict.QUARANTINE, MailReason.UNREADABLE)
        return None

    def _of_program(self) -> Verdict | None:
        kind = self.origin.kind
        if kind == automatic.BOUNCE:
            report = report_of(self.mail)
            about = next(filter(None, map(outgoing_of, report.message_ids)), None)
            if about is None:
                return Verdict(MailVerdict.REFUSED, MailReason.UNKNOWN_BOUNCE, report=report, wakes=False)
            return Verdict(
                MailVerdict.DELIVERY, ticket=about.ticket, answers=about, report=report, wakes=False
            )
        if self.origin.is_person or self._is_our_list():
            return None
        token, ticket = self._ticket()
        if ticket is not None:
            reason = MailReason.AUTO_REPLY if kind == automatic.AUTO_REPLY else MailReason.AUTOMATIC
            return Verdict(MailVerdict.MESSAGE, reason, ticket, has_token=token is not None, wakes=False)
        if kind == automatic.AUTO_REPLY:
            return Verdict(MailVerdict.REFUSED, MailReason.AUTO_REPLY, wakes=False)
        reason = MailReason.BULK if kind in (automatic.BULK, automatic.LIST) else MailReason.AUTOMATIC
        if self._sent_lately(ticket) >= MOST_MAILS_OF_A_SENDER:
            return Verdict(MailVerdict.REFUSED, MailReason.FLOOD, wakes=False)
        return Verdict(MailVerdict.QUARANTINE, reason, address=self._address(), wakes=False)

    def _is_our_list(self) -> bool:
        """Whether the list that sent the mail is one of our addresses, kept as a group by the provider."""
        listed = self.mail.header("list-id").lower()
        return self.origin.kind == automatic.LIST and any(
            email.replace("@", ".") in listed or email in self.mail.header("mailing-list").lower()
            for email in self.addresses
        )

    # --- People

    def _of_person(self) -> Verdict:
        if not self.mail.sender.email:
            return Verdict(MailVerdict.QUARANTINE, MailReason.NO_SENDER, address=self._address())
        token, ticket = self._ticket()
        sent, most = self._sent_lately(ticket), MOST_MAILS_ON_A_TICKET if ticket else MOST_MAILS_OF_A_SENDER
        if sent >= TIMES_REFUSED * most:
            return Verdict(MailVerdict.REFUSED, MailReason.FLOOD, ticket, wakes=False)
        if sent >= most:
            return Verdict(
                MailVerdict.QUARANTINE, MailReason.FLOOD, ticket, address=self._address(), wakes=False
            )
        verdict = self._on_ticket(ticket, token) if ticket is not None else self._new()
        verdict.has_token = token is not None
        verdict.answers = verdict.answers or self._answered(token)
        return verdict

    def _on_ticket(self, ticket: Ticket, token: reply_address.Sender | None) -> Verdict:
        email = self.mail.sender.email
        if self.checks.is_forged:  # also with a token, which somebody in copy may have
            return Verdict(MailVerdict.QUARANTINE, MailReason.FORGED, ticket)
        if token is not None:
            if email != token.email.lower():
                return self._other_address(ticket)
            if token.user is not None and not policies.is_requester(token.user, ticket):
                if not policies.can_answer(token.user, ticket):
                    return Verdict(MailVerdict.QUARANTINE, MailReason.NOT_ALLOWED, ticket)
                return Verdict(MailVerdict.MESSAGE, ticket=ticket, actor=token.user)
            return Verdict(MailVerdict.MESSAGE, ticket=ticket, actor=requester_of(ticket))
        if email == email_of_requester(ticket):
            return Verdict(MailVerdict.MESSAGE, ticket=ticket, actor=requester_of(ticket))
        if self._claims_to_be_staff:
            return Verdict(MailVerdict.QUARANTINE, MailReason.STAFF_UNPROVEN, ticket)
        return self._other_address(ticket)

    def _other_address(self, ticket: Ticket) -> Verdict:
        """Somebody else writes: one who was in copy of an earlier mail, or perhaps the requester from another
        address."""
        email = self.mail.sender.email
        if self._claims_to_be_staff:
            return Verdict(MailVerdict.QUARANTINE, MailReason.STAFF_UNPROVEN, ticket)
        copied = any(email in (row.details.get("copies") or ()) for row in ticket.mails.all()[:20])
        reason = MailReason.STRANGER if copied else MailReason.OTHER_ADDRESS
        return Verdict(MailVerdict.QUARANTINE, reason, ticket)

    def _new(self) -> Verdict:
        address = self._address()
        forwarder = None if self.checks.is_forged else self._forwarder()
        if forwarder is not None and address is not None:
            return Verdict(
                MailVerdict.TICKET, actor=forwarder, address=address, on_behalf=True, has_token=True
            )
        if self._claims_to_be_staff:
            return Verdict(MailVerdict.QUARANTINE, MailReason.STAFF_UNPROVEN, address=address)
        if self.checks.is_forged:
            return Verdict(MailVerdict.QUARANTINE, MailReason.FORGED, address=address)
        if address is None:
            return Verdict(MailVerdict.QUARANTINE, MailReason.NO_ADDRESS)
        user = self._user
        if user is None and address.needs_account:
            return Verdict(MailVerdict.QUARANTINE, MailReason.NEEDS_ACCOUNT, address=address)
        return Verdict(MailVerdict.TICKET, actor=user, address=address)

    def _forwarder(self) -> User | None:
        """Return the staff member whose own forwarding address this mail went to, if it comes from them."""
        for recipient in self.mail.recipients:
            user = reply_address.parse_forwarding(recipient)
            if user is not None and user.email.lower() == self.mail.sender.email and user.is_desk_staff:
                return user
        return None

    @cached_property
    def _user(self) -> User | None:
        """The account with the address from which the mail claims to come."""
        return User.objects.filter(email=self.mail.sender.email, is_active=True).first()

    @property
    def _claims_to_be_staff(self) -> bool:
        return self._user is not None and self._user.is_desk_staff

    # --- Which ticket, which address

    def _ticket(self) -> tuple[reply_address.Sender | None, Ticket | None]:
        """Return the token and the ticket: by the address, else by what the mail answers, else by its subject."""
        for recipient in self.mail.recipients:
            if token := reply_address.parse(recipient):
                return token, token.ticket
        if ticket := ticket_of(self.mail.references):
            return None, ticket
        named = folios.named_in(self.mail.subject)
        if len(named) == 1:
            found = Ticket.objects.filter(folio=named[0]).first()
            # A folio is no secret: it counts only for who may write there anyway.
            if found is not None and self.mail.sender.email == email_of_requester(found):
                return None, found
        return None, None

    def _answered(self, token: reply_address.Sender | None) -> OutgoingEmail | None:
        """Return the mail of ours that this one answers, if the outbox still has it."""
        if token is not None and token.mail is not None:
            return OutgoingEmail.objects.filter(pk=token.mail, ticket=token.ticket).first()
        return next(filter(None, map(outgoing_of, self.mail.references[:5])), None)

    def _address(self) -> DeskAddress | None:
        """Return the desk's address to which the mail went: the first that servers noted, else the mailbox's own, else
        the main one, for a mail may reach a mailbox by other names."""
        for email in [*self.mail.recipients, self.mailbox]:
            if found := self.addresses.get(email) or self.addresses.get(re.sub(r"\+[^@]*@", "@", email)):
                return found
        return main_address(self.addresses.values())

    def _sent_lately(self, ticket: Ticket | None) -> int:
        """Return how many mails this sender has sent in the last hour, on this ticket or at all. Stops counting where
        more change nothing."""
        recent = IncomingEmail.objects.filter(
            sender=self.mail.sender.email, received_at__gt=timezone.now() - AN_HOUR
        )
        if ticket is not None:
            recent = recent.filter(ticket=ticket)
        return recent.order_by().values("pk")[: TIMES_REFUSED * MOST_MAILS_ON_A_TICKET].count()


def is_blocked(email: str) -> bool:
    """Whether mails from this address are refused."""
    domain = f"@{email.rpartition('@')[2]}"
    return bool(email) and BlockedSender.objects.filter(sender__in=[email, domain]).exists()


def email_of_requester(ticket: Ticket) -> str:
    return (ticket.requester.email if ticket.requester else ticket.requester_email).lower()


def requester_of(ticket: Ticket) -> Actor:
    """Return the requester as the actor of what they write by mail."""
    if ticket.requester is not None:
        return ticket.requester
    return Guest(ticket.pk, ticket.requester_email, ticket.requester_name, Purpose.FOLLOW)


def outgoing_of(message_id: str) -> OutgoingEmail | None:
    """Return the mail of ours with this Message-ID. None if the outbox has it no more, or never had it."""
    found = _OUR_ID.fullmatch(message_id)
    if found is None or found[4].lower() != mail_domain().lower():
        return None
    rows = OutgoingEmail.objects.filter(event=int(found[2]), message_id=f"<{message_id}>")
    return rows.select_related("ticket").first()


def ticket_of(ids: list[str]) -> Ticket | None:
    """Return the ticket of which one of these mails is part: ours, or one that we received (A19). The first id that
    names one counts."""
    domain = mail_domain().lower()
    ours: dict[str, Q] = {}
    for one in ids:
        if (found := _OUR_ID.fullmatch(one)) and found[4].lower() == domain:
            ours[one] = Q(pk=int(found[1]))
        elif (found := _THREAD_ID.fullmatch(one)) and found[2].lower() == domain:
            ours[one] = Q(folio__in=folios.named_in(found[1])[:1])
    received = dict(
        IncomingEmail.objects.filter(source_id__in=ids, ticket__isnull=False)
        .exclude(verdict__in=(MailVerdict.QUARANTINE, MailVerdict.REFUSED))
        .values_list("source_id", "ticket")
    )
    for one in ids:
        wanted = ours.get(one) or (Q(pk=received[one]) if one in received else None)
        if wanted is not None and (
            ticket := Ticket.objects.select_related("requester").filter(wanted).first()
        ):
            return ticket
    return None
