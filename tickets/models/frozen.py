"""Rows that are written once: versions that other rows name as what was in force."""

from typing import Any, Protocol, cast

from django.db import models


class Remembers(Protocol):
    """A manager that keeps in memory what it made of rows, because they never change."""

    def forget(self, pk: int) -> None:
        """Drop what is kept under this id, which another row had before (after a rollback on SQLite)."""


class Frozen(models.Model):
    """Never changed once saved. Its manager keeps what it makes of a row in memory."""

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Insert the row. Raises `TypeError` for a row that is there already."""
        if not self._state.adding:
            raise TypeError(f"a {self._meta.model_name} never changes; save a new one")
        super().save(*args, **kwargs)
        cast("Remembers", type(self)._default_manager).forget(self.pk)
