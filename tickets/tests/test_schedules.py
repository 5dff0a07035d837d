"""Changes of calendars: what they would do, what they do, and what they leave alone (S2.33, S2.34)."""

import threading
from dataclasses import replace
from datetime import datetime, timedelta
from unittest import mock
from zoneinfo import ZoneInfo

import pytest
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from accounts.tests.factories import make_agent, make_supervisor, make_user
from content.errors import InvalidData
from tickets import clocks
from tickets.calendars import CalendarRules, hours_between
from tickets.enums import ChangeState
from tickets.exceptions import NotAllowed
from tickets.facts.measures import MEASURES
from tickets.models import Calendar, DueChange, ScheduleChange, Ticket, TicketEvent
from tickets.schedules import applying, job, proposing
from tickets.schedules.holidays import copy_holidays
from tickets.workflow import conversation, properties, sweeps
from tickets.workflow.intake import file_ticket
from tickets.workflow.perform import perform
from tickets.workflow.publishing import publish

BOGOTA = ZoneInfo("America/Bogota")
SOURCE = """
format = 1
key = "taller"
name = "Taller"

[[calendars]]
key = "oficina"
label = "Oficina"
zone = "America/Bogota"
week = { mon = [["08:00", "17:00"]], tue = [["08:00", "17:00"]], wed = [["08:00", "17:00"]], \
thu = [["08:00", "17:00"]], fri = [["08:00", "17:00"]] }

[targets]
calendar = "oficina"

[targets.first_response]
problem = "2h"
procedure = "2h"

[targets.resolution]
problem = "18 working hours"
procedure = "27 working hours"

[[categories]]
key = "pantalla"
label = "Pantalla"

[[stages]]
key = "nuevo"
label = "Nuevo"
kind = "evaluation"
owner = "staff"

[[stages]]
key = "espera"
label = "Espera"
kind = "waiting_customer"
owner = "requester"

[[stages]]
key = "listo"
label = "Listo"
kind = "done"
owner = "nobody"

[[actions]]
key = "preguntar"
label = "Preguntar"
from = ["nuevo"]
to = "espera"
by = ["staff"]

[[actions]]
key = "seguir"
label = "Seguir"
from = ["espera", "listo"]
to = "nuevo"
by = ["staff"]

[[actions]]
key = "terminar"
label = "Terminar"
from = ["nuevo"]
to = "listo"
by = ["staff"]

[[actions]]
key = "elevar"
label = "Elevar"
from = ["nuevo"]
by = ["staff"]
effects = ["escalate"]
"""


def at(*parts):
    return datetime(*parts, tzinfo=BOGOTA)


def wall(*parts):
    """Return what the clock on the wall of the desk shows."""
    return at(*parts).replace(tzinfo=None)


MONDAY = at(2026, 11, 23, 8, 0)
"""Due on Tuesday at 17:00 under the first hours."""
LONGER = (hours_between(("08:00", "20:00")),) * 5 + ((), ())
SHORTER = (hours_between(("08:00", "14:00")),) * 5 + ((), ())


def on(moment):
    return mock.patch.object(timezone, "now", return_value=moment)


class Desk:
    def __init__(self):
        self.process = publish(SOURCE).process
        self.agent, self.supervisor = make_agent(), make_supervisor()

    @property
    def calendar(self):
        return Calendar.objects.select_related("current").get()

    @property
    def rules(self):
        return self.calendar.current.as_rules

    def file(self, moment):
        with on(moment):
            return file_ticket(
                self.process,
                actor=make_user(),
                category=self.process.categories.get(),
                title="No enciende",
                description="Desde ayer.",
            )

    def do(self, moment, ticket, action):
        with on(moment):
            return perform(ticket, action, actor=self.agent)

    def propose(self, moment, **changes):
        with on(moment):
            change = proposing.propose(self.calendar, replace(self.rules, **changes), actor=self.supervisor)
            return job.go_on(change, seconds=30)

    def apply(self, moment, change):
        with on(moment):
            applying.confirm(change, actor=self.supervisor)
            return job.go_on(change, seconds=30)

    def change(self, moment, **changes):
        return self.apply(moment, self.propose(moment, **changes))


@pytest.fixture
def desk(db):
    return Desk()


def clock(ticket, kind="resolution"):
    [found] = ticket.clocks.filter(kind=kind)
    return found


def figures(change, *names):
    return tuple(change.tally[name] for name in names)


