"""Update an account when the person proves or changes an address."""

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.authentication import get_authentication_records
from allauth.account.models import EmailAddress
from allauth.account.signals import authentication_step_completed, email_changed, email_confirmed
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_added
from django.contrib.auth import update_session_auth_hash
from django.dispatch import receiver

from .models import User


@receiver(authentication_step_completed)
def prove_address_by_code(
    sender: Any, request: Any, user: User, method: str, email: str = "", **kwargs: Any
) -> None:
    """Mark the address as verified when the person signs in with a code mailed to it.

    allauth verifies only addresses that have an `EmailAddress` row. An account that staff created has no such row:
    without this receiver, allauth would mail the person a second code.
    """
    if method != "code" or email.lower() != user.email:
        return
    if not EmailAddress.objects.filter(user=user, email=user.email).exists():
        get_adapter().confirm_email(request, EmailAddress(user=user, email=user.email))


@receiver(email_changed)
def stay_signed_in(sender: Any, request: Any, user: User, **kwargs: Any) -> None:
    """Keep this session when the person chooses another of their addresses. Their other sessions end, because the
    session hash contains the address."""
    update_session_auth_hash(request, user)


@receiver(email_confirmed)
def remove_unproven_password(sender: Any, request: Any, email_address: EmailAddress, **kwargs: Any) -> None:
    """Remove the password when an address is first proved with a sign-in code.

    A stranger may sign up with somebody else's address and a password of their own. When the owner of the mailbox later
    signs in with a code, the password may be the stranger's, so it is removed. It stays if the address is confirmed in
    the browser that signed up, or if the owner sets a new password by mail.
    """
    if request.user.is_authenticated:  # a signed-in person confirms another address of theirs
        return
    user = email_address.user
    if any(record.get("method") == "code" for record in get_authentication_records(request, user)):
        user.set_unusable_password()
        user.save(update_fields=["password"])


@receiver(authenticator_added)
def end_sessions_without_second_factor(
    sender: Any, request: Any, user: User, authenticator: Authenticator, **kwargs: Any
) -> None:
    """End the person's other sessions when they activate a second factor: those were opened without one."""
    if authenticator.type != Authenticator.Type.RECOVERY_CODES:
        user.end_sessions()
        update_session_auth_hash(request, user)
