"""Locking tickets, and saving of a locked ticket only what changed, so that PostgreSQL can leave the indexes alone."""

from threading import Event, Thread

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.tests.factories import make_agent
from tickets.models import Ticket
from tickets.record.locking import locked, locked_if_free, save_changes
from tickets.tests.factories import make_ticket
from tickets.workflow.conversation import add_internal_note

pytestmark = pytest.mark.django_db


def columns_written(queries) -> set[str]:
    updates = [query["sql"] for query in queries if query["sql"].startswith('UPDATE "tickets_ticket" SET ')]
    assert len(updates) == 1
    assigned = updates[0].partition(" SET ")[2].partition(" WHERE ")[0]
    return {part.partition('"')[0] for part in assigned.split('"')[1::2]}


def test_note_writes_only_the_version():
    ticket, agent = make_ticket(), make_agent()
    with CaptureQueriesContext(connection) as queries:
        add_internal_note(ticket, actor=agent, body="Revisar mañana")
    assert columns_written(queries) == {"version"}


def test_changed_columns_are_saved_with_their_folded_text():
    ticket = make_ticket(title="Antes", fields={})
    with transaction.atomic():
        row = locked(ticket)
        row.title, row.fields["sede"] = "Después", "Norte"
        save_changes(row)
        with CaptureQueriesContext(connection) as queries:
            row.progress = 40
            save_changes(row)
    assert columns_written(queries) == {"progress"}
    ticket = Ticket.objects.get(pk=ticket.pk)
    assert (ticket.title, ticket.fields, ticket.progress) == ("Después", {"sede": "Norte"}, 40)
    assert "despues" in ticket.text_folded


def test_ticket_that_was_not_locked_is_saved_whole():
    ticket = make_ticket()
    ticket.title = "Otro"
    save_changes(ticket)
    assert Ticket.objects.get(pk=ticket.pk).title == "Otro"


@pytest.mark.django_db(transaction=True)
@pytest.mark.slow
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite locks the whole database")
def test_ticket_that_another_has_locked_is_not_waited_for():
    busy, free = make_ticket(), make_ticket()
    is_locked, is_read = Event(), Event()

    def lock() -> None:
        try:
            with transaction.atomic():
                locked(busy)
                is_locked.set()
                is_read.wait(30)
        finally:
            connection.close()

    other = Thread(target=lock)
    other.start()
    try:
        assert is_locked.wait(30)
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '5s'")
            assert locked_if_free({busy.pk, free.pk}) == {free.pk: free}
    finally:
        is_read.set()
        other.join()


@pytest.mark.slow
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no heap-only tuples")
def test_note_leaves_the_indexes_alone():
    ticket, agent = make_ticket(), make_agent()
    before = hot_updates()
    for number in range(3):
        add_internal_note(ticket, actor=agent, body=f"Nota {number}")
    assert hot_updates() == before + 3


def hot_updates() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT n_tup_hot_upd FROM pg_stat_xact_user_tables WHERE relname = 'tickets_ticket'")
        return cursor.fetchone()[0]
