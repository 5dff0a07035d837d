"""Make somebody an administrator from the command line, without mail: with a link to choose a password."""

from allauth.account.forms import default_token_generator
from allauth.account.models import EmailAddress
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.db import transaction
from django.urls import reverse

from accounts.enums import Role
from accounts.models import User, UserManager
from accounts.validators import validate_address


def exist() -> bool:
    return User.objects.filter(role=Role.ADMINISTRATOR, is_active=True).exists()


@transaction.atomic
def make(address: str, *, name: str = "") -> tuple[User, str]:
    """Make the person with this address an administrator, and create them if there is none. Returns the person and the
    link with which they choose a password, once, within PASSWORD_RESET_TIMEOUT. Raises `ValidationError` for what is no
    address.

    The address counts as verified: whoever may run this command may also change the database.
    """
    email = UserManager.normalize_email(address)
    validate_address(email)
    user = User.objects.filter(email=email).first()
    if user is None:
        user = User.objects.create_superuser(email, name=name or email.partition("@")[0])
    else:
        user.role, user.is_active = Role.ADMINISTRATOR, True
        user.save(update_fields=["role", "is_active"])
    EmailAddress.objects.update_or_create(
        user=user, email=user.email, defaults={"verified": True, "primary": True}
    )
    return user, password_link(user)


def password_link(user: User) -> str:
    key = default_token_generator.make_token(user)
    path = reverse("account_reset_password_from_key", args=[user_pk_to_url_str(user), key])
    return f"{settings.DESK_BASE_URL}{path}"
