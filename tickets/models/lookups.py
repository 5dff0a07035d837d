"""Lookups that the querysets of tickets use."""

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BigAutoField
from django.db.models.lookups import In


@BigAutoField.register_lookup
class Among(In):
    """`pk__among=queryset`, which finds the same rows as `pk__in=queryset`. PostgreSQL reads the queryset's rows first.

    PostgreSQL cannot use an index for `IN (SELECT …)` or `EXISTS` beside an OR: it would test every open ticket. For
    an array it can, and combines it with the indexes of the other parts of the OR.
    """

    lookup_name = "among"

    def get_rhs_op(self, connection: BaseDatabaseWrapper, rhs: str) -> str:
        if connection.vendor == "postgresql":
            return f"= ANY(ARRAY{rhs})"
        return str(super().get_rhs_op(connection, rhs))
