"""How far the sweep of expired tickets has come."""

from django.db import models


class RetentionMark(models.Model):
    """The last ticket that the sweep has looked at. The next run goes on behind it, and begins anew after the last
    ticket. There is one row; without it the sweep begins anew."""

    name = models.CharField(max_length=20, primary_key=True)
    ticket_id = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.name} {self.ticket_id}"
