"""A conversation with the assistant (S0.8)."""

from django.conf import settings
from django.db import models
from django.utils import timezone

from ..enums import ChatPath
from .drafts import ReportDraft
from .ticket import Ticket


class Chat(models.Model):
    """What somebody and the assistant said to each other, and the ticket that came of it.

    On the desk's own pages a chat belongs to a browser (`visitor`, the hash of its cookie) or to an account (`owner`).
    In a frame of another site it belongs to whoever holds the secret whose hash is `digest`: no cookie is read there.
    `lines` are dictionaries with the keys of `tickets.chats.line`, oldest first. The answers to the questions of a
    report are in `report` until it is filed, and then also in `lines`, which no longer change.
    """

    visitor = models.CharField(max_length=64, blank=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True, related_name="chats"
    )
    digest = models.CharField(max_length=64, blank=True)
    language = models.CharField(max_length=8, blank=True)
    theme = models.CharField(max_length=8, blank=True)
    path = models.CharField(max_length=16, choices=ChatPath.choices, blank=True)
    report = models.ForeignKey(
        ReportDraft, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    ticket = models.OneToOneField(
        Ticket, on_delete=models.CASCADE, null=True, blank=True, related_name="chat"
    )
    lines = models.JSONField(default=list, blank=True)
    started_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [
            models.Index(fields=["visitor", "-updated_at"], name="chat_visitor"),
            models.Index(fields=["digest"], name="chat_digest"),
            models.Index(fields=["updated_at"], name="chat_updated"),
        ]

    def __str__(self) -> str:
        return f"{self.path or 'chat'} {self.started_at:%Y-%m-%d %H:%M}"
