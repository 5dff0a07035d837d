"""The outbox table, and the table of the mails that workers have claimed."""

import uuid
from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Exists, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from tickets.models import Delivery, Export, Ticket, TicketEvent

from .enums import FORMER_STATES, TROUBLED_STATES, WAITING_STATES, Audience, MailState


class MailHold(models.Model):
    """While a row exists, no mail leaves. `manage.py restore` writes it, and a person deletes it
    (`outgoing.holding`): a restored copy must not send what the original desk has sent, or is still sending."""

    since = models.DateTimeField(_("desde"), default=timezone.now)
    backup_at = models.DateTimeField(_("copia hecha"))

    class Meta:
        verbose_name = _("retención de correo")
        verbose_name_plural = _("retenciones de correo")

    def __str__(self) -> str:
        return f"{self.since:%F %T}"


class OutgoingEmailQuerySet(models.QuerySet["OutgoingEmail"]):
    def due(self) -> "OutgoingEmailQuerySet":
        """Return the queued mails that no worker has claimed and whose next attempt is due, in sending order. There are
        none while a `MailHold` exists. Urgent mails (sign-in codes that somebody is waiting for) go first."""
        held = Exists(MailHold.objects.all())
        return self.filter(
            ~held, state=MailState.QUEUED, claim__isnull=True, next_attempt_at__lte=timezone.now()
        ).order_by("-is_urgent", "next_attempt_at", "id")

    def waiting(self) -> "OutgoingEmailQuerySet":
        """Return the mails that are not settled yet."""
        return self.filter(state__in=WAITING_STATES)

    def queued(self) -> "OutgoingEmailQuerySet":
        """Return the mails that wait, in sending order: the index `mail_due` holds them. To count what waits use this,
        not `waiting`, which also finds those that a worker of an earlier release claimed, and reads the whole table."""
        return self.filter(state=MailState.QUEUED).order_by("-is_urgent", "next_attempt_at", "id")

    def claimed_by_former_release(self) -> "OutgoingEmailQuerySet":
        """Return the mails that a worker of an earlier release claimed, and whose lease has expired. That release
        kept the claim in the outbox; it may still have run when this one migrated."""
        return self.filter(state__in=FORMER_STATES, lease_until__lt=timezone.now()).order_by("lease_until")

    def settled(self) -> "OutgoingEmailQuerySet":
        """Return the mails that no worker will touch again: sent, failed, uncertain or suppressed."""
        return self.exclude(state__in=WAITING_STATES)

    def oldest_waiting(self) -> datetime | None:
        """Return the earliest `next_attempt_at` that has passed among the mails not settled yet, or None. So a
        postponed mail counts as waiting only from its next attempt on.

        Asked for urgent and other mails apart: each is the first row of a range of the index `mail_due`."""
        waiting = self.filter(state=MailState.QUEUED, next_attempt_at__lte=timezone.now())
        kinds = [waiting.filter(is_urgent=urgent).order_by("next_attempt_at") for urgent in (True, False)]
        oldest = [kind.values_list("next_attempt_at", flat=True).first() for kind in kinds]
        return min(filter(None, oldest), default=None)


