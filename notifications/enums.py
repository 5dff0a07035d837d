"""Choices for outgoing mail: its state and its audience."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class MailState(models.TextChoices):
    """State of an outgoing mail: `queued → sending → started → sent`. If a worker dies before `started`, the mail has
    not left. If it dies in `started`, the mail may have left."""

    QUEUED = "queued", _("En cola")
    SENDING = "sending", _("Tomado por un proceso")
    STARTED = "started", _("Saliendo")
    SENT = "sent", _("Enviado")
    FAILED = "failed", _("Falló")
    UNCERTAIN = "uncertain", _("Sin confirmar")
    SUPPRESSED = "suppressed", _("No se envió")


WAITING_STATES = (MailState.QUEUED, MailState.SENDING, MailState.STARTED)
TROUBLED_STATES = (MailState.FAILED, MailState.UNCERTAIN)


class Audience(models.TextChoices):
    """Kind of reader of a mail. It decides where the links lead and which facts the mail may contain."""

    REQUESTER = "requester", _("Solicitante")
    STAFF = "staff", _("Equipo")
    ACCOUNT = "account", _("Cuenta")