def test_draft_says_which_tickets_are_due_later_and_moves_nothing(desk):
    first, second = desk.file(MONDAY), desk.file(MONDAY + timedelta(hours=2))
    done = desk.file(MONDAY)
    desk.do(MONDAY + timedelta(hours=1), done, "terminar")
    before = list(Ticket.objects.order_by("pk").values())
    draft = desk.propose(MONDAY + timedelta(hours=3), week=SHORTER)
    assert (draft.state, draft.percent) == (ChangeState.DRAFT, 100)
    assert figures(draft, "done", "later", "earlier", "same", "breached", "cleared") == (2, 2, 0, 0, 0, 0)
    moved = {row.ticket: (row.before, row.after) for row in draft.dues.all()}
    assert moved == {
        first: (at(2026, 11, 24, 17, 0), at(2026, 11, 25, 14, 0)),
        second: (at(2026, 11, 25, 10, 0), at(2026, 11, 26, 10, 0)),
    }
    assert list(Ticket.objects.order_by("pk").values()) == before
    assert desk.calendar.current.number == 1


def test_saving_does_what_the_draft_said_and_touches_nothing_else(desk):
    tickets = [desk.file(MONDAY), desk.file(MONDAY + timedelta(minutes=30))]
    draft = desk.propose(MONDAY + timedelta(hours=1), week=SHORTER)
    foretold = list(draft.dues.values_list("clock", "before", "after"))
    kept = list(Ticket.objects.order_by("pk").values_list("version", "public_version", "updated_at"))
    events = TicketEvent.objects.count()
    change = desk.apply(MONDAY + timedelta(hours=1), draft)
    assert (change.state, change.tally) == (ChangeState.APPLIED, draft.tally)
    assert list(change.dues.values_list("clock", "before", "after")) == foretold
    assert not change.dues.filter(is_applied=False).exists()
    for ticket in tickets:
        ticket.refresh_from_db()
        assert clock(ticket).due_at == ticket.due_at == change.dues.get(ticket=ticket).after
        assert clock(ticket).calendar_version == desk.calendar.current == change.version
        assert ticket.due_order == clocks.due_order(ticket.clocks.all())
    assert list(Ticket.objects.order_by("pk").values_list("version", "public_version", "updated_at")) == kept
    assert TicketEvent.objects.count() == events
    assert desk.file(MONDAY).due_at == tickets[0].due_at


def test_elapsed_targets_do_not_move(desk):
    ticket = desk.file(MONDAY)
    desk.change(MONDAY, week=SHORTER)
    assert clock(ticket, "first_response").due_at == MONDAY + timedelta(hours=2)


def test_a_date_that_passes_only_under_the_new_hours_is_breached_and_elevates(desk):
    """S2.32"""
    ticket = desk.file(MONDAY)
    with on(MONDAY + timedelta(hours=1)):
        conversation.send_follow_up(ticket, actor=desk.agent, body="Lo vemos.")
    change = desk.change(at(2026, 11, 24, 15, 0), week=LONGER)
    assert figures(change, "earlier", "breached", "raised", "released") == (1, 1, 1, 0)
    assert clock(ticket).breached_at == clock(ticket).due_at == at(2026, 11, 24, 14, 0)
    ticket.refresh_from_db()
    assert ticket.is_escalated
    with on(at(2026, 11, 24, 15, 1)):
        sweeps.breach_overdue()
    assert not ticket.events.filter(kind="breached", data__clock="resolution").exists()


def test_a_breach_that_the_new_hours_undo_is_cleared_and_stays_on_record(desk):
    ticket = desk.file(MONDAY)
    late = at(2026, 11, 24, 17, 30)
    with on(MONDAY + timedelta(hours=1)):
        conversation.send_follow_up(ticket, actor=desk.agent, body="Lo vemos.")
    with on(late):
        sweeps.breach_overdue()
    ticket.refresh_from_db()
    assert ticket.is_escalated
    elevated = MEASURES["elevated"].rows(MONDAY, late)
    assert elevated.count() == 1
    change = desk.change(late, week=SHORTER)
    assert figures(change, "later", "cleared", "raised", "released") == (1, 1, 0, 1)
    assert elevated.count() == 0
    ticket.refresh_from_db()
    assert (clock(ticket).breached_at, ticket.is_escalated) == (None, False)
    assert ticket.events.filter(kind="breached", data__clock="resolution").count() == 1


def test_a_late_answer_keeps_the_ticket_elevated(desk):
    ticket = desk.file(MONDAY)
    late = at(2026, 11, 24, 17, 30)
    with on(late):
        sweeps.breach_overdue()  # of the first response too, which nobody has given
    change = desk.change(late, week=SHORTER)
    assert figures(change, "cleared", "released") == (1, 0)
    ticket.refresh_from_db()
    assert ticket.is_escalated


