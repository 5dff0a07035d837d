"""Tags and filters for the back office's templates, in addition to `ui`."""

import uuid
from collections.abc import Iterable, Iterator
from html import escape
from typing import Any

from django import template
from django.forms import BoundField
from django.forms.utils import flatatt
from django.template.context import Context
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from accounts.enums import Standing
from knowledge.comparing import Piece
from tickets.lists.preparation import Colleague
from tickets.lists.queues import MANY, Queue
from tickets.models import IncomingEmail, SavedView, Ticket
from web.files import file_row
from web.templatetags.ui import avatar, current, icon, kept_markup, pill, sev, sla, when
from web.wording import brief_duration, until_due

from ..pages.mails import ALARMING
from ..pages.rows import FOLIO_PLACEHOLDER, Row
from ..pages.schedules import closure_times, own_name

register = template.Library()


register.filter(own_name)
register.filter(closure_times)

# --- The rail ---------------------------------------------------------------------------------------------

SECTIONS = {
    "home": ("agents:home",),
    "inbox": (
        *("agents:queue", "agents:ticket", "agents:new_ticket", "agents:assign", "agents:hand_over"),
        *("agents:history", "agents:export", "agents:nonconformit", "agents:overtaken"),
        *("agents:customer", "agents:process_map"),
    ),
    "prepare": ("agents:prepare",),
    "panel": ("agents:panel", "agents:process_times", "agents:what_if", "agents:report", "agents:new_report"),
    "knowledge": (
        *("agents:article", "agents:new_article", "agents:missed", "agents:synonyms", "agents:knowledge_"),
        *("agents:deflections", "agents:hide_pattern"),
    ),
    "schedules": (
        "agents:schedules",
        "agents:calendar",
        "agents:new_calendar",
        "agents:change",
        "agents:targets",
        "agents:widget",
    ),
    "mails": ("agents:mail", "agents:blocked_sender", "agents:address", "agents:new_address"),
    "health": ("health",),
    "settings": (
        *("setup", "agents:connected_app", "agents:new_connected_app"),
        *("agents:make_app_secret", "agents:revoke_app_secret"),
    ),
}
"""How the URL names of the pages begin that each link of the rail stands for. Every page of the back office has one."""


@register.simple_tag(takes_context=True)
def in_rail(context: Context, section: str) -> SafeString:
    """`{% in_rail "inbox" %}`: write aria-current if the page belongs to this section of the back office."""
    return current(context, *SECTIONS[section])


@register.filter
def bounded(count: int | None) -> str:
    """Return the count as text, «99+» where counting stopped, and an empty text for None."""
    if count is None:
        return ""
    return f"{MANY - 1}+" if count >= MANY else str(count)


register.filter(file_row)


@register.filter
def is_alarming(mail: IncomingEmail) -> bool:
    """Whether the mail pretends to come from somebody else."""
    return mail.reason in ALARMING


@register.filter
def changes(pieces: Iterable[Piece]) -> SafeString:
    """Draw a comparison of two texts: what was removed as <del>, what was added as <ins>."""
    looks = {"added": "<ins>{}</ins>", "removed": "<del>{}</del>"}
    drawn = ((format_html(looks.get(piece.kind, "{}"), piece.text),) for piece in pieces)
    return format_html_join("", "{}", drawn)


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


# --- Links to the queues ----------------------------------------------------------------------------------


@register.simple_tag
def queue_link(item: dict[str, Any], current: Queue, *, where: str) -> SafeString:
    """Draw the link to a queue with its figure, for the side list (`where` is "side") or the menu of a phone ("menu").
    `item` has the `queue` and its `count`."""
    queue, count = item["queue"], item["count"]
    return _draw_link(
        queue.key,
        str(queue.label),
        queue.icon,
        bounded(count),
        queue.key == current.key,
        bool(queue.is_alarming and count),
        where,
    )


@kept_markup
def _draw_link(
    key: str, label: str, symbol: str, count: str, is_current: bool, is_bad: bool, where: str
) -> SafeString:
    in_side = where == "side"
    figure = "n n--bad" if is_bad else "n"
    return format_html(
        '<a{} href="{}"{}>{}<span class="truncate">{}</span>{}</a>',
        SafeString(' class="side__link"') if in_side else "",
        reverse("agents:queue_of", args=[key]),
        SafeString(' aria-current="page"') if is_current else "",
        icon(symbol),
        label,
        format_html('<span class="{}">{}</span>', figure if in_side else "push small subtle num", count)
        if count
        else "",
    )


