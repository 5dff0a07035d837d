"""Admin pages for people, departments and customer kinds."""

from datetime import datetime
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.models import EmailAddress
from allauth.mfa.admin import Authenticator
from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import ReadOnlyPasswordHashField
from django.contrib.auth.models import Group
from django.http import HttpRequest
from django.utils import translation
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from . import second_factor
from .models import CustomerKind, Department, Membership, User
from .signals import left_desk

admin.site.unregister(Authenticator)  # allauth's own admin pages show the secrets and are in English


# The rules ask for groups by name and never for their permissions, which Django names half in English.
admin.site.unregister(Group)


@admin.register(Group)
class GroupAdmin(admin.ModelAdmin):
    fields = ("name",)
    search_fields = ("name",)
    ordering = ("name",)


class MembershipInline(admin.TabularInline):
    model = Membership
    extra = 0
    autocomplete_fields = ("user", "department")


class SecondFactorInline(admin.TabularInline):
    """The second factors of a person. Administrators delete one that the person has lost."""

    model = Authenticator
    verbose_name = _("segundo factor")
    verbose_name_plural = _("Segundo factor")
    fields = readonly_fields = ("kind", "since", "used")

    @admin.display(description=_("Tipo"))
    def kind(self, factor: Authenticator) -> str:
        return str(factor.get_type_display())

    @admin.display(description=_("Activo desde"))
    def since(self, factor: Authenticator) -> datetime:
        return factor.created_at

    @admin.display(description=_("Último uso"))
    def used(self, factor: Authenticator) -> datetime | None:
        return factor.last_used_at

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class UserCreationForm(forms.ModelForm):
    """Creates a person without a password. They set one on the page «Recupera tu contraseña»."""

    class Meta:
        model = User
        fields = ("email", "name", "role", "kind", "language")

    def save(self, commit: bool = True) -> User:
        user: User = super().save(commit=False)
        user.set_unusable_password()
        if commit:
            user.save()
        return user

    def save_m2m(self) -> None:
        """Do nothing: the form has no many-to-many fields, but the admin calls this method."""


class UserChangeForm(forms.ModelForm):
    password = ReadOnlyPasswordHashField(label=_("Contraseña"))

    class Meta:
        model = User
        fields = ("email", "name", "password", "role", "kind", "standing", "groups", "is_active")


@admin.register(User)
class UserAdmin(DjangoUserAdmin):
    form = UserChangeForm
    add_form = UserCreationForm
    inlines = (SecondFactorInline, MembershipInline)
    ordering = ("name",)
    list_display = ("name", "email", "role", "kind", "standing", "is_active")
    list_filter = ("role", "standing", "kind", "is_active", "departments")
    list_select_related = ("kind",)
    search_fields = ("name", "email", "external_account", "phone")
    readonly_fields = ("date_joined", "last_login")
    filter_horizontal = ("groups",)
    list_per_page = 50
    show_full_result_count = False
    fieldsets = (
        (None, {"fields": ("email", "name", "password", "is_active")}),
        (_("En la mesa"), {"fields": ("role", "groups")}),
        (_("Como cliente"), {"fields": ("kind", "standing", "standing_since", "external_account", "phone")}),
        (
            _("Preferencias"),
            {"fields": ("language", "time_zone", "theme", "notify_by_email", "keyboard_shortcuts")},
        ),
        (_("Fechas"), {"fields": ("date_joined", "last_login")}),
    )
    add_fieldsets = ((None, {"fields": ("email", "name", "role", "kind", "language")}),)

    def get_inlines(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return ()
        return self.inlines if obj.is_desk_staff else (SecondFactorInline,)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Save the person. After a change of address, delete the person's other addresses, so that sign-in codes go
        only to the new one: somebody else may read the old mailbox by now."""
        super().save_model(request, obj, form, change)
        if {"is_active", "role"} & set(form.changed_data) and obj.has_been_staff and not obj.is_active_staff:
            left_desk.send(User, request=request, person=obj)
        if "email" in form.changed_data:
            EmailAddress.objects.filter(user=obj).exclude(email__iexact=obj.email).delete()

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Save the rows below the person. Deleting one second factor resets them all: recovery codes alone are of no
        use, and sessions that were opened with the lost device must end. The person gets a mail."""
        super().save_formset(request, form, formset, change)
        if formset.model is not Authenticator or not formset.deleted_objects:
            return
        user = form.instance
        second_factor.reset(user)
        self.log_change(request, user, gettext("Quitó el segundo factor y cerró las sesiones."))
        with translation.override(user.language):
            context = {"user": user, "administrator": str(request.user)}
            get_adapter().send_mail("mfa/email/second_factor_reset", user.email, context)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """People cannot be deleted, because what they wrote stays. Untick `is_active` to take their access away."""
        return False


@admin.register(Department)
class DepartmentAdmin(admin.ModelAdmin):
    list_display = ("name", "key", "is_active", "position")
    list_editable = ("position",)
    search_fields = ("name", "key")
    inlines = (MembershipInline,)
    fields = ("name", "name_en", "key", "is_active", "position")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Make `key` read-only once the department exists, because process files refer to it."""
        return ("key",) if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(CustomerKind)
class CustomerKindAdmin(admin.ModelAdmin):
    list_display = ("name", "key", "position")
    list_editable = ("position",)
    prepopulated_fields = {"key": ("name",)}
