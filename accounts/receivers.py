"""What proving an address means for the account that claims it."""

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.authentication import get_authentication_records
from allauth.account.models import EmailAddress
from allauth.account.signals import authentication_step_completed, email_changed, email_confirmed
from django.contrib.auth import update_session_auth_hash
from django.dispatch import receiver

from .models import User


@receiver(authentication_step_completed)
def prove_address_by_code(
    sender: Any, request: Any, user: User, method: str, email: str = "", **kwargs: Any
) -> None:
    """A code that was mailed to an address proves it. allauth notes this by itself for addresses that it knows; to it
    an account that the desk opened has none yet, so it would mail a second code."""
    if method != "code" or email.lower() != user.email:
        return
    if not EmailAddress.objects.filter(user=user, email=user.email).exists():
        get_adapter().confirm_email(request, EmailAddress(user=user, email=user.email))


@receiver(email_changed)
def stay_signed_in(sender: Any, request: Any, user: User, **kwargs: Any) -> None:
    """Whoever chooses another address of theirs is signed out everywhere but here."""
    update_session_auth_hash(request, user)


@receiver(email_confirmed)
def forget_password_of_a_stranger(
    sender: Any, request: Any, email_address: EmailAddress, **kwargs: Any
) -> None:
    """Anybody may sign up with somebody's address and a password of their own, and wait. The first who shows that they
    read the mail there is the owner; when they do so with a sign-in code, nothing says that the password is theirs.

    Confirming in the browser that signed up, and a new password by mail, leave the owner's own password.
    """
    if request.user.is_authenticated:  # a further address of somebody who is known
        return
    user = email_address.user
    if any(record.get("method") == "code" for record in get_authentication_records(request, user)):
        user.set_unusable_password()
        user.save(update_fields=["password"])
