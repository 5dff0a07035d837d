"""Signal receivers: give people the tickets that they filed as guests, once their e-mail address is confirmed, remember
the app that sent them, and let answers that are kept count no longer once what they show has changed."""

from typing import Any

from allauth.account.models import EmailAddress
from allauth.account.signals import email_confirmed
from django.contrib.auth.signals import user_logged_in
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from django.http import HttpRequest

from accounts.models import User
from knowledge.models import Article, ArticleText, Section, SynonymGroup
from tickets.models import Calendar, Category, DeskAddress, Process
from tickets.requesters.accounts import claim_guest_tickets
from web.kept import mark_change

from .app_session import finish_entry
from .pages.contact import HELP

SHOWN_IN_HELP = (Article, ArticleText, Section, SynonymGroup, Category, Process, Calendar, DeskAddress)
"""What searches and contact panels show. A new version of a process or calendar changes its row too."""


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


def mark_help_changed(**kwargs: Any) -> None:
    mark_change(HELP)


for _model in SHOWN_IN_HELP:
    post_save.connect(mark_help_changed, sender=_model, dispatch_uid=f"help-saved-{_model.__name__}")
    post_delete.connect(mark_help_changed, sender=_model, dispatch_uid=f"help-deleted-{_model.__name__}")
