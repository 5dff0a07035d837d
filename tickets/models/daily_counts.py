"""Store what is counted for each day, so that reports need not read the tickets again."""

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from ..enums import Scope


class DailyCounts(models.Model):
    """The counts of one day: of the whole desk, or of the tickets that have one `value` in one `scope`, such as one
    department. `tickets.facts.counting` writes the rows.

    `counts` maps each measure to a count for each of its parts: `{"filed": {"9": 2, "14": 1}}`. Counts of several days
    are added part by part. `zone` is the time zone whose midnight began the day.
    """

    day = models.DateField()
    scope = models.CharField(max_length=12, choices=Scope)
    value = models.CharField(max_length=40, blank=True)
    zone = models.CharField(max_length=60)
    counts: Any = models.JSONField()
    is_frozen = models.BooleanField(default=False, db_default=False)
    """Whether retention has deleted tickets of this day, so that it cannot be counted again."""

    class Meta:
        verbose_name = _("cuentas de un día")
        verbose_name_plural = _("cuentas por día")
        constraints = [models.UniqueConstraint(fields=["scope", "value", "day"], name="daily_counts_once")]
        indexes = [
            models.Index(fields=["day", "scope"], name="daily_counts_day_scope"),
            models.Index(
                fields=["scope", "value"],
                condition=models.Q(counts__has_key="open"),
                name="daily_counts_open",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.scope} {self.value}"


class DirtyDay(models.Model):
    """A day to be counted again, because a ticket that it counts has changed.

    Verbs add rows and never look for one that exists: two writers would wait for each other.
    """

    day = models.DateField()

    def __str__(self) -> str:
        return f"{self.day}"


class CountingMark(models.Model):
    """When the daily counts were last up to date. There is one row; the job that counts holds its lock."""

    name = models.CharField(max_length=20, primary_key=True)
    at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.name} {self.at}"
