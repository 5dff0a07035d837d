"""The columns of the history: what each shows of a ticket on the page, and what it writes into a file."""

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Any

from django.db.models import F
from django.utils.functional import Promise
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from content.dates import short_date
from tickets.definitions.definition import FieldDefinition
from tickets.definitions.fields import display, is_blank
from tickets.enums import Channel, MessageKind, Severity
from tickets.models import Ticket
from tickets.models.querysets import TicketQuerySet
from tickets.search.finding import Snippet, marked
from web.templatetags.ui import avatar, icon, pill, sev

from .report import working_time
from .rows import FOLIO_PLACEHOLDER

ALWAYS_READ = (
    *("folio", "title", "excerpt", "process_version", "severity", "stage", "stage_kind", "channel"),
    *("created_at", "updated_at", "closed_at", "due_at", "severity_order", "resolution_seconds"),
)
"""The columns of a ticket that every list loads: those it may be sorted by, and those that cost little to read."""
ICONS = {
    MessageKind.NOTE: ("lock-fill", gettext_lazy("Nota interna")),
    MessageKind.SOLUTION: ("check2-circle", gettext_lazy("Solución")),
    MessageKind.REPORT: ("chat-left-text", gettext_lazy("Reporte")),
}
NONE = "–"
KNOWN_ALONE = ("severidad", "estado", "responsable")
"""The columns whose cells need no label on a phone."""
OTHER_MESSAGE = ("chat-left-text", gettext_lazy("Mensaje"))


@dataclass(frozen=True)
class Column:
    """Shows one thing of a ticket. `value` is what a file gets: text, a number or a moment. `shown` draws it on the
    page."""

    key: str
    label: str | Promise
    value: Callable[[Ticket], Any]
    shown: Callable[[Ticket], Any] | None = None
    by: Callable[[Ticket], Hashable] | None = None
    """What the cell follows from. Tickets of one page that have the same get the same cell, which is drawn once."""
    order: str = ""
    """The order that sorts by this column."""
    is_number: bool = False
    reads: tuple[str, ...] = ()
    """The columns of the ticket, or of the row it points to, that it needs beside `ALWAYS_READ`."""

    def draw(self, ticket: Ticket) -> Any:
        return self.shown(ticket) if self.shown else self.value(ticket) or NONE


def _moment(name: str) -> Callable[[Ticket], Any]:
    def shown(ticket: Ticket) -> str:
        value: datetime | None = getattr(ticket, name)
        return short_date(value) or NONE

    return shown


def _assignee(ticket: Ticket) -> SafeString:
    if ticket.assignee is None:
        return format_html('<span class="subtle">{}</span>', _("Sin asignar"))
    name = ticket.assignee.name
    return format_html(
        '<span class="qcell">{}<span class="truncate" title="{}">{}</span></span>',
        avatar(name, "sm"),
        name,
        ticket.assignee.get_short_name(),
    )


COLUMNS: dict[str, Column] = {
    column.key: column
    for column in (
        Column("folio", gettext_lazy("Folio"), lambda t: t.folio),
        Column("asunto", gettext_lazy("Asunto"), lambda t: t.title),
        Column(
            "severidad",
            gettext_lazy("Severidad"),
            lambda t: str(Severity(t.severity).label),
            lambda t: sev(str(t.severity), str(Severity(t.severity).label)),
            by=lambda t: t.severity,
            order="severidad",
        ),
        Column(
            "estado",
            gettext_lazy("Estado"),
            lambda t: str(t.stage_definition.label),
            lambda t: pill(t.state_look, str(t.stage_definition.label), "quiet"),
            by=lambda t: (t.process_version_id, t.stage, t.stage_kind),
        ),
        Column(
            "responsable",
            gettext_lazy("Responsable"),
            lambda t: t.assignee.name if t.assignee else "",
            _assignee,
            by=lambda t: t.assignee_id,
            reads=(
                *("assignee", "assignee__name", "assignee__email", "assignee__role"),
                "assignee__is_active",
            ),
        ),
        Column(
            "creado", gettext_lazy("Creado"), lambda t: t.created_at, _moment("created_at"), order="creado"
        ),
        Column(
            "cerrado", gettext_lazy("Cerrado"), lambda t: t.closed_at, _moment("closed_at"), order="cerrado"
        ),
        Column(
            "tiempo",
            gettext_lazy("Tiempo hábil"),
            lambda t: None if t.resolution_seconds is None else round(t.resolution_seconds / 3600, 2),
            lambda t: working_time(t.resolution_seconds),
            order="tiempo",
            is_number=True,
        ),
        Column(
            "satisfaccion",
            gettext_lazy("Satisfacción"),
            lambda t: vars(t)["survey_score"],
            order="satisfaccion",
            is_number=True,
        ),
        Column(
            "departamento",
            gettext_lazy("Departamento"),
            lambda t: str(t.department or ""),
            by=lambda t: t.department_id,
            reads=("department", "department__name", "department__name_en"),
        ),
        Column(
            "categoria",
            gettext_lazy("Categoría"),
            lambda t: str(t.category or ""),
            by=lambda t: t.category_id,
            reads=("category", "category__name", "category__name_en"),
        ),
        Column("proceso", gettext_lazy("Proceso"), lambda t: str(t.definition.name)),
        Column(
            "solicitante", gettext_lazy("Solicitante"), lambda t: t.requester_name, reads=("requester_name",)
        ),
        Column(
            "correo",
            gettext_lazy("Correo del solicitante"),
            lambda t: t.requester_email,
            reads=("requester_email",),
        ),
        Column("canal", gettext_lazy("Canal"), lambda t: str(Channel(t.channel).label)),
        Column("vence", gettext_lazy("Fecha de cierre"), lambda t: t.due_at, _moment("due_at")),
        Column(
            "actividad",
            gettext_lazy("Última actividad"),
            lambda t: t.updated_at,
            _moment("updated_at"),
            order="actividad",
        ),
    )
}
USUAL = (
    "folio",
    "asunto",
    "severidad",
    "estado",
    "responsable",
    "creado",
    "cerrado",
    "tiempo",
    "satisfaccion",
)


