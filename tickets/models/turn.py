"""Whose turn it is: who may see a ticket because its process names them in its present stage."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q, Value
from django.db.models.functions import Concat, Lower

if TYPE_CHECKING:
    from accounts.models import User


class TurnQuerySet(models.QuerySet["Turn"]):
    def of(self, user: "User") -> "TurnQuerySet":
        """Return the turns of this staff member. The groups are read by the same query, so that lists need no other."""
        names = ["role:agent", *_names_of_departments(user), *names_of_person(user)]
        groups = user.groups.annotate(who=Concat(Value("group:"), Lower("name"))).values("who")
        return self.filter(Q(who__in=names) | Q(who__in=groups))

    def naming(self, names: Iterable[str]) -> "TurnQuerySet":
        return self.filter(who__in=list(names))


def names_of_person(user: "User") -> list[str]:
    """Return the names that mean this staff member alone."""
    return [f"user:{user.email.lower()}", f"person:{user.pk}"]


def names_shared(user: "User") -> list[str]:
    """Return the names, sorted, that mean this staff member among others. `names_of_person` are the rest."""
    groups = (f"group:{name}" for name in user.group_names)
    return sorted(["role:agent", *_names_of_departments(user), *groups])


def _names_of_departments(user: "User") -> list[str]:
    return [f"department:{place.department.key}" for place in user.cached_memberships]


class Turn(models.Model):
    """One name of those whose turn it is on a ticket. It lets them see the ticket whatever its department.

    `record.turns` writes the rows with every event of the ticket. `who` is written as in process files
    (`department:juridica`, `group:evaluador`, `user:ana@ejemplo.com`, `role:agent`), or `person:` and the id of a user
    who did an earlier action.
    """

    ticket = models.ForeignKey("tickets.Ticket", on_delete=models.CASCADE, related_name="turns")
    who = models.CharField(max_length=270)

    objects = TurnQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["ticket", "who"], name="turn_once_per_ticket")]
        indexes = [models.Index(fields=["who", "ticket"], name="turn_who_ticket")]

    def __str__(self) -> str:
        return f"{self.ticket_id} {self.who}"
