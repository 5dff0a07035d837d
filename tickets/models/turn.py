"""Whose turn it is: who may see a ticket because its process names them in its present stage."""

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q, Value
from django.db.models.functions import Concat, Lower

if TYPE_CHECKING:
    from accounts.models import User


class TurnQuerySet(models.QuerySet["Turn"]):
    def of(self, user: "User") -> "TurnQuerySet":
        """Return the turns of this staff member. The groups are read by the same query, so that lists need no other."""
        departments = (f"department:{place.department.key}" for place in user.cached_memberships)
        names = ["role:agent", f"user:{user.email.lower()}", f"person:{user.pk}", *departments]
        groups = user.groups.annotate(who=Concat(Value("group:"), Lower("name"))).values("who")
        return self.filter(Q(who__in=names) | Q(who__in=groups))


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