def test_what_a_person_elevated_stays_elevated(desk):
    ticket = desk.file(MONDAY)
    late = at(2026, 11, 24, 17, 30)
    with on(MONDAY + timedelta(hours=1)):
        conversation.send_follow_up(ticket, actor=desk.agent, body="Lo vemos.")
    desk.do(MONDAY + timedelta(hours=1), ticket, "elevar")
    with on(late):
        sweeps.breach_overdue()
    change = desk.change(late, week=SHORTER)
    assert figures(change, "cleared", "released") == (1, 0)
    ticket.refresh_from_db()
    assert ticket.is_escalated


def test_a_breach_that_no_sweep_had_seen_is_recorded_before_it_is_cleared(desk):
    ticket = desk.file(MONDAY)
    late = at(2026, 11, 24, 17, 30)
    change = desk.change(late, week=SHORTER)
    assert change.tally["cleared"] == 1
    [breach] = ticket.events.filter(kind="breached", data__clock="resolution")
    assert breach.at == at(2026, 11, 24, 17, 0)
    assert clock(ticket).breached_at is None


def test_an_agreed_date_stays_and_later_pauses_count_under_the_new_hours(desk):
    """S2.3"""
    ticket, agreed = desk.file(MONDAY), at(2026, 11, 26, 10, 0)
    with on(MONDAY):
        properties.change_properties(ticket, actor=desk.agent, due_at=agreed)
    change = desk.change(MONDAY + timedelta(hours=1), week=SHORTER)
    assert figures(change, "done", "same") == (1, 1)
    assert clock(ticket).due_at == agreed
    assert clock(ticket).target == timedelta(hours=20)
    desk.do(at(2026, 11, 23, 13, 0), ticket, "preguntar")
    desk.do(at(2026, 11, 23, 16, 0), ticket, "seguir")
    assert clock(ticket).due_at == at(2026, 11, 26, 11, 0)


def test_a_paused_clock_goes_on_under_the_new_hours(desk):
    ticket = desk.file(MONDAY)
    desk.do(at(2026, 11, 23, 10, 0), ticket, "preguntar")
    desk.change(at(2026, 11, 23, 12, 0), week=SHORTER)
    assert clock(ticket).due_at == at(2026, 11, 25, 14, 0)
    desk.do(at(2026, 11, 24, 10, 0), ticket, "seguir")
    assert clock(ticket).due_at == at(2026, 11, 26, 14, 0)


def test_a_reopened_ticket_goes_on_under_the_present_hours(desk):
    ticket = desk.file(MONDAY)
    desk.do(at(2026, 11, 23, 10, 0), ticket, "terminar")
    change = desk.change(at(2026, 11, 23, 12, 0), week=SHORTER)
    assert change.tally["done"] == 0
    desk.do(at(2026, 11, 24, 8, 0), ticket, "seguir")
    assert clock(ticket).calendar_version == change.version
    assert clock(ticket).due_at == at(2026, 11, 26, 12, 0)


def test_closure_is_undone_without_touching_what_was_saved_after_it(desk):
    ticket = desk.file(MONDAY)
    with on(MONDAY):
        draft = proposing.propose_closure(
            desk.calendar,
            actor=desk.supervisor,
            start=wall(2026, 11, 24, 11, 0),
            end=None,
            name="Corte de luz",
        )
        draft = job.go_on(draft)
    closure = desk.apply(MONDAY, draft)
    assert (closure.is_closure, closure.reason) == (True, "Corte de luz")
    assert clock(ticket).due_at == at(2026, 11, 25, 14, 0)
    desk.change(MONDAY, week=LONGER)
    with on(MONDAY):
        undo = job.go_on(proposing.propose_undo(closure, actor=desk.supervisor))
    assert undo.undoes == closure
    desk.apply(MONDAY, undo)
    assert not desk.rules.closures
    assert desk.rules.week == LONGER
    assert clock(ticket).due_at == at(2026, 11, 24, 14, 0)


