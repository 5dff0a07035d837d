"""What proving an address means for the account that claims it."""

from typing import Any

from allauth.account.authentication import get_authentication_records
from allauth.account.models import EmailAddress
from allauth.account.signals import email_confirmed
from django.dispatch import receiver


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
