"""allauth's adapter for this product. It puts account mails into the outbox and chooses the page after sign-in."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.http import HttpRequest, HttpResponse
from django.shortcuts import resolve_url
from django.utils import timezone, translation
from django.utils.translation import get_language

from accounts.models import User, UserManager
from accounts.passwords import spellings
from accounts.validators import validate_address
from tickets.models import Ticket
from web import known_browsers
from web.client_ip import client_ip
from web.guessing import Guess

from . import outbox

CODE_LIFETIME = timedelta(minutes=15)
"""How long a mail with a code may wait in the outbox. Every code has expired by then, so the mail is not sent."""

LONGEST_URL = 2000
LOGIN_CODE, UNKNOWN_ACCOUNT = "account/email/login_code", "account/email/unknown_account"


class AccountAdapter(DefaultAccountAdapter):
    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Render allauth's mail and put it into the outbox; a worker sends it.

        A code that was asked for an address without an account is rendered and stored like the others, and deleted at
        once: the response time must not tell whether the address has an account (B26).
        """
        is_unknown = template_prefix == UNKNOWN_ACCOUNT
        if is_unknown:
            template_prefix, context = LOGIN_CODE, {**context, "code": self.generate_login_code()}
        user = context.get("user")
        # The name and domain come from the settings, never from the request's Host header, which anybody can forge.
        site = SimpleNamespace(name=settings.DESK_NAME, domain=urlsplit(settings.DESK_BASE_URL).netloc)
        message = self.render_mail(
            template_prefix, email, {"request": self.request, "email": email, "current_site": site, **context}
        )
        language = (get_language() or "").partition("-")[0]
        outbox.enqueue_account_mail(
            message,
            template=template_prefix[:80],
            user=user if isinstance(user, User) and user.pk else None,
            language=language if language in dict(settings.LANGUAGES) else settings.DESK_DEFAULT_LANGUAGE,
            expires_at=timezone.now() + CODE_LIFETIME if context.get("code") else None,
            code=str(context.get("code") or ""),
            is_kept=not is_unknown,
        )

    def is_safe_url(self, url: str) -> bool:
        """Whether people may be sent on to `url` after signing in: a page of this site. Refuse a longer one than any
        page has, because the session keeps it meanwhile."""
        return len(url or "") <= LONGEST_URL and bool(super().is_safe_url(url))

    def get_client_ip(self, request: HttpRequest) -> str:
        return client_ip(request)

    def authenticate(self, request: HttpRequest, **credentials: Any) -> Any:
        """Return the person if the password is right, else None. Raises `ValidationError` after too many attempts."""
        guess = Guess(request, "password", email=str(credentials.get("email", "")))
        guess.take()
        user = super().authenticate(request, **credentials)
        if user:
            guess.give_back()
        return user

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """Hash once for each form of the password that `User.check_password` tries. allauth hashes once for an address
        without an account, and the response time would tell the difference (B26)."""
        email = UserManager.normalize_email(credentials.get("email"))
        if not User.objects.filter(email=email).exists():
            for form in spellings(credentials.get("password", ""))[1:]:
                make_password(form)

    def post_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse:
        """Remember the browser. Show the welcome message in the user's language, as the next page is, not in the
        browser's."""
        with translation.override(user.language):
            response: HttpResponse = super().post_login(request, user, **kwargs)
        known_browsers.remember(request, response, user)
        return response

    def clean_email(self, email: str) -> str:
        validate_address(email)
        return str(super().clean_email(email))

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """Return the URL after sign-in: what needs them for supervisors, the queue for agents, the portal for everybody
        else. An administrator of a desk without tickets gets the page that says what is missing."""
        if request.user.is_authenticated and request.user.is_staff and not Ticket.objects.exists():
            return resolve_url("setup")
        if request.user.is_authenticated and request.user.is_desk_staff:
            return resolve_url("agents:home" if request.user.is_supervisor else "agents:queue")
        return str(super().get_login_redirect_url(request))

    def send_account_already_exists_mail(self, email: str) -> None:
        """Send the mail after hashing the address as if it were a new password, so that the response time does not
        reveal whether the address has an account (B26)."""
        make_password(email)
        super().send_account_already_exists_mail(email)
