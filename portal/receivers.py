"""Signal receivers: give people the tickets that they filed as guests, once their e-mail address is confirmed, and
remember the app that sent them."""

from typing import Any

from allauth.account.models import EmailAddress
from allauth.account.signals import email_confirmed
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest

from accounts.models import User
from tickets.requesters.accounts import claim_guest_tickets

from .app_session import finish_entry


@receiver(email_confirmed)
def claim_on_confirmation(sender: Any, email_address: EmailAddress, **kwargs: Any) -> None:
    claim_guest_tickets(email_address.user, verified_email=email_address.email)


@receiver(user_logged_in)
def enter_from_app(sender: Any, request: HttpRequest, user: User, **kwargs: Any) -> None:
    """Remember the app whose link this sign-in ends (S0.5)."""
    if hasattr(request, "session"):
        finish_entry(request, user)


@receiver(user_logged_in)
def claim_on_sign_in(sender: Any, user: User, **kwargs: Any) -> None:
    """Claim also the tickets that the person filed as a guest since the address was confirmed."""
    for email in EmailAddress.objects.filter(user=user, verified=True).values_list("email", flat=True):
        claim_guest_tickets(user, verified_email=email)
