"""Texts that people have typed and not sent: reports of the portal, and forms of the back office.

The composer's drafts are `conversation.Draft`, unsent files are `conversation.Attachment`.
"""

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone

from .ticket import Ticket

REPORT_FILES = "filing:"
"""The beginning of the `draft_key` of a report's files."""


class ReportDraft(models.Model):
    """A report that somebody is writing, and its folio once it has been filed.

    `code` is the part of the address that names the draft. `visitor` is the hash of the browser's cookie. `owner` is
    the account that wrote in it, if any. `values` and `contact` hold the posted fields of the steps, not validated.
    `page` names the page that wrote `values` last, and `typed_at` is the time on that page's clock. `overwritten` lists
    the values of other pages that were replaced, as pairs of page and values, newest last.
    """

    code = models.CharField(max_length=64)
    visitor = models.CharField(max_length=64)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="report_drafts",
    )
    key = models.UUIDField(default=uuid.uuid4, unique=True)
    topic = models.CharField(max_length=120, blank=True)
    values = models.JSONField(default=dict, blank=True)
    contact = models.JSONField(default=dict, blank=True)
    overwritten = models.JSONField(default=list, blank=True)
    page = models.CharField(max_length=40, blank=True)
    typed_at = models.BigIntegerField(default=0)
    folio = models.CharField(max_length=24, blank=True)
    discarded_at = models.DateTimeField(null=True, blank=True)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [
            models.Index(fields=["code"], name="report_draft_code"),
            models.Index(fields=["visitor", "-updated_at"], name="report_draft_visitor"),
            models.Index(fields=["owner", "-updated_at"], name="report_draft_owner"),
            models.Index(fields=["updated_at"], name="report_draft_updated"),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.topic}"

    @property
    def written(self) -> str:
        """The page that wrote `values` last and when, as a form posts it back in `seen`; empty before any."""
        return f"{self.page}@{self.typed_at}" if self.page else ""

    @property
    def files_key(self) -> str:
        """The draft key under which the report's files are stored."""
        return f"{REPORT_FILES}{self.key}"


class FormDraft(models.Model):
    """What a staff member has typed into a form of the back office and not sent: one row per user and form.

    `form` names the form and what it is about, such as «MA-10482/action/resolver». `values` are the posted fields.
    `sent_key` is the idempotency key of the form that was sent last: a late save of that form stores nothing.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="form_drafts")
    ticket = models.ForeignKey(
        Ticket, on_delete=models.CASCADE, null=True, blank=True, related_name="form_drafts"
    )
    form = models.CharField(max_length=160)
    values = models.JSONField(default=dict)
    sent_key = models.CharField(max_length=40, blank=True)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "form"], name="form_draft_once_per_form")]
        indexes = [models.Index(fields=["updated_at"], name="form_draft_updated")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.form}"