def test_other_changes_are_undone_while_they_are_the_last(desk):
    first = desk.change(MONDAY, week=SHORTER)
    second = desk.change(MONDAY, week=LONGER)
    with pytest.raises(proposing.CannotUndo):
        proposing.propose_undo(first, actor=desk.supervisor)
    desk.apply(MONDAY, proposing.propose_undo(second, actor=desk.supervisor))
    assert desk.rules.week == SHORTER
    version = desk.calendar.versions.get(number=1)
    desk.apply(MONDAY, proposing.propose_version(version, actor=desk.supervisor))
    assert desk.rules == version.as_rules
    assert desk.calendar.current.number == 5


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"start": wall(2026, 11, 28, 9, 0)}, "start"),
        ({"start": wall(2026, 11, 24, 18, 0)}, "start"),
        ({"start": wall(2026, 11, 24, 9, 0), "end": wall(2026, 11, 24, 8, 0)}, "end"),
        ({"start": wall(2026, 11, 24, 9, 0), "end": wall(2030, 11, 24, 8, 0)}, "end"),
        ({"name": " "}, "name"),
        ({"name": "x" * 121}, "name"),
    ],
)
def test_closures_that_close_nothing_or_have_no_name_are_refused(desk, values, field):
    with pytest.raises(InvalidData) as refused:
        proposing.propose_closure(
            desk.calendar,
            actor=desk.supervisor,
            **{"start": wall(2026, 11, 24, 9, 0), "end": None, "name": "Paro", **values},
        )
    assert list(refused.value.errors) == [field]


def test_only_supervisors_change_hours(desk):
    draft = desk.propose(MONDAY, week=SHORTER)
    for person in (desk.agent, make_user()):
        with pytest.raises(NotAllowed):
            proposing.propose(desk.calendar, replace(desk.rules, week=LONGER), actor=person)
        with pytest.raises(NotAllowed):
            applying.confirm(draft, actor=person)
        with pytest.raises(NotAllowed):
            proposing.discard(draft, actor=person)
    draft.refresh_from_db()
    assert draft.state == ChangeState.DRAFT
    assert desk.calendar.current.number == 1


def test_a_change_of_hours_that_others_have_changed_is_refused_and_kept(desk):
    base = desk.calendar.current
    mine = desk.propose(MONDAY, week=SHORTER)
    other = proposing.propose(desk.calendar, replace(desk.rules, week=LONGER), actor=make_supervisor())
    desk.apply(MONDAY, other)
    with pytest.raises(proposing.StaleSchedule):
        applying.confirm(mine, actor=desk.supervisor)
    mine.refresh_from_db()
    assert CalendarRules.read(mine.rules).week == SHORTER
    with pytest.raises(proposing.StaleSchedule):
        proposing.propose(desk.calendar, replace(desk.rules, week=SHORTER), actor=desk.supervisor, base=base)


def test_confirming_twice_saves_one_version(desk):
    draft = desk.propose(MONDAY, week=SHORTER)
    once, twice = (applying.confirm(draft, actor=desk.supervisor) for _time in range(2))
    assert once.version == twice.version
    assert desk.calendar.versions.count() == 2


def test_the_next_change_waits_until_the_last_is_applied(desk):
    applying.confirm(desk.propose(MONDAY, week=SHORTER), actor=desk.supervisor)
    draft = desk.propose(MONDAY, week=LONGER)
    with pytest.raises(applying.StillAtWork):
        applying.confirm(draft, actor=desk.supervisor)


def test_the_same_hours_are_no_change(desk):
    with pytest.raises(proposing.NothingChanges):
        desk.propose(MONDAY)


def test_large_changes_go_on_in_batches_and_say_how_far_they_are(desk, monkeypatch):
    monkeypatch.setattr(job, "COUNTED_AT_ONCE", 2)
    monkeypatch.setattr(job, "APPLIED_AT_ONCE", 2)
    for _number in range(5):
        desk.file(MONDAY)
    with on(MONDAY):
        draft = proposing.propose(desk.calendar, replace(desk.rules, week=SHORTER), actor=desk.supervisor)
        assert (draft.percent, draft.is_at_work) == (0, True)
        draft = job.go_on(draft)
        assert (draft.percent, draft.tally["done"], draft.total) == (40, 2, 5)
        assert job.go_on_with_all() == 1
        draft.refresh_from_db()
        assert (draft.percent, draft.tally["later"]) == (100, 5)
        applying.confirm(draft, actor=desk.supervisor)
        change = job.go_on(draft)
        assert (change.percent, change.state) == (40, ChangeState.APPLYING)
        job.go_on_with_all()
    change.refresh_from_db()
    assert (change.state, change.tally["later"], change.total) == (ChangeState.APPLIED, 5, 5)
    assert job.go_on_with_all() == 0


def test_a_ticket_filed_under_the_hours_before_is_moved_after_all(desk):
    """Filing that had read the calendar before the change was saved ends after the change was applied."""
    change = desk.change(MONDAY, week=SHORTER)
    ticket = desk.file(MONDAY)
    old = desk.calendar.versions.get(number=1)
    ticket.clocks.filter(kind="resolution").update(calendar_version=old, due_at=at(2026, 11, 24, 17, 0))
    ScheduleChange.objects.update(finished_at=MONDAY)
    with on(MONDAY + timedelta(minutes=5)):
        job.go_on_with_all()
    change.refresh_from_db()
    assert (change.state, clock(ticket).calendar_version) == (ChangeState.APPLIED, change.version)
    assert clock(ticket).due_at == at(2026, 11, 25, 14, 0)


