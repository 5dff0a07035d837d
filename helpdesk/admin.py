"""Admin page of what browsers refused because of the content security policy. Rows can be read and deleted."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from .models import CspReport


@admin.register(CspReport)
class CspReportAdmin(admin.ModelAdmin):
    list_display = ("last_seen", "directive", "blocked", "page", "times", "first_seen")
    list_display_links = None
    search_fields = ("directive", "blocked", "page")
    ordering = ("-last_seen",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
