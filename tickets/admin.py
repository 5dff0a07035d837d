"""Admin pages: processes and categories to configure; tickets and their history to read, never to edit."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from . import folios
from .models import (
    Attachment,
    BlockedSender,
    Category,
    Clock,
    DeskAddress,
    GuestToken,
    IncomingEmail,
    Message,
    Nonconformity,
    Process,
    ProcessVersion,
    Survey,
    Ticket,
    TicketEvent,
)


class ReadOnly:
    """Denies adding, changing and deleting in the admin. Such rows change only through the verbs."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class FindsFolios:
    """Searches for the folio that the text names, however it was pasted; else for the text."""

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        named = folios.named_in(search_term)
        term = named[0] if len(named) == 1 else search_term
        results: tuple[QuerySet[Any], bool] = super().get_search_results(request, queryset, term)  # type: ignore[misc]
        return results


class CategoryInline(admin.TabularInline):
    model = Category
    extra = 0
    fields = ("name", "name_en", "key", "department", "case_kind", "severity", "position", "is_active")
    readonly_fields = ("key",)
    show_change_link = True

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Process)
class ProcessAdmin(admin.ModelAdmin):
    """Sets which processes can be chosen and in what order. Their content comes from files: docs/processes.md."""

    list_display = ("__str__", "key", "current", "is_active", "position")
    list_editable = ("is_active", "position")
    list_select_related = ("current",)
    fields = ("key", "current", "is_active", "position")
    readonly_fields = ("key", "current")
    inlines = (CategoryInline,)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(ProcessVersion)
class ProcessVersionAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("process", "number", "created_at")
    list_filter = ("process",)
    list_select_related = ("process__current",)
    fields = ("process", "number", "created_at", "definition_file")

    @admin.display(description=_("definición"))
    def definition_file(self, version: ProcessVersion) -> str:
        return format_html("<pre>{}</pre>", version.source)


@admin.register(Category)
class CategoryAdmin(admin.ModelAdmin):
    list_display = ("name", "process", "department", "case_kind", "severity", "is_active")
    list_filter = ("process", "department", "case_kind", "is_active")
    list_select_related = ("process__current", "department")
    search_fields = ("name", "key")
    readonly_fields = ("process", "key")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ClockInline(ReadOnly, admin.TabularInline):
    model = Clock
    extra = 0
    fields = ("kind", "target", "is_agreed", "started_at", "due_at", "paused_at", "stopped_at", "breached_at")
    readonly_fields = fields


class GuestTokenInline(ReadOnly, admin.TabularInline):
    model = GuestToken
    extra = 0
    fields = ("purpose", "email", "created_at", "expires_at", "revoked_at", "last_used_at")
    readonly_fields = fields


@admin.register(Ticket)
class TicketAdmin(FindsFolios, ReadOnly, admin.ModelAdmin):
    list_display = ("folio", "title", "requester_name", "stage", "severity", "assignee", "created_at")
    list_filter = ("stage_kind", "severity", "department", "is_escalated", "is_test")
    list_select_related = ("assignee",)
    search_fields = ("=folio", "title", "=requester_email")
    ordering = ("-id",)
    list_per_page = 50
    show_full_result_count = False
    inlines = (ClockInline, GuestTokenInline)


@admin.register(TicketEvent)
class TicketEventAdmin(FindsFolios, ReadOnly, admin.ModelAdmin):
    list_display = ("at", "ticket_folio", "kind", "action", "actor_name", "is_public")
    list_filter = ("kind", "is_public")
    search_fields = ("=ticket__folio",)
    ordering = ("-id",)
    list_per_page = 50
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[TicketEvent]:
        return super().get_queryset(request).select_related("ticket")

    @admin.display(description=_("folio"))
    def ticket_folio(self, event: TicketEvent) -> str:
        return event.ticket.folio


@admin.register(Message)
class MessageAdmin(FindsFolios, ReadOnly, admin.ModelAdmin):
    list_display = ("created_at", "ticket_folio", "kind", "author_name", "channel")
    list_filter = ("kind", "channel")
    search_fields = ("=ticket__folio",)
    list_select_related = ("ticket",)
    ordering = ("-id",)
    list_per_page = 50
    show_full_result_count = False
    fields = ("ticket_folio", "kind", "channel", "author_name", "created_at", "body", "steps")

    @admin.display(description=_("folio"))
    def ticket_folio(self, message: Message) -> str:
        return message.ticket.folio


@admin.register(Attachment)
class AttachmentAdmin(FindsFolios, ReadOnly, admin.ModelAdmin):
    """Shows facts about a file but no link to it, so that every download passes `policies.can_download`."""

    list_display = ("created_at", "name", "kind", "size", "scan")
    list_filter = ("scan", "kind")
    search_fields = ("=ticket__folio", "=sha256")
    ordering = ("-id",)
    show_full_result_count = False
    fields = ("name", "kind", "content_type", "size", "sha256", "scan", "created_at")


@admin.register(Nonconformity)
class NonconformityAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("opened_at", "ticket", "responsible", "reviewed_by", "reviewed_at")
    list_filter = (("reviewed_at", admin.EmptyFieldListFilter),)
    list_select_related = ("ticket", "responsible", "reviewed_by")


@admin.register(Survey)
class SurveyAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("answered_at", "ticket", "score", "comment")
    list_filter = ("score",)
    list_select_related = ("ticket",)


@admin.register(DeskAddress)
class DeskAddressAdmin(admin.ModelAdmin):
    """Sets to which process and category the mails to each address go. Supervisors have a page for it, too."""

    list_display = ("email", "process", "category", "is_active")
    list_select_related = ("process__current", "category")


@admin.register(IncomingEmail)
class IncomingEmailAdmin(FindsFolios, ReadOnly, admin.ModelAdmin):
    """Shows what became of each mail. What is decided about those in quarantine is decided on their own page."""

    list_display = ("received_at", "sender", "subject", "verdict", "reason", "decision")
    list_filter = ("verdict", "reason", "decision")
    search_fields = ("ticket__folio", "sender")
    fields = (
        "mailbox",
        "source_id",
        "sender",
        "subject",
        "received_at",
        "verdict",
        "reason",
        "ticket",
        "decision",
    )
    show_full_result_count = False


@admin.register(BlockedSender)
class BlockedSenderAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("sender", "by", "at")
    list_select_related = ("by",)
