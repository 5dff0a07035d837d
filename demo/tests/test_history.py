"""The demo's quarter of ended tickets loads with any date, agrees with its own events, and comes before the stories."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from demo.replay import history
from demo.replay.loading import load_desk
from tickets.facts import counting, verifying
from tickets.models import Clock, DailyCounts, FolioCounter, Message, StageVisit, Ticket, TicketEvent
from tickets.search import indexing

pytestmark = pytest.mark.django_db


@pytest.fixture
def loaded():
    load_desk()
    return history.load(timezone.now())


def test_history_is_a_quarter_of_ended_tickets_of_every_process(loaded):
    tickets = Ticket.objects.all()
    assert loaded == tickets.count() > 150
    assert not tickets.filter(closed_at__isnull=True).exists()
    assert tickets.values("process_version__process").distinct().count() == 5
    first, last = tickets.earliest("created_at").created_at, tickets.latest("closed_at").closed_at
    assert timedelta(days=70) < last - first < timedelta(days=91)
    assert timedelta() < timezone.now() - last < timedelta(days=9)


def test_nothing_of_it_lies_ahead_and_folios_follow_the_arrivals(loaded):
    now = timezone.now()
    for model, name in (
        (Message, "created_at"),
        (TicketEvent, "at"),
        (StageVisit, "left_at"),
        (Clock, "started_at"),
    ):
        assert not model.objects.filter(**{f"{name}__gt": now}).exists()
    folios = list(Ticket.objects.order_by("created_at", "id").values_list("folio", flat=True))
    assert folios == sorted(folios)
    assert FolioCounter.objects.get().last == 10_000 + loaded


def test_stays_and_counts_agree_with_the_events(loaded):
    counting.count_dirty(seconds=60)
    wrong = [finding.what for finding in verifying.verify() if not finding.is_right]
    assert wrong == []
    assert DailyCounts.objects.filter(scope="desk").count() > 60
    assert indexing.index_changed(seconds=60) == loaded


def test_hours_and_weekdays_stay_what_they_were_whenever_it_is_loaded(loaded):
    def times():
        return [
            moment.strftime("%a %H:%M:%S")
            for moment in Ticket.objects.order_by("pk").values_list("created_at", flat=True)
        ]

    before = times()
    Clock.objects.all().delete()
    TicketEvent.objects.all().delete()
    Message.objects.all().delete()
    Ticket.objects.all().delete()
    history.load(datetime(2031, 2, 26, 3, tzinfo=UTC))
    assert times() == before
    latest = Ticket.objects.latest("closed_at").closed_at
    assert timedelta() < datetime(2031, 2, 26, 3, tzinfo=UTC) - latest < timedelta(days=9)


def test_people_of_events_are_those_of_this_database(loaded):
    event = TicketEvent.objects.filter(data__changes__has_key="assignee_id").first()
    assert event is not None
    staff = {user.pk for user in load_desk().values() if user.is_desk_staff}
    assert {pk for pk in event.data["changes"]["assignee_id"] if pk is not None} <= staff