@register.simple_tag
def view_link(view: SavedView, current: SavedView | None, counts: dict[int, int | None]) -> SafeString:
    """Draw the link to a saved view of the history, with its figure once that has been counted."""
    return format_html(
        '<a class="side__link" href="{}?{}{}vista={}"{}>{}<span class="truncate">{}</span>{}</a>',
        reverse("agents:history"),
        view.query,
        "&" if view.query else "",
        view.pk,
        SafeString(' aria-current="page"') if view == current else "",
        icon("people" if view.is_shared else "lock"),
        view.name,
        format_html('<span class="n">{}</span>', _up_to_a_thousand(counts.get(view.pk))),
    )


def _up_to_a_thousand(count: int | None) -> str:
    if count is None:
        return ""
    return f"{number_format(999)}+" if count >= 1000 else str(number_format(count))


# --- A row of the queue -----------------------------------------------------------------------------------


@register.simple_tag
def queue_row(row: Row, *, select: str, fresh: str, nobody: str) -> SafeString:
    """Draw a line of the queue's table.

    `select` is the checkbox's name, with `FOLIO_PLACEHOLDER` for the folio; `fresh` the tooltip of the new-reply dot;
    `nobody` the text for a ticket without assignee. All three are translated once for all rows.
    """
    ticket = row.ticket
    return _draw_row(
        ticket.folio,
        ticket.title,
        row.excerpt,
        " snip--note" if row.note else "",
        ticket.requester_name,
        row.href,
        fresh if row.has_new_reply else "",
        select,
        tuple(_tags(row)),
        (str(ticket.severity), str(row.severity.label)),
        (ticket.state_look, row.stage_label),
        _promised(row),
        row.assignee,
        row.assignee_name or nobody,
        brief_duration(row.idle),
    )


@kept_markup
def _draw_row(
    folio: str,
    title: str,
    excerpt: str,
    excerpt_look: str,
    requester: str,
    href: str,
    fresh: str,
    select: str,
    tags: tuple[tuple[str, str], ...],
    severity: tuple[str, str],
    stage: tuple[str, str],
    promised: tuple[str, str, int, str] | None,
    assignee: str,
    assignee_name: str,
    idle: str,
) -> SafeString:
    """Return the row's HTML, kept in each process for as long as its texts stay the same.

    It is built in Python: a page has fifty rows, and rendering them with template nodes took most of its time.
    """
    return format_html(
        '<tr data-row="{folio}"{unread}>'
        '<td class="qtable__box"><input class="form-check-input" type="checkbox" name="sel" value="{folio}"'
        ' aria-label="{select}"></td>'
        "<td>{severity}</td>"
        '<td><span class="folio">{folio}</span></td>'
        '<td class="qtable__subject"><span class="qrow__subject">{dot}<a class="truncate" href="{href}" data-open>'
        '{title}</a>{tags}<span class="snip{excerpt_look} truncate">{excerpt}</span></span></td>'
        '<td class="qtable__requester muted" title="{requester}">{requester}</td>'
        '<td class="qtable__state">{stage}</td>'
        "<td>{promise}</td>"
        '<td class="qtable__assignee"><span class="qcell">{avatar}<span class="truncate{subtle}">{name}</span></span>'
        "</td>"
        '<td class="qtable__activity num subtle text-end">{idle}</td></tr>',
        folio=folio,
        unread=SafeString(' class="qrow--unread"') if fresh else "",
        select=select.replace(FOLIO_PLACEHOLDER, folio),
        severity=sev(*severity),
        dot=format_html('<span class="dot dot--new" title="{}"></span>', fresh) if fresh else "",
        href=href,
        title=title,
        tags=format_html_join("", '<span class="tag{}">{}</span>', tags),
        excerpt=excerpt,
        excerpt_look=excerpt_look,
        requester=requester,
        stage=pill(*stage, "quiet"),
        promise=_promise(promised),
        avatar=avatar(assignee, "sm"),
        subtle="" if assignee else " subtle",
        name=assignee_name,
        idle=idle,
    )


@register.filter
def promise(row: Row) -> SafeString:
    """Return the time of the nearest promise with its ring, and what is promised; a dash if nothing is."""
    return _promise(_promised(row))


def _promised(row: Row) -> tuple[str, str, int, str] | None:
    status = row.promise
    return (status.state, until_due(status), status.percent, row.promise_label) if status else None