Cells = tuple[Column, str, dict[Hashable, str]]
"""A column, how its cells begin, and the cells of a page that were drawn, by what they follow from."""


def own_column(name: str, item: FieldDefinition) -> Column:
    """Return the column of one of the process's own fields; `name` is its parameter in the address."""

    def value(ticket: Ticket) -> str:
        answer = ticket.fields.get(item.key)
        if is_blank(answer):
            return ""
        try:
            return str(display(item, answer))
        except (TypeError, ValueError):  # the field had another type in an earlier version
            return str(answer)

    return Column(name, str(item.label), value, order=name, reads=("fields",))


def for_columns(tickets: TicketQuerySet, columns: Iterable[Column]) -> TicketQuerySet:
    """Return `tickets`, set to load what the columns show, in one query."""
    reads = {name for column in columns for name in column.reads}
    if related := reads & {"assignee", "department", "category"}:
        tickets = tickets.select_related(*sorted(related))
    return tickets.annotate(survey_score=F("survey__score")).only(*ALWAYS_READ, *sorted(reads))


def draw_rows(
    tickets: Iterable[Ticket],
    columns: list[Column],
    *,
    address: str,
    stems: frozenset[str],
    snippets: dict[int, Snippet],
) -> list[SafeString]:
    """Return the row of each ticket. `address` leads to a ticket, with `FOLIO_PLACEHOLDER` for its folio.

    Rows are put together in Python and without `format_html`, and labels are translated once: a page has some hundred
    cells.
    """
    cells: list[Cells] = [(column, _opening(column), {}) for column in columns]
    return [
        _row(
            ticket, cells, address.replace(FOLIO_PLACEHOLDER, ticket.folio, 1), stems, snippets.get(ticket.pk)
        )
        for ticket in tickets
    ]


def _opening(column: Column) -> str:
    """Return how the column's cells begin."""
    css = "num text-end" if column.is_number else "htable__cell"
    label = "" if column.key in KNOWN_ALONE else f' data-label="{escape(str(column.label))}"'
    return f'<td class="{css}"{label}'


def _row(
    ticket: Ticket,
    cells: list[Cells],
    href: str,
    stems: frozenset[str],
    snippet: Snippet | None,
) -> SafeString:
    parts = [f'<tr data-row="{escape(ticket.folio)}">']
    for column, opening, drawn in cells:
        if column.key == "asunto":
            parts.append(_subject(ticket, href, stems, snippet))
        elif column.key == "folio":
            parts.append(f'<td><span class="folio">{escape(ticket.folio)}</span></td>')
        elif column.by is None:
            parts.append(_cell(column, opening, ticket))
        else:
            value = column.by(ticket)
            if value not in drawn:
                drawn[value] = _cell(column, opening, ticket)
            parts.append(drawn[value])
    parts.append("</tr>")
    return SafeString("".join(parts))


def _cell(column: Column, opening: str, ticket: Ticket) -> str:
    shown = column.draw(ticket)
    none = " data-none" if shown == NONE else ""
    return f"{opening}{none}>{conditional_escape(shown)}</td>"


def _subject(ticket: Ticket, href: str, stems: frozenset[str], snippet: Snippet | None) -> str:
    title = highlighted(marked(ticket.title, stems)) if stems else escape(ticket.title)
    below = _snippet(snippet) if snippet else f'<span class="snip truncate">{escape(ticket.excerpt)}</span>'
    return f'<td class="htable__subject"><a class="truncate" href="{escape(href)}" data-open>{title}</a>{below}</td>'


def _snippet(snippet: Snippet) -> str:
    symbol, label = ICONS.get(snippet.kind, OTHER_MESSAGE)
    return (
        f'<span class="snip truncate">{icon(symbol, "sm")} {escape(str(label))} · '
        f"«{highlighted(snippet.parts)}»</span>"
    )


def highlighted(parts: Iterable[tuple[str, bool]]) -> SafeString:
    """Return the pieces of a text as HTML, with those that were looked for in <mark>."""
    return SafeString(
        "".join(f"<mark>{escape(text)}</mark>" if is_found else escape(text) for text, is_found in parts)
    )
