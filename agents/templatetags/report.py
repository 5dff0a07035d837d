"""Tags that draw the many small parts of the panel: cells of its tables, and marks of its charts.

They are put together in Python and without `format_html`: a panel has some five hundred of them, and template nodes
took a third of its time.
"""

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

from django import template
from django.utils.safestring import SafeString

register = template.Library()

Part = Mapping[str, Any]


@register.simple_tag
def table_rows(rows: Iterable[Part]) -> SafeString:
    """Draw the rows of a table: each has a `name` and `cells`, with a `text` and a `url` that may be empty."""
    return SafeString("".join(
        f'<tr><th scope="row">{_text(row["name"])}</th>{"".join(map(_cell, row["cells"]))}</tr>' for row in rows
    ))  # fmt: skip


def _cell(cell: Part) -> str:
    text = _text(cell["text"])
    if url := cell.get("url"):
        text = f'<a href="{escape(url)}">{text}</a>'
    return f'<td class="r">{text}</td>'


@register.simple_tag
def heat_row(row: Part) -> SafeString:
    """Draw the hours of a weekday: each has its place, its `level` and, if it has a `url`, a `text`."""
    top = row["y"]
    return SafeString("".join(
        _link(
            hour,
            f'<rect data-heat="{hour["level"]}" x="{hour["x"]}" y="{top}" width="22" height="22" rx="4"/>',
        )
        for hour in row["hours"]
    ))  # fmt: skip


@register.simple_tag
def line_marks(marks: Iterable[Part], fill: str) -> SafeString:
    """Draw the points of a line, each with a larger circle around it that is easier to hit."""
    return SafeString("".join(
        _link(
            mark,
            f'<circle class="hit" cx="{mark["point"].x}" cy="{mark["point"].y}" r="9"/>'
            f'<circle class="{fill}" cx="{mark["point"].x}" cy="{mark["point"].y}" r="3"/>',
        )
        for mark in marks
    ))  # fmt: skip


@register.simple_tag
def chart_columns(columns: Iterable[Part]) -> SafeString:
    """Draw the columns of a chart."""
    return SafeString("".join(
        _link(
            column,
            f'<rect class="{column["color"]}" x="{column["x"]}" y="{column["y"]}" width="{column["width"]}"'
            f' height="{column["height"]}" rx="2"/>',
        )
        for column in columns
    ))  # fmt: skip


def _link(part: Part, drawn: str) -> str:
    """Put a link around a part of a chart if it has a `url`, with its `text` for the pointer and for screen readers."""
    if not part["url"]:
        return drawn
    text = escape(part["text"])
    return f'<a href="{escape(part["url"])}" aria-label="{text}"><title>{text}</title>{drawn}</a>'


def _text(value: Any) -> str:
    return escape(str(value))