def _promise(promised: tuple[str, str, int, str] | None) -> SafeString:
    if promised is None:
        return SafeString('<span class="subtle">—</span>')
    state, left, percent, of = promised
    return format_html(
        '<span class="promise">{}<span class="promise__of truncate">{}</span></span>',
        sla(state, left, percent),
        of,
    )


def _tags(row: Row) -> Iterator[tuple[str, str]]:
    if row.is_elevated:
        yield " tag--bad", gettext("Elevado")
    if row.ticket.is_test:
        yield "", gettext("Prueba")
    if row.is_inactive:
        yield " tag--warn", gettext("Inactivo")


@register.simple_tag
def listed_row(row: Row, *, nobody: str, with_time: str = "") -> SafeString:
    """Draw a line of the table behind a number, with the measured time if the table has a column for it (`with_time`).
    `nobody` is the text for a ticket without assignee, translated once for all rows."""
    ticket, assignee = row.ticket, row.assignee
    name = (
        f'<span class="qcell">{avatar(assignee, "xs")}{escape(assignee)}</span>'
        if assignee
        else f'<span class="subtle">{escape(nobody)}</span>'
    )
    time = f'<td class="r nowrap">{escape(row.measured)}</td>' if with_time else ""
    return SafeString(
        f"<tr><td>{sev(str(ticket.severity), str(row.severity.label))}</td>"
        f'<td class="folio">{escape(ticket.folio)}</td>'
        f'<td><a href="{escape(row.href)}">{escape(ticket.title)}</a></td>'
        f'<td class="muted">{escape(ticket.requester_name)}</td><td>{name}</td>'
        f'<td class="nowrap">{when(ticket.created_at)}</td>{time}<td>{_promise(_promised(row))}</td></tr>'
    )


# --- The lists of «Preparar» ------------------------------------------------------------------------------


@register.simple_tag
def line_row(item: Ticket, current: Ticket, *, inactive: str, guest: str, escalated: str) -> SafeString:
    """Draw a row of the line of tickets to prepare, which come from `PreparationQueue`. Its tags are translated once
    for all rows."""
    tags = [
        ("tag tag--warn", inactive) if item.requester_standing == Standing.INACTIVE else None,  # type: ignore[attr-defined]
        ("tag", guest) if item.requester_id is None else None,
        ("tag tag--bad", escalated) if item.is_escalated else None,
    ]
    return format_html(
        '<li><a class="qitem" href="{}"{}><span class="qitem__top"><span class="folio">{}</span>{}</span>'
        '<span class="xs subtle num">{}</span><span class="qitem__title truncate">{}</span>'
        '<span class="qitem__meta"><span class="truncate">{}{}</span></span></a></li>',
        reverse("agents:prepare_ticket", args=[item.folio]),
        SafeString(' aria-current="true"') if item.pk == current.pk else "",
        item.folio,
        format_html_join("", '<span class="{}">{}</span>', filter(None, tags)),
        when(item.created_at),
        item.title,
        item.requester_name,
        f" · {item.category}" if item.category_id else "",
    )


@register.simple_tag
def person_card(row: dict[str, Any], field: BoundField, *, open_tickets: str) -> SafeString:
    """Draw a possible assignee as a radio button with how many open tickets they have. `row` is one of
    `PrepareForm.people`; `open_tickets` says what the number counts, for screen readers."""
    option, card = row["option"], row["card"]
    button = format_html(
        '<input type="radio" class="form-check-input{}" name="{}" value="{}"{}>',
        " is-invalid" if field.errors else "",
        field.html_name,
        option.data["value"],
        flatatt(option.data["attrs"]),
    )
    return format_html(
        '<label class="rcard rcard--sm" for="{}">{}{}</label>',
        option.id_for_label,
        button,
        _colleague(card["person"], card["percent"], open_tickets)
        if card
        else format_html('{}<span class="small">{}</span>', avatar("", "sm"), option.choice_label),
    )


def _colleague(person: Colleague, percent: int, open_tickets: str) -> SafeString:
    return format_html(
        '{}<span class="flex-grow-1 min-0"><span class="d-block strong small">{}</span>'
        '<span class="d-block xs subtle truncate">{}</span></span><span class="load xs num muted">'
        '<span>{}<span class="visually-hidden"> {}</span></span>'
        '<svg class="minibar" aria-hidden="true"><rect width="{}%" height="100%"/></svg></span>',
        avatar(person.name, "sm"),
        person.name,
        person.departments,
        bounded(person.load),
        open_tickets,
        percent,
    )