class OutgoingEmail(models.Model):
    """One mail to one person. This table is the queue; Celery messages only wake a worker, which then reads the table.

    The text of a mail about an event is composed when the mail is sent
    (docs/decisions/0009-mail-is-written-when-it-leaves.md), so the text and the tokens of its links are never stored.
    A mail about an account (sign-in codes) is stored with its text and its whole subject, which are deleted once the
    mail is settled: `SECRETS`. `subject` never contains a code.

    A row is updated twice: the claim changes no indexed column, so PostgreSQL need not touch the indexes, and settling
    it changes `state`. What happens in between is noted in `MailBatch`.
    """

    SECRETS: ClassVar[dict[str, str]] = {"secret_subject": "", "text": "", "html": ""}
    """Changes to an account mail that will not be sent any more: what contains a code is deleted."""

    event = models.ForeignKey(
        TicketEvent,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("suceso"),
        db_index=False,  # `mail_once_per_event_recipient_template` begins with it
    )
    ticket = models.ForeignKey(
        Ticket, on_delete=models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("ticket")
    )
    delivery = models.OneToOneField(
        Delivery, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", editable=False
    )
    template = models.CharField(_("correo"), max_length=80)
    audience = models.CharField(_("para"), max_length=10, choices=Audience)
    recipient = models.EmailField(_("destinatario"))
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    language = models.CharField(_("idioma"), max_length=5, choices=settings.LANGUAGES, default="es")
    subject = models.CharField(_("asunto"), max_length=255, blank=True)
    secret_subject = models.CharField(max_length=255, blank=True, default="", db_default="", editable=False)
    text = models.TextField(blank=True, editable=False)
    html = models.TextField(blank=True, editable=False)
    export = models.ForeignKey(
        Export,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        editable=False,
        db_index=False,
    )
    """The file that is attached, as long as it exists."""
    message_id = models.CharField("Message-ID", max_length=255, editable=False)
    fingerprint = models.BinaryField(null=True, editable=False)
    """What the text of a sent mail consists of (`incoming.fingerprints`): with it, quoted lines of an answer are found.
    None where no answers are received."""

    state = models.CharField(_("estado"), max_length=10, choices=MailState, default=MailState.QUEUED)
    is_urgent = models.BooleanField(_("urgente"), default=False)
    attempts = models.PositiveSmallIntegerField(_("intentos"), default=0)
    is_second_copy = models.BooleanField(
        _("puede ser la segunda copia"),
        default=False,
        help_text=_("Un envío anterior se cortó y quizá llegó; sale una vez más con el mismo Message-ID."),
    )
    claim = models.UUIDField(null=True, blank=True, editable=False)
    lease_until = models.DateTimeField(null=True, blank=True, editable=False)
    next_attempt_at = models.DateTimeField(_("próximo intento"), default=timezone.now)
    expires_at = models.DateTimeField(_("deja de servir"), null=True, blank=True)
    last_error = models.CharField(_("último error"), max_length=300, blank=True)
    provider_id = models.CharField(_("id del proveedor"), max_length=200, blank=True)
    created_at = models.DateTimeField(_("escrito"), default=timezone.now)
    sent_at = models.DateTimeField(_("enviado"), null=True, blank=True)

    objects = OutgoingEmailQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-id"]
        verbose_name = _("correo saliente")
        verbose_name_plural = _("correos salientes")
        constraints = [
            models.UniqueConstraint(
                fields=["event", "recipient", "template"], name="mail_once_per_event_recipient_template"
            )
        ]
        # Nearly all rows are sent. The partial indexes hold only waiting and troubled mails; `mail_created` serves the
        # deletion of old rows. Every index makes each mail dearer.
        indexes = [
            models.Index(fields=["created_at"], name="mail_created"),
            models.Index(
                fields=["-is_urgent", "next_attempt_at", "id"],
                condition=Q(state=MailState.QUEUED),
                name="mail_due",
            ),
            models.Index(fields=["lease_until"], condition=Q(state__in=FORMER_STATES), name="mail_leased"),
            models.Index(fields=["-id"], condition=Q(state__in=TROUBLED_STATES), name="mail_troubled"),
        ]

    def __str__(self) -> str:
        return f"{self.template} → {self.recipient}"

    @property
    def is_about_account(self) -> bool:
        return self.audience == Audience.ACCOUNT

    def without_secrets(self) -> dict[str, str]:
        """Return the changes that delete the code of an account mail. Web processes of an earlier release, which may
        run a little longer than the migration, write it into `subject`."""
        return self.SECRETS if self.secret_subject else {**self.SECRETS, "subject": ""}


class MailBatch(models.Model):
    """The mails that one worker has claimed, and how far it has come with them.

    The server has answered for `mails[:answered]`: it took them, unless the outbox says otherwise. The mails from there
    up to `started`, never more than one, may have left. Those behind it have not left. This is noted before each mail,
    in a row of its own because the outbox's rows are wide and in many indexes.
    """

    token = models.UUIDField(default=uuid.uuid4, editable=False)
    mails = models.JSONField()
    """Primary keys in sending order. All have `claim = token` until they are settled or released."""
    answered = models.PositiveSmallIntegerField(default=0)
    started = models.PositiveSmallIntegerField(default=0)
    lease_until = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.answered}/{len(self.mails)}"


class MailboxMark(models.Model):
    """How far a mailbox has been read: up to the mail with the number `last_uid`, in the numbering `uidvalidity`.

    One process reads a mailbox at a time, as long as its `lease_until`. `trying_uid` and `tries` count how often
    reading one mail began: a mail that makes processes die must not hold up the others for ever.
    """

    name = models.CharField(_("buzón"), max_length=300, unique=True)
    uidvalidity = models.BigIntegerField(default=0)
    last_uid = models.BigIntegerField(default=0)
    trying_uid = models.BigIntegerField(default=0)
    tries = models.PositiveSmallIntegerField(default=0)
    lease = models.UUIDField(null=True, editable=False)
    lease_until = models.DateTimeField(null=True)
    read_at = models.DateTimeField(_("leído"), null=True)
    received = models.PositiveBigIntegerField(_("correos"), default=0)
    last_error = models.CharField(_("último error"), max_length=300, blank=True)
    failing_since = models.DateTimeField(_("falla desde"), null=True)

    class Meta:
        ordering: ClassVar = ["name"]
        verbose_name = _("buzón")
        verbose_name_plural = _("buzones")

    def __str__(self) -> str:
        return self.name
