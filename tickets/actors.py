"""Who acts. Every verb takes `actor=`: a user, the bearer of a guest's link, or the desk itself."""

from dataclasses import dataclass
from typing import TypeAlias

from django.utils.translation import gettext as _

from accounts.models import User

from .enums import Purpose


@dataclass(frozen=True)
class Guest:
    """The requester, known only by a link that was mailed to them. It opens one ticket for one purpose.

    Whoever files a report as a guest has no link yet, and no purpose: they may do nothing else.
    """

    ticket_id: int
    email: str
    name: str
    purpose: Purpose | None = None


@dataclass(frozen=True)
class System:
    """The desk acting by a rule: a deadline, a silence, a trigger."""

    rule: str = ""


Actor: TypeAlias = User | Guest | System
SYSTEM = System()


def user_of(actor: Actor) -> User | None:
    return actor if isinstance(actor, User) else None


def name_of(actor: Actor) -> str:
    """How history names the actor."""
    if isinstance(actor, System):
        return _("Mesa de ayuda")
    return str(actor.name or actor.email)
