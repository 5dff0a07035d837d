"""`fill` writes rows directly; the columns that pages read have the values that the verbs of `tickets` would write."""

import dataclasses

import pytest
from django.db.models import Count, F, Max, Q

from bench.desk import Story
from bench.filling import CHILDREN, fill
from tickets import clocks
from tickets.models import Attachment, Clock, Delivery, FolioCounter, Message, Ticket, TicketEvent

pytestmark = pytest.mark.django_db
SIZE = 60


@pytest.fixture
def filled():
    fill(SIZE, say=lambda line: None)


def test_fill_continues_where_it_stopped(filled):
    before = list(Ticket.objects.order_by("pk").values_list("folio", "title"))
    fill(SIZE, say=lambda line: None)
    assert Ticket.objects.count() == SIZE
    fill(SIZE + 5, say=lambda line: None)
    after = list(Ticket.objects.order_by("pk").values_list("folio", "title"))
    assert after[:SIZE] == before
    assert len({folio for folio, _title in after}) == SIZE + 5
    assert after[-1][0].endswith(str(FolioCounter.objects.get().last))


def test_ticket_versions_count_the_events(filled):
    counted = Ticket.objects.annotate(
        all_events=Count("events"), public_events=Count("events", filter=Q(events__is_public=True))
    )
    assert counted.filter(all_events=F("version"), public_events=F("public_version")).count() == SIZE
    assert TicketEvent.objects.filter(message__isnull=False).count() == Message.objects.count()
    assert Message.objects.exclude(ticket=F("event__ticket")).count() == 0


def test_stages_and_clocks_agree(filled):
    for ticket in Ticket.objects.select_related("process_version"):
        stage = ticket.stage_definition
        assert ticket.stage_kind == stage.kind
        assert ticket.progress == stage.progress
        assert (ticket.closed_at is not None) == stage.is_end
    assert Ticket.objects.closed().count() > Ticket.objects.open().count() > 0
    running = Clock.objects.filter(kind="resolution", stopped_at__isnull=True)
    assert not running.exclude(due_at=F("ticket__due_at")).exists()
    for ticket in Ticket.objects.prefetch_related("clocks"):
        assert ticket.due_order == clocks.due_order(ticket.clocks.all())
    assert not Clock.objects.filter(
        kind="resolution", ticket__closed_at__isnull=False, stopped_at=None
    ).exists()


def test_every_list_of_a_story_is_saved(filled):
    lists = {entry.name for entry in dataclasses.fields(Story)} - {"ticket"}
    assert set(CHILDREN) == lists
    assert Delivery.objects.exclude(event__ticket=None).count() > SIZE


def test_conversations_have_a_usual_length(filled):
    per_ticket = Message.objects.count() / SIZE
    assert 3 < per_ticket < 6
    assert Ticket.objects.annotate(n=Count("messages")).aggregate(most=Max("n"))["most"] < 15
    assert Attachment.objects.exclude(ticket=F("message__ticket")).count() == 0
