"""A limit on the time that the queries of a search may take."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import OperationalError, connection, transaction
from django.utils.translation import gettext_lazy as _

from .errors import DeskError

SECONDS = 1.0
_CANCELED = "57014"  # PostgreSQL's query_canceled


class TookTooLong(DeskError):
    """The database was stopped because a query took longer than the limit."""

    default = _(
        "Buscar eso tarda demasiado: puede haber tickets que coinciden. Escribe el folio o busca en una cola más corta."
    )


@contextmanager
def time_limit(seconds: float | None = None) -> Iterator[None]:
    """Stop each query of the block that takes longer than `seconds`, by default `SECONDS`, and raise `TookTooLong`.

    Queries must be evaluated inside the block. Does nothing on SQLite, which is for small desks. The block is a
    transaction, so it should only read.
    """
    if connection.vendor != "postgresql":
        yield
        return
    is_inside = connection.in_atomic_block  # otherwise the limit ends with the block's own transaction
    try:
        with transaction.atomic():
            _set_timeout(f"{round((seconds or SECONDS) * 1000)}ms")
            yield
            if is_inside:
                _set_timeout("DEFAULT")
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", "") == _CANCELED:
            raise TookTooLong from error
        raise


def _set_timeout(value: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL statement_timeout TO {value if value == 'DEFAULT' else repr(value)}")