def test_old_drafts_are_deleted_with_what_they_counted(desk):
    desk.file(MONDAY)
    applied = desk.change(MONDAY, week=SHORTER)
    draft = desk.propose(MONDAY, week=LONGER)
    ScheduleChange.objects.update(created_at=timezone.now() - timedelta(days=8))
    proposing.forget_old_drafts()
    assert list(ScheduleChange.objects.all()) == [applied]
    assert list(DueChange.objects.values_list("change", flat=True)) == [applied.pk]
    proposing.discard(draft, actor=desk.supervisor)


def test_holidays_are_copied_once_and_in_two_languages(desk):
    copied = copy_holidays(desk.rules, country="CO", years=[2026])
    assert len(copied.added) == 18 + 1
    [day] = [own for own in copied.added if own.day.isoformat() == "2026-12-08"]
    assert (day.name, day.name_en, day.source) == ("La Inmaculada Concepción", "Immaculate Conception", "CO")
    assert not copy_holidays(copied.rules, country="CO", years=[2026]).added
    assert CalendarRules.read(copied.rules.as_json()) == copied.rules
    catalonia = copy_holidays(desk.rules, country="ES", region="CT", years=[2026, 2027]).added
    assert {own.day.year for own in catalonia} == {2026, 2027}
    assert "ES-CT" in {own.source for own in catalonia}


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"country": "XX"}, "country"),
        ({"country": "ES", "region": "XX"}, "region"),
        ({"country": "CO", "years": [1800]}, "year"),
        ({"country": "CO", "years": range(1990, 2090)}, "year"),
    ],
)
def test_holidays_of_unknown_places_and_years_are_refused(desk, values, field):
    with pytest.raises(InvalidData) as refused:
        copy_holidays(desk.rules, **{"years": [2026], **values})
    assert list(refused.value.errors) == [field]


@pytest.mark.slow
@pytest.mark.skipif("connection.vendor != 'postgresql'")
@pytest.mark.django_db(transaction=True)
def test_a_ticket_that_somebody_changes_is_left_for_later():
    """The job waits for nobody, and nobody waits for the job."""
    desk = Desk()
    busy, free = desk.file(MONDAY), desk.file(MONDAY)
    draft = desk.propose(MONDAY, week=SHORTER)
    with on(MONDAY):
        applying.confirm(draft, actor=desk.supervisor)
    held, over = threading.Event(), threading.Event()

    def hold():
        with transaction.atomic():
            Ticket.objects.select_for_update().get(pk=busy.pk)
            held.set()
            over.wait(20)
        connection.close()

    writer = threading.Thread(target=hold)
    writer.start()
    try:
        assert held.wait(20)
        with on(MONDAY):
            change = job.go_on(draft)
        assert (change.state, change.tally["done"]) == (ChangeState.APPLYING, 1)
        assert clock(free).calendar_version == change.version
        assert clock(busy).calendar_version != change.version
    finally:
        over.set()
        writer.join()
    with on(MONDAY):
        change = job.go_on(draft)
    assert (change.state, change.tally["done"]) == (ChangeState.APPLIED, 2)
    assert clock(busy).due_at == clock(free).due_at


class TestRecounted(TestCase):
    """Whatever happened to a ticket, it ends as if the new hours had been in force when it was filed."""

    @settings(max_examples=15, deadline=None)
    @given(
        st.lists(st.integers(1, 40), min_size=1, max_size=5),
        st.sampled_from([SHORTER, LONGER, (hours_between(("22:00", "06:00")),) * 7]),
    )
    def test_changed_clock_equals_one_filed_under_the_new_hours(self, hours, week):
        desk = Desk()
        ticket, moment = desk.file(MONDAY), MONDAY
        moves = []
        for number, gap in enumerate(hours):
            moment += timedelta(hours=gap)
            moves.append((moment, "seguir" if number % 2 else "preguntar"))
            desk.do(*moves[-1][:1], ticket, moves[-1][1])
        desk.change(moment, week=week)
        twin = desk.file(MONDAY)
        for when, action in moves:
            desk.do(when, twin, action)
        mine, other = clock(ticket), clock(twin)
        assert (mine.due_at, mine.target, mine.paused_at) == (other.due_at, other.target, other.paused_at)
        assert (mine.breached_at is None) == (not mine.has_run_out(moment))
