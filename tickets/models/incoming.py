"""Mails that reached the desk, the addresses they were sent to, and the senders that are blocked."""

import re
import zlib
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from ..enums import MailDecision, MailReason, MailVerdict
from .conversation import Message
from .process import Category, Process
from .ticket import Ticket

if TYPE_CHECKING:
    from accounts.models import User

LONGEST_SOURCE = 400
MOST_HEADERS = 128 * 1024
HELD_FOR = timedelta(days=30)
"""How long a mail waits in quarantine for a decision before it is deleted."""


class DeskAddress(models.Model):
    """An address to which people write. A mail to it becomes a ticket of its process and category (S0.7)."""

    email = models.EmailField(_("dirección"), unique=True)
    process = models.ForeignKey(
        Process, on_delete=models.PROTECT, related_name="addresses", verbose_name=_("proceso")
    )
    category = models.ForeignKey(
        Category,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("categoría"),
    )
    is_active = models.BooleanField(_("activa"), default=True)

    class Meta:
        ordering: ClassVar = ["email"]
        verbose_name = _("dirección de la mesa")
        verbose_name_plural = _("direcciones de la mesa")

    def __str__(self) -> str:
        return self.email

    @property
    def needs_account(self) -> bool:
        """Whether mails from people without an account wait in quarantine instead of becoming tickets."""
        definition = self.process.definition
        return definition.login_for(self.category.key if self.category else "") == "required"


class BlockedSender(models.Model):
    """An address, or a domain with «@» before it, whose mails are refused."""

    sender = models.CharField(_("remitente"), max_length=254, unique=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    at = models.DateTimeField(_("desde"), default=timezone.now)

    class Meta:
        ordering: ClassVar = ["-at"]
        verbose_name = _("remitente bloqueado")
        verbose_name_plural = _("remitentes bloqueados")

    def __str__(self) -> str:
        return self.sender


class IncomingEmailQuerySet(models.QuerySet[Any]):
    def visible_to(self, user: "User") -> "IncomingEmailQuerySet":
        """Return the mails that `user` may see, with their originals and headers. Views must look mails up through it.

        Agents see the mails of the tickets that they see, and those in quarantine without a ticket; supervisors see
        all. Customers see none: a mail has addresses and headers of others.
        """
        if not user.is_authenticated or not user.is_active or not user.is_desk_staff:
            return self.none()
        if user.is_supervisor:
            return self
        seen = Ticket.objects.visible_to(user).order_by().values("pk")
        return self.filter(Q(ticket__in=seen) | Q(ticket=None, verdict=MailVerdict.QUARANTINE))

    def held(self) -> "IncomingEmailQuerySet":
        """Return the mails that wait in quarantine for a decision."""
        return self.filter(verdict=MailVerdict.QUARANTINE, decision="")


class IncomingEmail(models.Model):
    """A mail that the desk received, and what became of it: never nothing.

    `key` is unique by mailbox and Message-ID, so that a mail that is delivered twice is one (A18, A20, B41). The mail
    itself is in `MailOriginal`.
    """

    key = models.CharField(max_length=64, unique=True, editable=False)
    mailbox = models.CharField(_("buzón"), max_length=254)
    source_id = models.CharField("Message-ID", max_length=LONGEST_SOURCE, blank=True)
    sender = models.CharField(_("remitente"), max_length=254, blank=True)
    sender_name = models.CharField(max_length=200, blank=True)
    subject = models.CharField(_("asunto"), max_length=255, blank=True)
    received_at = models.DateTimeField(_("llegó"), default=timezone.now)
    verdict = models.CharField(_("resultado"), max_length=10, choices=MailVerdict)
    reason = models.CharField(_("motivo"), max_length=20, choices=MailReason, blank=True)
    origin = models.CharField(_("origen"), max_length=20, blank=True)
    """Whether a person or a program wrote it: a kind of `notifications.incoming.automatic`."""
    ticket = models.ForeignKey(
        Ticket,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="mails",
        verbose_name=_("ticket"),
    )
    """The ticket that it belongs to, or would belong to if somebody lets it in."""
    message = models.OneToOneField(
        Message,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="mail",
        verbose_name=_("mensaje"),
    )
    text = models.TextField(_("texto"), blank=True)
    """The new words, for a mail that became no message."""
    quoted = models.TextField(blank=True)
    """What was folded: the quoted mail and the signature."""
    details = models.JSONField(default=dict, blank=True)
    """What is shown beside the mail: `checks` (spf, dkim, dmarc), `server`, `refused` files with their reasons by
    language, `remote` pictures, `copies` (people in To and Cc), `wrapped` (signed, encrypted, winmail)."""
    decision = models.CharField(max_length=12, choices=MailDecision, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)

    objects = IncomingEmailQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-id"]
        verbose_name = _("correo recibido")
        verbose_name_plural = _("correos recibidos")
        indexes = [
            models.Index(fields=["source_id"], name="incoming_source_id"),
            models.Index(fields=["sender", "received_at"], name="incoming_sender"),
            models.Index(fields=["received_at"], name="incoming_received"),
            models.Index(
                fields=["-id"], condition=Q(verdict=MailVerdict.QUARANTINE, decision=""), name="incoming_held"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.sender}: {self.subject}"

    @property
    def is_held(self) -> bool:
        """Whether the mail waits for somebody's decision."""
        return self.verdict == MailVerdict.QUARANTINE and not self.decision

    @property
    def who(self) -> str:
        return self.sender_name or self.sender

    @property
    def deleted_at(self) -> datetime:
        """When the mail is deleted if nobody decides."""
        return self.received_at + HELD_FOR

    @property
    def domain(self) -> str:
        return self.sender.rpartition("@")[2]

    def detail(self, name: str) -> Any:
        return self.details.get(name)

    @property
    def raw(self) -> bytes:
        """The mail as it came; empty once its original has been deleted."""
        return b"".join(zlib.decompress(bytes(piece.packed)) for piece in self.originals.order_by("number"))

    @property
    def header_text(self) -> str:
        """The headers as text, at most `MOST_HEADERS` bytes of them. The rest of the mail is not unpacked."""
        first = self.originals.filter(number=0).first()
        start = zlib.decompressobj().decompress(bytes(first.packed), MOST_HEADERS) if first else b""
        head = re.split(rb"\r?\n\r?\n", start, maxsplit=1)[0]
        return head.decode("utf-8", "replace").replace("\r\n", "\n").replace("\x00", "")

    @cached_property
    def folded_lines(self) -> int:
        return sum(1 for line in self.quoted.splitlines() if line.strip())


class MailOriginal(models.Model):
    """A piece of the bytes of a received mail, compressed. They are in the database, because a mail and what became of
    it are kept in one transaction (decision 48); in pieces, because a database driver holds a value several times."""

    PIECE: ClassVar = 2_000_000

    mail = models.ForeignKey(
        IncomingEmail, on_delete=models.CASCADE, related_name="originals", db_index=False
    )
    number = models.PositiveSmallIntegerField()
    packed = models.BinaryField()

    class Meta:
        ordering: ClassVar = ["mail", "number"]
        constraints = [models.UniqueConstraint(fields=["mail", "number"], name="original_piece_once")]

    def __str__(self) -> str:
        return f"{self.mail_id} {self.number}"

    @classmethod
    def keep(cls, mail: IncomingEmail, raw: bytes) -> None:
        """Write the bytes of a mail."""
        for number, place in enumerate(range(0, max(len(raw), 1), cls.PIECE)):
            packed = zlib.compress(raw[place : place + cls.PIECE], 1)
            cls(mail=mail, number=number, packed=packed).save(force_insert=True)
