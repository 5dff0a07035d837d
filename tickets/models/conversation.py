"""The messages of a ticket, their mentions and files, and the drafts of unsent messages."""

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from content.text import render_markdown

from ..enums import PUBLIC_MESSAGE_KINDS, Channel, MessageKind
from .querysets import AttachmentQuerySet, MessageQuerySet
from .ticket import Ticket


class Message(models.Model):
    """One message of a ticket. An internal note is never shown outside the back office. `steps` is set only on a
    solution: what the requester still has to do, as it was sent."""

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="messages")
    kind = models.CharField(_("clase"), max_length=10, choices=MessageKind)
    channel = models.CharField(_("canal"), max_length=10, choices=Channel, default=Channel.WEB)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    author_name = models.CharField(_("autor"), max_length=120)
    from_requester = models.BooleanField(default=False)
    body = models.TextField(_("texto"))
    steps = models.TextField(_("pasos para el solicitante"), blank=True)
    created_at = models.DateTimeField(_("escrito"), default=timezone.now)

    objects = MessageQuerySet.as_manager()

    class Meta:
        ordering = ["ticket", "created_at", "id"]
        verbose_name = _("mensaje")
        verbose_name_plural = _("mensajes")
        indexes = [models.Index(fields=["ticket", "created_at"], name="message_ticket_created")]

    def __str__(self) -> str:
        return f"{self.ticket_id} {self.kind} {self.pk}"

    @property
    def is_public(self) -> bool:
        return self.kind in PUBLIC_MESSAGE_KINDS

    @cached_property
    def html(self) -> SafeString:
        """The body as safe HTML. `body` is Markdown that people wrote, so every page must show this instead."""
        return render_markdown(self.body)

    @cached_property
    def steps_html(self) -> SafeString:
        return render_markdown(self.steps) if self.steps else SafeString("")


class Mention(models.Model):
    """A staff member whom an internal note mentions."""

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="mentions")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="mentions")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["message", "user"], name="mention_once_per_message")]

    def __str__(self) -> str:
        return f"{self.message_id} @{self.user_id}"


def attachment_path(attachment: "Attachment", name: str) -> str:
    """Return the path of the file in storage. Made from the uuid alone: the name given by people never reaches it."""
    return f"attachments/{attachment.uuid.hex[:2]}/{attachment.uuid.hex}"


def thumbnail_path(attachment: "Attachment", name: str) -> str:
    return f"thumbnails/{attachment.uuid.hex[:2]}/{attachment.uuid.hex}.webp"


class Attachment(models.Model):
    """A file that passed inspection. Until it is sent it has a `draft_key` and no ticket, and its size counts towards
    the limit of `draft_owner`, a hash that stands for the person who uploaded it."""

    class Scan(models.TextChoices):
        CLEAN = "clean", _("Limpio")
        PENDING = "pending", _("En revisión")
        INFECTED = "infected", _("Retenido")

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    ticket = models.ForeignKey(
        Ticket, on_delete=models.CASCADE, null=True, blank=True, related_name="attachments"
    )
    message = models.ForeignKey(
        Message, on_delete=models.CASCADE, null=True, blank=True, related_name="attachments"
    )
    draft_key = models.CharField(max_length=64, blank=True)
    draft_owner = models.CharField(max_length=64, blank=True, editable=False)
    uploader = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    name = models.CharField(_("nombre"), max_length=120)
    kind = models.CharField(_("clase"), max_length=10)
    content_type = models.CharField(max_length=100)
    size = models.PositiveBigIntegerField(_("tamaño"))
    sha256 = models.CharField(max_length=64)
    file = models.FileField(upload_to=attachment_path, max_length=120)
    thumbnail = models.FileField(upload_to=thumbnail_path, max_length=120, blank=True)
    scan = models.CharField(max_length=10, choices=Scan, default=Scan.CLEAN)
    created_at = models.DateTimeField(default=timezone.now)

    objects = AttachmentQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        verbose_name = _("archivo")
        verbose_name_plural = _("archivos")
        # Each index holds only the few rows that background jobs look for, or unsent files.
        indexes = [
            models.Index(
                fields=["draft_key"], condition=~models.Q(draft_key=""), name="attachment_draft_key"
            ),
            models.Index(
                fields=["draft_owner"], condition=~models.Q(draft_owner=""), name="attachment_draft_owner"
            ),
            models.Index(
                fields=["-id"],
                condition=models.Q(kind="image", thumbnail="", scan="clean"),
                name="attachment_no_thumbnail",
            ),
            models.Index(fields=["-id"], condition=models.Q(scan="pending"), name="attachment_not_scanned"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_image(self) -> bool:
        return self.kind == "image"

    @property
    def is_held(self) -> bool:
        """Whether the file may not be downloaded: the scanner has given no verdict yet, or found malware."""
        return self.scan != self.Scan.CLEAN

    @property
    def is_infected(self) -> bool:
        """Whether the scanner found malware: the file is held for ever."""
        return self.scan == self.Scan.INFECTED


class Draft(models.Model):
    """Text that a staff member has typed and not sent: one draft per user, ticket and mode (the kind of message).
    Only drafts of a solution use `steps`."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="drafts")
    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="drafts")
    mode = models.CharField(max_length=10, choices=MessageKind)
    body = models.TextField(blank=True)
    steps = models.TextField(blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "ticket", "mode"], name="draft_once_per_mode")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.ticket_id} {self.mode}"
