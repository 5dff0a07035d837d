"""A ticket was deflected only if the person said so and filed nothing in the category for a week."""

import uuid
from datetime import timedelta
from importlib import import_module
from threading import Barrier, Thread

import pytest
from django.db import DatabaseError, connection
from django.utils import timezone

from accounts.tests.factories import make_user
from knowledge import deflections
from knowledge.enums import DeflectionOutcome
from knowledge.models import Deflection
from knowledge.suggestions import Suggestion
from knowledge.tests.factories import make_article
from tickets.models import Ticket
from tickets.tests.factories import make_process, make_ticket

pytestmark = [pytest.mark.django_db, pytest.mark.demand("S3.20")]
WEEK = timedelta(days=7)


def said(*, days: float = 0, **fields) -> Deflection:
    article = make_article(f"Artículo {uuid.uuid4().hex[:6]}")
    values = {"process": "soporte-con-aprobacion", "category": "", **fields}
    row = deflections.record(Suggestion("", [], 1.0, article=article), **values)
    Deflection.objects.filter(pk=row.pk).update(at=timezone.now() - timedelta(days=days))
    row.refresh_from_db()
    return row


def outcome(row: Deflection) -> str:
    row.refresh_from_db()
    return row.outcome


def test_counts_a_week_later_and_forgets_who_it_was():
    user, draft = make_user(), uuid.uuid4()
    young, old = said(user=make_user(), days=6.9), said(user=user, visitor="v" * 64, draft=draft, days=7.1)

    assert deflections.settle() == 1
    old.refresh_from_db()
    assert (old.outcome, old.user, old.visitor, old.draft) == (DeflectionOutcome.COUNTED, None, "", None)
    assert outcome(young) == DeflectionOutcome.PENDING
    assert list(deflections.counted()) == [old]
    assert list(deflections.counted(articles=[young.article])) == []


@pytest.mark.parametrize(
    ("after", "same_category", "expected"),
    [
        (1, True, "filed"),
        (6.9, True, "filed"),
        (7.1, True, "counted"),
        (-1, True, "counted"),
        (1, False, "counted"),
    ],
)
def test_ticket_on_any_way_in_takes_it_back(after, same_category, expected):
    user, process = make_user(), make_process()
    first, other = process.categories.all()[:2]
    row = said(user=user, category=first.key, days=10)
    ticket = make_ticket(process, requester=user, category=first if same_category else other)
    Ticket.objects.filter(pk=ticket.pk).update(created_at=row.at + timedelta(days=after))
    deflections.settle()

    assert outcome(row) == expected


def test_ticket_of_somebody_else_takes_nothing_back():
    process = make_process()
    row = said(user=make_user(), category=process.categories.first().key, days=8)
    ticket = make_ticket(process)
    Ticket.objects.filter(pk=ticket.pk).update(created_at=row.at)
    deflections.settle()

    assert outcome(row) == DeflectionOutcome.COUNTED


def test_guest_who_files_in_the_same_browser_is_not_counted():
    mine, other = said(visitor="a" * 64, category="x"), said(visitor="b" * 64, category="x")
    elsewhere = said(visitor="a" * 64, category="y")

    assert deflections.take_back(process=mine.process, category="x", user=make_user(), visitor="a" * 64) == 1
    assert [outcome(each) for each in (mine, other, elsewhere)] == ["filed", "pending", "pending"]
    assert deflections.take_back(process=mine.process, category="x", user=None, visitor="") == 0


def test_saying_it_again_counts_once():
    user = make_user()
    first = said(user=user, days=3)
    again = said(user=user, visitor="c" * 64)

    assert (Deflection.objects.count(), again.pk) == (1, first.pk)
    assert again.at > first.at
    assert (
        deflections.record(Suggestion("", [], 1.0, article=again.article), process="p", category="") is None
    )


def test_account_and_browser_of_one_person_count_once():
    user, article = make_user(), make_article("Artículo")
    as_guest, elsewhere = said(visitor="a" * 64, days=2), said(user=user, visitor="b" * 64, days=1)

    row = said(user=user, visitor="a" * 64)

    assert row.pk in (as_guest.pk, elsewhere.pk)
    assert list(Deflection.objects.values_list("user", "visitor")) == [(user.pk, "a" * 64)]
    assert deflections.record(
        Suggestion("", [], 1.0, article=article), process=row.process, category="x", user=user
    )
    assert Deflection.objects.count() == 2


def at_once(*acts) -> list[Exception]:
    """Run every act in a thread of its own, all together. Returns the errors."""
    start, errors = Barrier(len(acts)), []

    def run(act) -> None:
        start.wait(timeout=30)
        try:
            act()
        except DatabaseError as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [Thread(target=run, args=[act]) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    return errors


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_guest", [True, False])
def test_said_in_several_tabs_at_once_counts_once(is_guest):
    person = {"visitor": "a" * 64} if is_guest else {"user": make_user(), "visitor": "a" * 64}
    article = make_article("Artículo")

    def say() -> None:
        deflections.record(Suggestion("", [], 1.0, article=article), process="p", category="x", **person)

    for _ in range(5):
        assert at_once(say, say, say, say) == []
        assert Deflection.objects.count() == 1
        Deflection.objects.all().delete()


def test_upgrade_forgets_what_was_said_twice():
    article, user = make_article("Artículo"), make_user()
    with connection.cursor() as cursor:
        for name in ("deflection_of_user_once", "deflection_of_visitor_once"):
            cursor.execute(f"DROP INDEX {name}")
    rows = [
        Deflection.objects.create(process="p", article=article, **fields)
        for fields in (
            {"user": user, "visitor": "a" * 64},
            {"visitor": "a" * 64},
            {"visitor": "b" * 64},
            {"visitor": "b" * 64, "category": "x"},
            {"user": make_user()},
            {"user": user, "outcome": "counted"},
            {"user": user, "visitor": "c" * 64},
        )
    ]
    with connection.cursor() as cursor:
        cursor.execute(import_module("knowledge.migrations.0005_one_pending_deflection").FORGET_REPEATED)

    assert set(Deflection.objects.all()) == set(rows[1:])


def test_rows_that_no_report_shows_are_deleted():
    said(user=make_user(), days=deflections.KEPT_DAYS + 1)
    deflections.settle()
    kept = said(user=make_user())

    assert deflections.forget_old() == 1
    assert list(Deflection.objects.all()) == [kept]
