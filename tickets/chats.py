"""Keep the conversations that people have with the assistant (S0.8): begin one, add lines, attach it to a ticket.

The portal decides what the assistant says. The report that a conversation fills in is a `ReportDraft` like any other.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.models import User
from content.batches import delete_in_batches
from content.text import clean_text

from .drafts import ACCOUNT_DAYS, VISITOR_DAYS, discard_report
from .models import Chat, ReportDraft, Ticket

MOST_LINES = 100
"""The lines that a conversation may have before it is filed. After them the person begins another one."""
LONGEST_QUESTION = 1000
LONGEST_LINE = 60_000

Line = dict[str, Any]


QUESTION, ANSWER = "question", "answer"
"""Kinds of lines: what somebody wants to know, and what was found that may answer it."""


def line(text: str, *, mine: bool = False, kind: str = "", articles: Iterable[tuple[str, str]] = ()) -> Line:
    """Return a line of a conversation: of the person if `mine`, else of the assistant, with the title and the address
    of each article that it names."""
    cleaned = clean_text(text[:LONGEST_LINE], max_length=LONGEST_LINE)
    said: Line = {"mine": mine, "text": cleaned, "at": timezone.now().isoformat()}
    if kind:
        said["kind"] = kind
    if named := [list(article) for article in articles]:
        said["articles"] = named
    return said


def begin(
    *, visitor: str = "", owner: User | None = None, digest: str = "", language: str = "", theme: str = ""
) -> Chat:
    """Store a new conversation of a browser, an account, or whoever holds the secret with this `digest`."""
    return Chat.objects.create(visitor=visitor, owner=owner, digest=digest, language=language, theme=theme)


def find_current(*, visitor: str, user: User | None) -> Chat | None:
    """Return the newest conversation of this account or of this browser before anybody signed in, if there is one.
    A visitor who has not signed in, or who signs in as somebody else, never gets an account's, nor one whose report is
    an account's."""
    mine = Q(owner=user) if user is not None else Q(pk=None)
    if visitor:
        writer = Q(report__owner=None) | Q(report__owner=user)
        mine |= Q(visitor=visitor, owner=None) & writer
    return (
        Chat.objects.filter(mine, digest="").select_related("report").order_by("-updated_at", "-pk").first()
    )


def find_carried(pk: int) -> Chat | None:
    """Return the conversation of a browser or account that a form on its page names; None once it has ended."""
    rows = Chat.objects.filter(pk=pk, digest="").exclude(visitor="", owner=None)
    return rows.select_related("report").first()


def recognise(chat: Chat, visitor: str) -> None:
    """Give a conversation that belongs to no account to the browser that goes on with it: it lost its cookie."""
    Chat.objects.filter(pk=chat.pk, owner=None).update(visitor=visitor)


def page_of(chat: Chat) -> str:
    """Return the name by which the conversation writes its report, beside those of the guide's pages."""
    return f"chat-{chat.pk}"


def find_by_digest(digest: str) -> Chat | None:
    """Return the conversation whose secret has this hash."""
    return Chat.objects.filter(digest=digest).exclude(digest="").select_related("report").first()


def adopt(chat: Chat, user: User) -> None:
    """Give a conversation that a visitor began to the account with which they go on with it."""
    Chat.objects.filter(pk=chat.pk, owner=None).update(owner=user)


@transaction.atomic
def go_on(chat: Chat, *lines: Line, path: str | None = None, owner: User | None = None) -> Chat:
    """Add lines to a conversation and set its `path`, if one is given. Nothing changes once it has a ticket. Of more
    than `MOST_LINES` the oldest are forgotten."""
    row = Chat.objects.select_for_update().get(pk=chat.pk)
    if row.ticket_id is not None:
        return row
    row.lines = [*row.lines, *lines][-MOST_LINES:]
    row.path = row.path if path is None else path
    row.owner = row.owner or owner
    row.updated_at = timezone.now()
    row.save(update_fields=["lines", "path", "owner", "updated_at"])
    return row


def write_report(chat: Chat, report: ReportDraft) -> None:
    """Let the conversation fill in `report`, which is stored. It then belongs to the account of the report, if any: a
    visitor who comes to the browser later must not read it."""
    owner = report.owner or chat.owner
    Chat.objects.filter(pk=chat.pk, ticket=None).update(report=report, owner=owner, updated_at=timezone.now())
    chat.report, chat.owner = report, owner


@transaction.atomic
def attach(chat: Chat, ticket: Ticket, *lines: Line) -> None:
    """Attach the conversation to the ticket that was filed in it, with the `lines` said last. Does nothing the second
    time, and nothing if the ticket has another conversation."""
    row = Chat.objects.select_for_update().get(pk=chat.pk)
    if row.ticket_id is not None or Chat.objects.filter(ticket=ticket).exists():
        return
    row.lines = [*row.lines, *lines]
    row.ticket, row.updated_at = ticket, timezone.now()
    row.save(update_fields=["lines", "ticket", "updated_at"])


def attach_filed(chat: Chat) -> None:
    """Attach the conversation to the ticket of its report, if the report was sent elsewhere: from the guide, or by a
    process that ended before it could attach."""
    if chat.ticket_id is None and chat.report is not None and chat.report.folio:
        ticket = Ticket.objects.filter(folio=chat.report.folio).first()
        if ticket is not None:
            attach(chat, ticket)
            chat.refresh_from_db()


def end(chat: Chat) -> None:
    """End a conversation: nobody finds it again but on its ticket. Without a ticket it is deleted, and its unsent
    report is discarded.

    Others of the same person without a ticket are deleted too: two tabs that began at once began two, and the older one
    would come to light now.
    """
    mine = Q(owner=chat.owner_id) if chat.owner_id else Q(visitor=chat.visitor, owner=None)
    if not chat.digest:
        Chat.objects.filter(mine, digest="", ticket=None).exclude(pk=chat.pk).delete()
    if chat.report is not None:
        discard_report(chat.report)
    if not Chat.objects.filter(pk=chat.pk, ticket=None).delete()[0]:
        Chat.objects.filter(pk=chat.pk).update(visitor="", owner=None, digest="")


def old_chats() -> "QuerySet[Chat]":
    """Return the conversations without a ticket that nobody has gone on with for as long as drafts are kept."""
    now = timezone.now()
    return Chat.objects.filter(
        Q(updated_at__lt=now - timedelta(days=ACCOUNT_DAYS))
        | Q(updated_at__lt=now - timedelta(days=VISITOR_DAYS), owner=None),
        ticket=None,
    )


def forget_old_chats() -> int:
    """Delete the old conversations without a ticket, and end those with one. Returns how many were deleted."""
    ended = timezone.now() - timedelta(days=VISITOR_DAYS)
    filed = Chat.objects.filter(ticket__isnull=False, updated_at__lt=ended)
    filed.exclude(visitor="", owner=None, digest="").update(visitor="", owner=None, digest="")
    return delete_in_batches(old_chats())
