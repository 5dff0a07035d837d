"""Split lists into pages by the position of a row, not by page number (keyset pagination, LESSONS A21).

The next page begins after the last row of this one. An index finds that row, so that late pages cost no more than the
first, and rows added or deleted meanwhile neither repeat nor hide other rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from django.core.exceptions import ValidationError
from django.core.signing import BadSignature, Signer
from django.db import models
from django.db.models import BooleanField, F, Func, GeneratedField, QuerySet, Value
from django.utils.translation import gettext_lazy as _

from .errors import DeskError

Row = TypeVar("Row", bound=models.Model)


class InvalidCursor(DeskError):
    """The cursor in a page's URL was altered, or belongs to a list in another order."""

    default = _("Esa página ya no existe. Te mostramos la primera.")


@dataclass(frozen=True)
class Page(Generic[Row]):
    """One page of rows. `newer` and `older` are the cursors of the pages before and after; empty if there is none.

    `is_nearest` says that the page asked for has no rows any more, and that this is the nearest one that has.
    """

    rows: list[Row]
    newer: str = ""
    older: str = ""
    is_nearest: bool = False

    def __len__(self) -> int:
        return len(self.rows)


class _Beyond(Func):
    """The SQL `(a, b, c) > (1, 2, 3)`: one comparison of rows, which an index on (a, b, c) can answer."""

    output_field = BooleanField()

    def __init__(self, operator: str, columns: Sequence[F], values: Sequence[Value]) -> None:
        super().__init__(*columns, *values)
        self.operator = operator

    def as_sql(  # type: ignore[override]  # Func.as_sql names more parameters; they come in `extra`
        self, compiler: Any, connection: Any, **extra: Any
    ) -> tuple[str, list[Any]]:
        parts = [compiler.compile(expression) for expression in self.source_expressions]
        half = len(parts) // 2
        sides = [", ".join(sql for sql, _params in side) for side in (parts[:half], parts[half:])]
        return f"({sides[0]}) {self.operator} ({sides[1]})", [p for _sql, params in parts for p in params]


def paginate(rows: "QuerySet[Row]", *, order: Sequence[str], size: int, cursor: str = "") -> Page[Row]:
    """Return the page of `rows` that `cursor` points to, in `order`; without a cursor, the first page.

    If others have emptied that page, return the nearest one that has rows. A page is empty only if `rows` are.

    `order` names columns of the model, or annotations of the queryset. They must never be null, and the last must be
    unique; neither is checked. Raises `ValueError` unless all have the same direction (`-name` for all or for none),
    and `InvalidCursor` for a wrong cursor.
    """
    descending = order[0].startswith("-")
    if any(name.startswith("-") != descending for name in order):
        raise ValueError("all columns of `order` must have the same direction")
    names = [name.removeprefix("-") for name in order]
    signer = Signer(salt=f"keyset {rows.model.__name__} {' '.join(order)}")
    backwards, values = _read(signer, cursor, rows, names) if cursor else (False, [])
    found, more = _beyond(rows, names, values, size, descending=descending, backwards=backwards)
    is_nearest = bool(cursor) and not found
    if is_nearest:  # the rows on the other side of the cursor, with the row that it was made from
        backwards = not backwards
        found, more = _beyond(
            rows, names, values, size, descending=descending, backwards=backwards, inclusive=True
        )
    if not found:
        return Page([])
    has_newer = more if backwards else bool(cursor) and not is_nearest
    has_older = not is_nearest if backwards else more
    return Page(
        found,
        newer=_cursor(signer, found[0], names, backwards=True) if has_newer else "",
        older=_cursor(signer, found[-1], names, backwards=False) if has_older else "",
        is_nearest=is_nearest,
    )


def _beyond(
    rows: "QuerySet[Row]",
    names: Sequence[str],
    values: Sequence[Value],
    size: int,
    *,
    descending: bool,
    backwards: bool,
    inclusive: bool = False,
) -> tuple[list[Row], bool]:
    """Return the next `size` rows beyond `values` in the list's order, and whether more follow. `backwards` reads the
    rows before instead; `inclusive` allows the row with these values. Without values, read from the beginning."""
    falling = descending != backwards
    if values:
        operator = ("<" if falling else ">") + ("=" if inclusive else "")
        rows = rows.filter(_Beyond(operator, [F(name) for name in names], values))
    found = list(rows.order_by(*(f"-{name}" if falling else name for name in names))[: size + 1])
    page = found[:size]
    return page[::-1] if backwards else page, len(found) > size


def _cursor(signer: Signer, row: models.Model, names: Sequence[str], *, backwards: bool) -> str:
    values = [getattr(row, name) for name in names]
    plain = [value.isoformat() if isinstance(value, datetime) else value for value in values]
    return signer.sign_object([backwards, *plain])


def _read(
    signer: Signer, cursor: str, rows: "QuerySet[Any]", names: Sequence[str]
) -> tuple[bool, list[Value]]:
    try:
        backwards, *plain = signer.unsign_object(cursor)
        fields = [_column(rows, name) for name in names]
        return bool(backwards), [
            Value(field.to_python(value), output_field=field)
            for field, value in zip(fields, plain, strict=True)
        ]
    except (BadSignature, ValueError, ValidationError) as error:
        raise InvalidCursor from error


def _column(rows: "QuerySet[Any]", name: str) -> Any:
    if name in rows.query.annotations:
        return rows.query.annotations[name].output_field
    field = rows.query.get_meta().get_field(name)
    return field.output_field if isinstance(field, GeneratedField) else field
