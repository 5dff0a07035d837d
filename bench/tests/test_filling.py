"""`fill` writes rows directly; the columns that pages read have the values that the verbs of `tickets` would write."""

import dataclasses

import pytest
from django.db import connection
from django.db.models import Count, F, Max, Q

from accounts.enums import Role
from accounts.models import Membership, User
from bench import copying, floor, people
from bench.desk import CHILDREN, Story
from bench.filling import FILLED, desk_of, fill
from bench.stories import tell
from notifications.models import OutgoingEmail
from tickets import clocks
from tickets.facts.verifying import verify
from tickets.models import (
    Attachment,
    Clock,
    Delivery,
    FolioCounter,
    Message,
    StageVisit,
    Ticket,
    TicketEvent,
    Turn,
)
from tickets.record.turns import record_turns

pytestmark = pytest.mark.django_db
SIZE = 60


@pytest.fixture
def filled():
    fill(SIZE, say=lambda line: None, counts_days=False)


def test_tickets_follow_from_their_numbers(filled):
    ticket = Ticket.objects.order_by("pk").last()
    assert (ticket.pk, Ticket.objects.count()) == (SIZE, SIZE)
    assert ticket.folio.endswith(str(FolioCounter.objects.get().last))
    again = tell(SIZE - 1, desk_of(SIZE, ticket.created_at))
    assert again.ticket.title == ticket.title
    assert [message.body for message in again.messages] == [m.body for m in ticket.messages.order_by("pk")]


def test_new_rows_get_ids_after_the_filled_ones(filled):
    last = Message.objects.latest("pk")
    last.pk = None
    last.save()
    assert last.pk == Message.objects.aggregate(highest=Max("pk"))["highest"]


def test_ticket_versions_count_the_events(filled):
    counted = Ticket.objects.annotate(
        all_events=Count("events"), public_events=Count("events", filter=Q(events__is_public=True))
    )
    assert counted.filter(all_events=F("version"), public_events=F("public_version")).count() == SIZE
    assert TicketEvent.objects.filter(message__isnull=False).count() == Message.objects.count()
    assert Message.objects.exclude(ticket=F("event__ticket")).count() == 0


def test_stages_and_clocks_agree(filled):
    for ticket in Ticket.objects.select_related("process_version").prefetch_related("clocks"):
        stage = ticket.stage_definition
        assert ticket.stage_kind == stage.kind
        assert ticket.progress == stage.progress
        assert (ticket.closed_at is not None) == stage.is_end
        assert ticket.due_order == clocks.due_order(ticket.clocks.all())
    assert Ticket.objects.closed().count() > 0
    assert Ticket.objects.open().count() > 0
    running = Clock.objects.filter(kind="resolution", stopped_at__isnull=True)
    assert not running.exclude(due_at=F("ticket__due_at")).exists()
    assert not Clock.objects.filter(
        kind="resolution", ticket__closed_at__isnull=False, stopped_at=None
    ).exists()


def test_stays_and_daily_counts_are_those_that_events_and_tickets_tell():
    fill(20, say=lambda line: None)
    assert StageVisit.objects.count() > 20
    assert {finding.is_right for finding in verify()} == {True}


def test_turns_are_those_that_verbs_write():
    fill(SIZE * 4, say=lambda line: None)  # one process of five gives turns
    written = set(Turn.objects.values_list("ticket", "who"))
    for ticket in Ticket.objects.select_related("process_version", "assignee"):
        record_turns(ticket)
    assert written == set(Turn.objects.values_list("ticket", "who"))
    assert written


def test_every_list_of_a_story_is_saved(filled):
    lists = {entry.name for entry in dataclasses.fields(Story)} - {"ticket"}
    assert set(CHILDREN) == lists
    assert len(FILLED) == len(lists) + 1
    assert Delivery.objects.exclude(event__ticket=None).count() > SIZE
    recent = OutgoingEmail.objects.filter(delivery__event=F("event"), ticket=F("event__ticket"))
    assert 0 < recent.count() == OutgoingEmail.objects.count()


def test_conversations_have_a_usual_length(filled):
    per_ticket = Message.objects.count() / SIZE
    assert 3 < per_ticket < 6
    assert Ticket.objects.annotate(n=Count("messages")).aggregate(most=Max("n"))["most"] < 15
    assert Attachment.objects.exclude(ticket=F("message__ticket")).count() == 0


def test_guests_have_an_address_and_no_account(filled):
    guests = Ticket.objects.filter(requester=None)
    assert 0 < guests.count() < SIZE
    assert not guests.filter(requester_email="").exists()
    assert not Message.objects.filter(
        ticket__requester=None, from_requester=True, author__isnull=False
    ).exists()


def test_staff_are_in_two_departments_but_the_last_agent(filled):
    staff = User.objects.filter(role__in=[Role.AGENT, Role.SUPERVISOR])
    places = dict(staff.annotate(n=Count("memberships")).values_list("email", "n"))
    assert len(places) == people.AGENTS + people.SUPERVISORS == 40
    alone = f"agente{people.AGENTS - 1}@bench.test"
    assert places.pop(alone) == 1
    assert set(places.values()) == {2}
    assert Membership.objects.get(user__email=alone).department.key == people.ARCHIVE
    assert Ticket.objects.open().filter(department__key=people.ARCHIVE).count() == 20


def test_floor_table_is_made_last(filled):
    assert floor.is_made()
    floor.drop()
    assert not floor.is_made()


@pytest.mark.slow  # only PostgreSQL has COPY
def test_copied_rows_equal_inserted_ones(filled):
    copied = {model: list(model.objects.order_by("pk").values()) for model in FILLED}
    for model in reversed(FILLED):
        model.objects.all().delete()
    for model in FILLED:
        model.objects.bulk_create([model(**_stored(model, row)) for row in copied[model]])
        assert list(model.objects.order_by("pk").values()) == copied[model]


def _stored(model, row):
    generated = {field.attname for field in model._meta.concrete_fields if field.generated}
    return {name: value for name, value in row.items() if name not in generated}


@pytest.mark.slow  # only PostgreSQL keeps the definitions of indexes
def test_dropped_indexes_come_back_as_they_were():
    def indexes():
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT indexrelid::regclass::text, indkey::text, indisunique, indpred IS NULL FROM pg_index"
                " WHERE indrelid = 'tickets_ticket'::regclass ORDER BY 1"
            )
            return cursor.fetchall()

    before = indexes()
    with copying.without_indexes(["tickets_ticket"]):
        assert len(indexes()) == 1
    assert indexes() == before
