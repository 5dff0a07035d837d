"""Write what tickets are searched by: the words of their texts, and the answers to the fields of their process."""

import logging
from collections.abc import Collection, Iterator
from decimal import Decimal
from time import monotonic
from typing import Any

from django.db import connection, transaction
from django.db.models.functions import Left

from content.text import MAX_TEXT, fold
from content.words import stems_in

from ..definitions.definition import FieldDefinition
from ..models import ChangedText, CountingMark, FieldValue, Message, ProcessVersion, Ticket, TicketWords
from ..models.words import SORTED

logger = logging.getLogger(__name__)

MARK = "words"
SECONDS = 20
AT_ONCE = 50
MOST_MESSAGES = 300
"""The messages of one ticket that are searched: the newest."""
MOST_BYTES = 400_000
"""The words of one ticket; PostgreSQL takes no more than a megabyte. The newest messages come first."""
LARGEST = 10**15
"""Numbers up to this one, and down to its negative, are sorted as numbers."""
COLUMNS = (
    "title",
    "requester_name",
    "requester_email",
    "requester_phone",
    "folio",
    "fields",
    "process_version",
)


def index_changed(*, seconds: float = SECONDS) -> int:
    """Write the words of the tickets that are marked, the newest marks first, until `seconds` are over; the next run
    goes on. Returns how many tickets were written. Does nothing while another process writes."""
    until, count = monotonic() + seconds, 0
    CountingMark.objects.get_or_create(name=MARK)
    while monotonic() < until:
        written = _index_some()
        count += written
        if not written:
            break
    return count


@transaction.atomic
def _index_some() -> int:
    """Write the words of some marked tickets. The marks are deleted before the texts are read: a change that is
    committed meanwhile has a mark of its own."""
    mark = CountingMark.objects.select_for_update(
        skip_locked=connection.features.has_select_for_update_skip_locked
    )
    if not mark.filter(name=MARK):
        return 0
    newest = ChangedText.objects.order_by("-id")[:AT_ONCE]
    marks = dict(newest.values_list("id", "ticket"))
    if not marks:
        return 0
    ChangedText.objects.filter(id__in=marks).delete()
    tickets = set(marks.values())
    try:
        with transaction.atomic():
            write(tickets)
    except Exception:
        logger.exception("the words of some tickets cannot be written together")
        _write_each(tickets)
    return len(tickets)


def _write_each(tickets: Collection[int]) -> None:
    """Write the words of these tickets one by one, so that a ticket that cannot be written keeps no other from being
    found. Its mark is gone: it is tried again when its text changes."""
    for pk in tickets:
        try:
            with transaction.atomic():
                write([pk])
        except Exception:
            logger.exception("the words of ticket %s cannot be written", pk)


def write(tickets: Collection[int]) -> None:
    """Write the words and the answers of these tickets anew."""
    rows = list(Ticket.objects.filter(pk__in=tickets).only(*COLUMNS))
    bodies = _messages([row.pk for row in rows])
    TicketWords.objects.bulk_create(
        [TicketWords(ticket_id=row.pk, words=words_of(row, bodies.get(row.pk, []))) for row in rows],
        update_conflicts=True,
        unique_fields=["ticket"],
        update_fields=["words"],
    )
    FieldValue.objects.filter(ticket__in=tickets).delete()
    FieldValue.objects.bulk_create(value for row in rows for value in values_of(row))


def words_of(ticket: Ticket, messages: Collection[str]) -> set[str]:
    """Return the stems of all words that find the ticket, and `field=value` for each answer."""
    texts = (
        ticket.title,
        ticket.requester_name,
        ticket.requester_email,
        ticket.requester_phone,
        ticket.folio,
    )
    found = stems_in("\n".join(texts))
    for item, value in _answers(ticket):
        found |= field_words(item, value) | stems_in(_shown(item, value))
    room = MOST_BYTES - _size(found)
    for message in messages:
        new = stems_in(message) - found
        room -= _size(new)
        if room < 0:
            break
        found |= new
    return found


def _size(words: Collection[str]) -> int:
    return sum(len(word.encode()) + 8 for word in words)


def field_words(item: FieldDefinition, value: Any) -> set[str]:
    """Return the words by which tickets are filtered that answered `value`: one for each option or word of it."""
    match item.type:
        case "choice" | "multi_choice":
            values = value if isinstance(value, list) else [value]
            return {f"{item.key}={_plain(each)}" for each in values}
        case "yes_no":
            return {f"{item.key}={'si' if value else 'no'}"}
        case "number" | "date":
            return {f"{item.key}={_plain(value)}"}
        case _:
            return {f"{item.key}={stem}" for stem in stems_in(str(value))}


def sort_value(item: FieldDefinition, value: Any) -> str:
    """Return the answer so that the order of texts is that of answers: numbers with as many digits before the point."""
    if item.type == "number" and isinstance(value, (int, float)):
        return f"{Decimal(str(value)) + LARGEST:024.6f}"[:SORTED]
    return fold(_shown(item, value))[:SORTED]


def values_of(ticket: Ticket) -> Iterator[FieldValue]:
    """Yield the ticket's answers, not saved, by which lists are sorted."""
    process = ProcessVersion.objects.process_of(ticket.process_version_id)
    for item, value in _answers(ticket):
        if text := sort_value(item, value).replace("\0", ""):
            yield FieldValue(ticket_id=ticket.pk, process_id=process, key=item.key, value=text)


def _answers(ticket: Ticket) -> Iterator[tuple[FieldDefinition, Any]]:
    for item in ticket.definition.fields:
        value = ticket.fields.get(item.key)
        if value not in (None, "", []):
            yield item, value


def _shown(item: FieldDefinition, value: Any) -> str:
    """Return the answer as people read it; options in Spanish, the language of the sort."""
    if item.type in ("choice", "multi_choice"):
        labels = {option.key: option.label.es for option in item.options}
        values = value if isinstance(value, list) else [value]
        return " ".join(labels.get(str(each), str(each)) for each in values)
    return "" if item.type == "yes_no" else str(value)


def _plain(value: Any) -> str:
    return fold(str(value)).replace(" ", "_")


def _messages(tickets: Collection[int]) -> dict[int, list[str]]:
    """Return the texts of the messages of these tickets, each cut to what is searched."""
    found: dict[int, list[str]] = {}
    rows = Message.objects.filter(ticket__in=tickets).order_by("ticket", "-created_at", "-id")
    cut = rows.values_list("ticket", Left("body", MAX_TEXT), Left("steps", MAX_TEXT))
    for ticket, body, steps in cut.iterator(chunk_size=500):
        bodies = found.setdefault(ticket, [])
        if len(bodies) < MOST_MESSAGES:
            bodies.append(f"{body}\n{steps}" if steps else body)
    return found
