"""Pages and forms of the second factor, and the middleware that leads staff to set one up.

allauth's views do the work. These add that each code counts once, and the way back to the page that somebody wanted.
"""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from allauth.account.adapter import get_adapter
from allauth.core import context
from allauth.mfa.base import forms, views
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.views import ViewRecoveryCodesView
from allauth.mfa.totp.forms import ActivateTOTPForm as AllauthActivateTOTPForm
from allauth.mfa.totp.views import ActivateTOTPView as AllauthActivateTOTPView
from allauth.mfa.totp.views import DeactivateTOTPView as AllauthDeactivateTOTPView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from accounts import second_factor

from .guessing import Guess

Next = Callable[[HttpRequest], HttpResponse]

# What somebody may open who must have a second factor and has none: setting it up, what that may ask for first (a
# confirmed address, the password again), and leaving.
OPEN_WITHOUT = frozenset(
    {
        "account_change_password",
        "account_email",
        "account_email_verification_sent",
        "account_logout",
        "account_reauthenticate",
        "account_set_password",
        "mfa_activate_totp",
        "mfa_index",
        "set_language",
        "set_theme",
    }
)


class RequireSecondFactor:
    """Middleware: lead people who must have a second factor to set one up. No other view answers them before."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *args: Any) -> HttpResponse | None:
        match = request.resolver_match
        if match is None or match.view_name in OPEN_WITHOUT or not second_factor.is_missing(request.user):
            return None
        if request.headers.get("HX-Request"):
            # htmx follows this header whatever the status. It would put a redirect's page into a part of this one.
            page = _with_next(reverse("mfa_activate_totp"), request.headers.get("HX-Current-URL", ""))
            return HttpResponse(status=403, headers={"HX-Redirect": page})
        if request.headers.get("X-Requested-With"):
            return HttpResponse(status=403)
        is_page = request.method in ("GET", "HEAD")
        page = request.get_full_path() if is_page else request.headers.get("Referer", "")
        return redirect(_with_next(reverse("mfa_activate_totp"), page))


def _with_next(url: str, page: str) -> str:
    return f"{url}?next={quote(page, safe='/')}" if page else url


def _wanted_page(request: HttpRequest) -> str:
    """Return the page of this site to go on to; empty if none was passed along."""
    page = request.POST.get("next") or request.GET.get("next") or ""
    return page if page and get_adapter().is_safe_url(page) else ""


class IndexView(views.IndexView):
    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {
            "is_required": second_factor.is_required(self.request.user)
        }


class ActivateTOTPView(AllauthActivateTOTPView):
    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {
            "is_required": second_factor.is_missing(self.request.user),
            "next": _wanted_page(self.request),
        }

    def form_valid(self, form: Any) -> HttpResponse:
        response: HttpResponse = super().form_valid(form)
        factor = Authenticator.objects.get(user=self.request.user, type=Authenticator.Type.TOTP)
        second_factor.use_code(
            factor, form.cleaned_data["code"]
        )  # the same code must not also sign somebody in
        return response

    def get_success_url(self) -> str:
        return _with_next(str(super().get_success_url()), _wanted_page(self.request))


class DeactivateTOTPView(AllauthDeactivateTOTPView):
    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {
            "is_required": second_factor.is_required(self.request.user)
        }


class RecoveryCodesView(ViewRecoveryCodesView):
    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"next": _wanted_page(self.request)}


class _CodeOnce(forms.BaseAuthenticateForm):
    """Base of the forms that ask for a code: limits guesses, and accepts a code of the application once."""

    def clean_code(self) -> str:
        with Guess(context.request, "code", email=self.user.email):
            code = str(super().clean_code())
            factor = self.authenticator
            if factor.type == Authenticator.Type.TOTP and not second_factor.use_code(factor, code):
                raise get_adapter().validation_error("incorrect_code")
        return code


class AuthenticateForm(_CodeOnce, forms.AuthenticateForm):
    pass


class ReauthenticateForm(_CodeOnce, forms.ReauthenticateForm):
    pass


class ActivateTOTPForm(AllauthActivateTOTPForm):
    def clean_code(self) -> str:
        with Guess(context.request, "code", email=self.user.email):
            return str(super().clean_code())
