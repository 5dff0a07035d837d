"""The second factor: who must have one, that each code counts once, and taking one away from somebody who lost it.

allauth stores the factors (`Authenticator`) and asks for them when people sign in.
"""

from allauth.core.internal.cryptokit import compare_user_code
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth
from allauth.mfa.utils import decrypt
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.db.models import QuerySet

from .enums import Role
from .models import User


def is_required(user: User) -> bool:
    """Whether the desk demands a second factor of this person (`DESK_SECOND_FACTOR_FROM`)."""
    lowest = settings.DESK_SECOND_FACTOR_FROM
    return bool(lowest) and user.has_role(Role(lowest))


def has_one(user: User) -> bool:
    """Whether the person is asked for a code when they sign in. Recovery codes alone do not count."""
    return without_codes().filter(user=user).exists()


def without_one(people: QuerySet[User]) -> QuerySet[User]:
    """Return those of `people` who are asked for no code when they sign in."""
    return people.exclude(pk__in=without_codes().values("user"))


def without_codes() -> QuerySet[Authenticator]:
    """Return the factors that are no recovery codes: these count as none."""
    return Authenticator.objects.exclude(type=Authenticator.Type.RECOVERY_CODES)


def is_missing(user: User | AnonymousUser) -> bool:
    """Whether the person must set up a second factor before they may do anything else."""
    return isinstance(user, User) and is_required(user) and not has_one(user)


@transaction.atomic
def use_code(factor: Authenticator, code: str) -> bool:
    """Accept `code` of the authenticator application `factor`, once. Returns whether it was right and still unused.

    The row keeps the newest time step of which a code was accepted, and older steps are refused. allauth remembers
    used codes in the cache, which may be down, and for a shorter time than `MFA_TOTP_TOLERANCE` lets a code live.
    """
    stored = Authenticator.objects.select_for_update().get(pk=factor.pk)
    secret, newest = decrypt(stored.data["secret"]), stored.data.get("newest_step", 0)
    for step in auth.yield_hotp_counters_from_time():
        expected = auth.format_hotp_value(auth.hotp_value(secret, step))
        if step > newest and compare_user_code(actual=code, expected=expected):
            stored.data["newest_step"] = step
            stored.save(update_fields=["data"])
            factor.data = stored.data
            return True
    return False


@transaction.atomic
def reset(user: User) -> None:
    """Delete the person's second factors with their recovery codes, and end their sessions."""
    Authenticator.objects.filter(user=user).delete()
    user.end_sessions()
