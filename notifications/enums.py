"""Choices for outgoing mail: its state and its audience."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class MailState(models.TextChoices):
    """State of an outgoing mail. It is `queued` until its outcome is certain, also while a worker sends it: how far the
    worker has come is noted in `MailBatch`. `sending` and `started` are written no more, see `FORMER_STATES`."""

    QUEUED = "queued", _("En cola")
    SENDING = "sending", _("Tomado por un proceso")
    STARTED = "started", _("Saliendo")
    SENT = "sent", _("Enviado")
    FAILED = "failed", _("Falló")
    UNCERTAIN = "uncertain", _("Sin confirmar")
    SUPPRESSED = "suppressed", _("No se envió")


WAITING_STATES = (MailState.QUEUED, MailState.SENDING, MailState.STARTED)
FORMER_STATES = (MailState.SENDING, MailState.STARTED)
"""States that workers of earlier releases gave to the mails that they had claimed."""
TROUBLED_STATES = (MailState.FAILED, MailState.UNCERTAIN)


class Audience(models.TextChoices):
    """Kind of reader of a mail. It decides where the links lead and which facts the mail may contain."""

    REQUESTER = "requester", _("Solicitante")
    STAFF = "staff", _("Equipo")
    ACCOUNT = "account", _("Cuenta")
