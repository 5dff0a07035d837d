"""The closed lists of outgoing mail."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class MailState(models.TextChoices):
    """`queued → sending → started → sent`. A worker that dies before `started` has sent nothing; after it, nobody
    can know."""

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
    """Who reads a mail decides where its links lead and what it may tell."""

    REQUESTER = "requester", _("Solicitante")
    STAFF = "staff", _("Equipo")
    ACCOUNT = "account", _("Cuenta")
