"""The types of actor. Verbs take one as `actor=`: a user, a guest with a link, or the system."""

from dataclasses import dataclass
from typing import TypeAlias

from django.utils.translation import gettext as _

from accounts.models import User

from .enums import Purpose


@dataclass(frozen=True)
class Guest:
    """A requester who acts through a mailed link and not through an account. The link opens one ticket for one purpose.

    A guest who is filing a report has no link yet. Their `purpose` is None, which permits nothing else. `only_reads` is
    set when the link has just been revoked: they may still read what its purpose lets them read.
    """

    ticket_id: int
    email: str
    name: str
    purpose: Purpose | None = None
    only_reads: bool = False


@dataclass(frozen=True)
class System:
    """The system, acting because of a rule such as a deadline or the requester's silence. `rule` names the trigger."""

    rule: str = ""


Actor: TypeAlias = User | Guest | System
SYSTEM = System()


def user_of(actor: Actor) -> User | None:
    """Return the actor if it is a user; None for guests and the system."""
    return actor if isinstance(actor, User) else None


def name_of(actor: Actor) -> str:
    """Return the name under which history shows the actor."""
    if isinstance(actor, System):
        return _("Mesa de ayuda")
    return str(actor.name or actor.email)
