"""Admin pages of the outbox and of the mailboxes. They are read-only, except for the action that queues failed and
uncertain mails again."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from .models import MailboxMark, OutgoingEmail
from .outgoing import outbox


@admin.register(OutgoingEmail)
class OutgoingEmailAdmin(admin.ModelAdmin):
    list_display = ("created_at", "recipient", "template", "ticket_folio", "state", "attempts", "last_error")
    list_filter = ("state", "audience", "template")
    search_fields = ("recipient", "ticket__folio", "message_id", "provider_id")
    list_select_related = ("ticket",)
    show_full_result_count = False
    list_per_page = 50
    actions = ("send_again",)
    fields = (
        "template", "audience", "recipient", "language", "subject", "ticket_folio", "state", "attempts",
        "is_second_copy", "next_attempt_at", "expires_at", "last_error", "message_id", "provider_id",
        "created_at", "sent_at",
    )  # fmt: skip
    readonly_fields = fields

    @admin.display(description=_("folio"), ordering="ticket__folio")
    def ticket_folio(self, mail: OutgoingEmail) -> str:
        return mail.ticket.folio if mail.ticket else ""

    @admin.action(description=_("Volver a enviar los que fallaron"), permissions=["view"])
    def send_again(self, request: HttpRequest, queryset: "QuerySet[OutgoingEmail]") -> None:
        count = outbox.requeue(queryset)
        text = ngettext(
            "%(count)d correo volvió a la cola.", "%(count)d correos volvieron a la cola.", count
        ) % {"count": count}
        self.message_user(request, text, messages.SUCCESS if count else messages.WARNING)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(MailboxMark)
class MailboxMarkAdmin(admin.ModelAdmin):
    list_display = ("name", "read_at", "received", "failing_since", "last_error")
    fields = ("name", "read_at", "received", "last_uid", "failing_since", "last_error")
    readonly_fields = fields

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
