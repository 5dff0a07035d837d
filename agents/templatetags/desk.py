"""Tags and filters for the back office's templates, in addition to `ui`."""

import uuid
from collections.abc import Iterator
from typing import Any

from django import template
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from tickets.lists.queues import MANY
from tickets.models import Ticket
from web.files import file_row
from web.templatetags.ui import duration, sla

from ..pages.rows import FOLIO_PLACEHOLDER, Row

register = template.Library()


@register.filter
def bounded(count: int | None) -> str:
    """Return the count as text, «99+» where counting stopped, and an empty text for None."""
    if count is None:
        return ""
    return f"{MANY - 1}+" if count >= MANY else str(count)


register.filter(file_row)


@register.filter
def file_rows(attachments: Any) -> list[dict[str, Any]]:
    return [file_row(attachment) for attachment in attachments]


@register.simple_tag(takes_context=True)
def ticket_url(context: dict[str, Any], ticket: Ticket, name: str = "", *args: str) -> str:
    """Return the address of the ticket's page `name`, carrying the queue that the person came from."""
    url = reverse(f"agents:ticket_{name}" if name else "agents:ticket", args=[ticket.folio, *args])
    origin = context.get("origin")
    return f"{url}?{origin}" if origin else url


@register.simple_tag
def fresh_key() -> str:
    """Return a new idempotency key for a form: the verb acts once, even if the form is posted twice."""
    return str(uuid.uuid4())


# --- A row of the queue -----------------------------------------------------------------------------------
#
# Unlike other HTML, these cells are built in Python: a page has fifty rows, and rendering them with template nodes took
# most of its time.


@register.filter
def box_cell(row: Row, label: str) -> SafeString:
    """Return the cell with the row's checkbox. `label` is the checkbox's name, with `FOLIO_PLACEHOLDER` for the
    folio."""
    folio = row.ticket.folio
    return format_html(
        '<td class="qtable__box"><input class="form-check-input" type="checkbox" name="sel" value="{}"'
        ' aria-label="{}"></td>',
        folio,
        label.replace(FOLIO_PLACEHOLDER, folio),
    )


@register.filter
def subject_cells(row: Row, fresh: str) -> SafeString:
    """Return the cells folio, subject with tags, and requester. `fresh` is the tooltip of the new-reply dot."""
    ticket = row.ticket
    dot = format_html('<span class="dot dot--new" title="{}"></span>', fresh) if row.has_new_reply else ""
    return format_html(
        '<td><span class="folio">{}</span></td>'
        '<td class="qtable__subject"><span class="qrow__subject">{}<a class="truncate" href="{}" data-open>{}</a>'
        '{}<span class="snip truncate">{}</span></span></td>'
        '<td class="qtable__requester muted" title="{}">{}</td>',
        ticket.folio,
        dot,
        row.href,
        ticket.title,
        format_html_join("", '<span class="tag{}">{}</span>', _tags(row)),
        ticket.excerpt,
        ticket.requester_name,
        ticket.requester_name,
    )


@register.filter
def promise(row: Row) -> SafeString:
    """Return the time of the nearest promise with its ring, and what is promised; a dash if nothing is."""
    status = row.promise
    if status is None:
        return SafeString('<span class="subtle">—</span>')
    return format_html(
        '<span class="promise">{}<span class="promise__of truncate">{}</span></span>',
        sla(status.state, duration(status.left), status.percent),
        row.promise_label,
    )


def _tags(row: Row) -> Iterator[tuple[str, str]]:
    if row.is_elevated:
        yield " tag--bad", gettext("Elevado")
    if row.ticket.is_test:
        yield "", gettext("Prueba")
    if row.is_inactive:
        yield " tag--warn", gettext("Inactivo")
