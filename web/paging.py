"""Read one page of a list whose URL contains the cursor."""

from collections.abc import Sequence
from typing import TypeVar

from django.db.models import Model, QuerySet
from django.utils.translation import gettext as _

from content.keyset import InvalidCursor, Page, paginate

Row = TypeVar("Row", bound=Model)


def read_page(
    rows: "QuerySet[Row]", *, order: Sequence[str], size: int, cursor: str
) -> tuple[Page[Row], str]:
    """Return the page at `cursor` and an empty string.

    For a cursor that cannot be read return the first page, and for a page that others have emptied the nearest one,
    each with the message to show.
    """
    try:
        page = paginate(rows, order=order, size=size, cursor=cursor)
    except InvalidCursor as problem:
        return paginate(rows, order=order, size=size), str(problem)
    return page, _("Esa página ya no tiene nada. Te mostramos la más cercana.") if page.is_nearest else ""
