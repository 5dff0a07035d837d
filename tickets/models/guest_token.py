"""Guests' links: the tokens that let a requester without an account open their ticket."""

from datetime import datetime

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ..enums import Purpose
from .ticket import Ticket


class GuestToken(models.Model):
    """A guest's link to one ticket for one purpose, mailed to one address. Only the hash of its secret is stored."""

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="guest_tokens")
    purpose = models.CharField(_("sirve para"), max_length=12, choices=Purpose)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    email = models.EmailField(_("enviado a"))
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(_("vence"))
    revoked_at = models.DateTimeField(_("revocado"), null=True, blank=True)
    last_used_at = models.DateTimeField(_("último uso"), null=True, blank=True)

    class Meta:
        verbose_name = _("enlace de invitado")
        verbose_name_plural = _("enlaces de invitado")
        indexes = [models.Index(fields=["expires_at"], name="guest_token_expires")]

    def __str__(self) -> str:
        return f"{self.ticket_id} {self.purpose}"

    def is_valid(self, now: datetime) -> bool:
        """Whether the link is neither revoked nor expired."""
        return self.revoked_at is None and now < self.expires_at


class LinkRequest(models.Model):
    """Somebody asks for a new link to `folio`, as typed, and says that `email` is its requester. A worker looks whether
    it is, mails the link and deletes the row: a page that looked would tell by the time it takes."""

    folio = models.CharField(max_length=300)
    email = models.EmailField()
    asked_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.folio} {self.email}"
