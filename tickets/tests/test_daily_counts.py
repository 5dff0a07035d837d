"""Counts of a day equal what the tickets say, and a number equals its list."""

from collections import Counter
from datetime import timedelta
from io import StringIO
from math import ceil

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import CustomerKind
from accounts.tests.factories import make_user
from tickets.closing import surveys
from tickets.definitions.loading import library
from tickets.enums import DeliveryState, Scope
from tickets.facts import counting, verifying
from tickets.facts.histogram import bucket, quantile, seconds_of
from tickets.facts.measures import MEASURES, OF_A_PROCESS
from tickets.facts.totals import added, counts_by_value, open_by_day, totals, totals_by_day
from tickets.models import DailyCounts, Delivery, DirtyDay, Ticket
from tickets.record.days import bounds, day_of, mark_changed
from tickets.record.paths import path_of, steps_of
from tickets.tests.factories import make_ticket
from tickets.tests.playing import START, prepared
from tickets.workflow import properties, retention
from tickets.workflow.perform import perform
from tickets.workflow.publishing import publish

S2 = "soporte-con-aprobacion"
MONDAY = day_of(START)


# --- Histograms -----------------------------------------------------------------------------------------------


@given(st.lists(st.integers(10, 200_000_000), min_size=1, max_size=300), st.sampled_from([0.5, 0.9]))
def test_quantile_of_a_histogram_is_within_five_percent_of_the_exact_one(durations, share):
    histogram = Counter(str(bucket(seconds)) for seconds in durations)
    exact = sorted(durations)[ceil(share * len(durations)) - 1]
    assert quantile(histogram, share) == pytest.approx(exact, rel=0.05)


@given(st.lists(st.integers(0, 10**8), max_size=50), st.lists(st.integers(0, 10**8), max_size=50))
def test_quantile_of_two_added_days_is_that_of_all_durations(one, other):
    days = [{"resolved": Counter(str(bucket(s)) for s in day)} for day in (one, other)]
    together = Counter(str(bucket(s)) for s in one + other)
    assert added(days).quantile("resolved", 0.5) == quantile(together, 0.5)


def test_buckets_grow_by_a_tenth_and_the_shortest_stand_for_nothing():
    assert [bucket(s) for s in (0, 9, 10, 10.9, 11.1, 12.2)] == [0, 0, 1, 1, 2, 3]
    assert seconds_of(0) == 0
    assert quantile({}, 0.5) is None


# --- Days -----------------------------------------------------------------------------------------------------


def verified():
    return {finding.what: finding.is_right for finding in verifying.verify()}


@pytest.mark.demand("S1.18", "S2.43")
def test_day_counts_what_happened_on_it_for_the_desk_and_for_each_scope(play):
    p = play(S2)
    p.later(hours=1).do(p.supervisor, "preparar", **prepared(p, assignee=p.agent, severity="high"))
    p.later(hours=1).follow_up()
    make_ticket(p.process, requester=make_user())
    counting.count_dirty()

    day = totals(MONDAY, MONDAY)
    assert (day.count("filed"), day.parts("filed")) == (2, {"9": 1, "11": 1})  # 9:00 and 11:00 in Caracas
    assert (day.count("open"), day.count("answered"), day.count("resolved")) == (2, 1, 0)
    assert day.quantile("answered", 0.5) == pytest.approx(2 * 3600, rel=0.05)
    measures = [MEASURES["filed"], MEASURES["resolution_kept"]]
    by_person = counts_by_value(MONDAY, MONDAY, scope=Scope.ASSIGNEE, measures=measures)
    assert by_person[str(p.agent.pk)] == by_person[""] == {"filed": 1, "resolution_kept": 0}
    assert totals(MONDAY, MONDAY, scope=Scope.SEVERITY, value="high").count("filed") == 1
    assert totals(MONDAY + timedelta(days=1), MONDAY + timedelta(days=9)).counts == {}


def test_day_begins_at_midnight_where_the_desk_is(play):
    p = play(S2)
    p.clock.move_to(START + timedelta(hours=14, minutes=59))  # 23:59 in Caracas
    make_ticket(p.process)
    p.clock.shift(timedelta(minutes=1))
    make_ticket(p.process)
    counting.count_dirty()
    filed = {
        day: each.count("filed") for day, each in totals_by_day(MONDAY, MONDAY + timedelta(days=2)).items()
    }
    assert filed == {MONDAY: 2, MONDAY + timedelta(days=1): 1}
    assert set(DailyCounts.objects.values_list("zone", flat=True)) == {"America/Caracas"}


def test_test_tickets_and_duplicates_are_in_no_figure(play):
    p = play(S2)
    twin = make_ticket(p.process, requester=p.customer)
    [test] = [action for action in p.definition.actions if "mark_test" in {e.name for e in action.effects}]
    p.do(p.supervisor, test.key)
    Ticket.objects.filter(pk=twin.pk).update(duplicate_of=p.ticket)
    assert DirtyDay.objects.exists()
    counting.count_dirty()
    assert not any(totals(MONDAY, MONDAY).count(key) for key in MEASURES)


@pytest.mark.demand("S2.32")
def test_compliance_counts_what_is_open_and_late(play):
    p = play(S2)
    p.later(days=20)
    counting.count_dirty()
    late = totals(MONDAY, MONDAY + timedelta(days=20))
    assert late.share("resolution_kept", "resolution_broken") == 0
    assert late.count("resolution_broken") == 1
    [day] = [day for day, each in totals_by_day(MONDAY, MONDAY + timedelta(days=20)).items()
             if each.count("resolution_broken")]  # fmt: skip
    assert day == day_of(p.ticket.due_at)  # the day on which it broke, however late the sweep came


@pytest.mark.demand("S2.32")
def test_broken_promise_is_counted_on_its_day_and_stays_counted_when_another_date_is_agreed(play):
    p = play(S2)
    p.later(days=20)
    counting.count_dirty()
    broken = sorted(p.ticket.clocks.filter(breached_at__isnull=False).values_list("due_at", flat=True))
    assert len(broken) == 2  # the first response and the solution

    def elevated():
        days = totals_by_day(MONDAY, MONDAY + timedelta(days=30)).items()
        return {day: each.count("elevated") for day, each in days if each.count("elevated")}

    assert elevated() == Counter(map(day_of, broken))
    properties.change_properties(p.ticket, actor=p.supervisor, due_at=timezone.now() + timedelta(days=3))
    counting.count_dirty()
    assert elevated() == Counter(map(day_of, broken))
    assert set(verified().values()) == {True}


def test_reopened_ticket_leaves_the_day_on_which_it_was_resolved(play):
    p = play("incidencia-tecnica")
    p.later(hours=2).do(p.supervisor, "descartar", message="No procede.")
    counting.count_dirty()
    assert totals(MONDAY, MONDAY).parts("rejected") == {f"{p.process.pk}:descartado": 1}
    p.later(days=2).do(p.supervisor, "reabrir", note="Sí procede.")
    counting.count_dirty()
    assert totals(MONDAY, MONDAY).count("rejected") == 0
    assert totals(MONDAY, MONDAY).count("open") == 1
    assert totals(MONDAY + timedelta(days=2), MONDAY + timedelta(days=2)).count("reopened") == 1


def test_later_change_of_a_ticket_moves_all_it_did_to_its_new_department_and_person(play):
    p = play("incidencia-tecnica")
    p.later(hours=2).do(p.supervisor, "descartar", message="No procede.")
    p.later(days=2).do(p.supervisor, "reabrir", note="Sí procede.")
    p.later(days=3)
    counting.count_dirty()
    properties.assign(p.ticket, actor=p.supervisor, assignee=p.colleague)
    counting.count_dirty()
    theirs = totals(MONDAY, MONDAY + timedelta(days=9), scope=Scope.ASSIGNEE, value=str(p.colleague.pk))
    assert (theirs.count("filed"), theirs.count("reopened")) == (1, 1)
    assert set(verified().values()) == {True}


def test_other_kind_of_customer_moves_their_tickets_to_it(play):
    p = play(S2)
    counting.count_dirty()
    kind = CustomerKind.objects.create(key="vip", name="VIP")
    p.customer.kind = kind
    p.customer.save()
    counting.count_dirty()
    assert totals(MONDAY, MONDAY, scope=Scope.CUSTOMER_KIND, value=str(kind.pk)).count("filed") == 1


@pytest.mark.demand("S1.18")
@pytest.mark.parametrize("key", MEASURES)
def test_number_and_its_list_are_the_same_in_every_scope(busy, key):
    start, end = bounds(MONDAY)[0], bounds(MONDAY + timedelta(days=30))[1]
    measure = MEASURES[key]
    of_desk = measure.rows(start, end).count() if Scope.DESK in measure.scopes else 0
    assert of_desk == totals(MONDAY, MONDAY + timedelta(days=30)).count(key)
    for scope in measure.scopes - {Scope.DESK}:
        found = counts_by_value(MONDAY, MONDAY + timedelta(days=30), scope=scope, measures=[measure])
        for value, counts in found.items():
            listed = measure.chosen_rows(start, end, {scope: value or None})
            assert listed.count() == counts[key], (scope, value)


@pytest.fixture
def busy(play):
    """Some weeks of three tickets, with an answer, a breach, an end, a reopening and a survey."""
    p = play("incidencia-tecnica")
    others = [play(S2), play("solicitud-guiada")]
    p.later(hours=3).do(p.supervisor, "descartar", message="No procede.")
    p.later(days=1).do(p.supervisor, "reabrir", note="Sí procede.")
    others[1].follow_up(actor=others[1].supervisor)
    perform(others[1].ticket, "cerrar_mi_solicitud", actor=others[1].customer)
    surveys.rate(others[1].refresh(), actor=others[1].customer, score=4)
    p.later(days=15)
    counting.count_dirty()
    return p


def test_every_stored_count_is_what_the_tickets_say(busy):
    found = verified()
    assert set(found.values()) == {True}
    assert f"{MONDAY}" in found
    assert busy.ticket.folio in found


def test_counting_twice_changes_nothing_and_a_day_without_tickets_loses_its_rows(play):
    play(S2)
    counting.count_dirty()
    before = list(DailyCounts.objects.values("day", "scope", "value", "counts").order_by("scope", "value"))
    call_command("reports", "count", stdout=StringIO())
    assert (
        list(DailyCounts.objects.values("day", "scope", "value", "counts").order_by("scope", "value"))
        == before
    )
    Ticket.objects.update(is_test=True)
    call_command("reports", "count", stdout=StringIO())
    assert not DailyCounts.objects.exists()


def test_counting_says_when_it_was_up_to_date(play):
    play(S2)
    assert counting.up_to_date_at() is None
    counting.count_dirty()
    assert counting.up_to_date_at() == timezone.now()
    assert not DirtyDay.objects.exists()


def test_days_are_left_marked_when_the_time_is_over(play):
    p = play(S2)
    p.later(days=1)
    make_ticket(p.process)
    assert counting.count_dirty(seconds=0) == 1
    assert set(DirtyDay.objects.values_list("day", flat=True)) == {MONDAY}  # the latest day was first
    assert counting.up_to_date_at() is None
    assert counting.count_dirty() == 1


def test_marks_that_come_meanwhile_do_not_keep_earlier_days_waiting(play, monkeypatch):
    """Today is marked all the time on a busy desk."""
    p = play(S2)
    p.later(days=1)
    make_ticket(p.process)
    count = counting.counts_between

    def counted_while_the_desk_works(first, last):
        DirtyDay.objects.create(day=MONDAY + timedelta(days=1))
        return count(first, last)

    monkeypatch.setattr(counting, "counts_between", counted_while_the_desk_works)
    assert counting.count_dirty() == 2
    assert totals(MONDAY, MONDAY).count("filed") == 1
    assert set(DirtyDay.objects.values_list("day", flat=True)) == {MONDAY + timedelta(days=1)}


def test_days_of_tickets_that_retention_deletes_keep_their_counts(play):
    p = play("solicitud-guiada")
    perform(p.ticket, "cerrar_mi_solicitud", actor=p.customer)
    p.is_whole = False
    counting.count_dirty()
    with_it = totals(MONDAY, MONDAY).counts
    publish(library()["solicitud-guiada"] + "\n[retention]\ntickets = 30\n")
    p.clock.shift(timedelta(days=400))
    Delivery.objects.update(state=DeliveryState.SENT)
    assert retention.sweep().tickets == 1
    DirtyDay.objects.create(day=MONDAY)
    counting.count_dirty()
    assert totals(MONDAY, MONDAY).counts == with_it
    assert f"{MONDAY}" not in verified()


# --- The command ----------------------------------------------------------------------------------------------


def verify_command():
    out = StringIO()
    call_command("reports", "verify", stdout=out)
    return out.getvalue()


def test_verify_passes_and_says_how_many(busy):
    assert verify_command().splitlines()[-1].endswith(" passed, 0 failed")


def test_verify_names_the_day_and_the_ticket_that_are_wrong(busy):
    row = DailyCounts.objects.get(day=MONDAY, scope=Scope.DESK)
    row.counts["filed"] = {"9": 7}
    row.save()
    busy.ticket.visits.filter(number=1).update(working_seconds=1)
    busy.is_whole = False
    out = StringIO()
    with pytest.raises(CommandError):
        call_command("reports", "verify", stdout=out)
    assert f"{MONDAY}: " in out.getvalue()
    assert f"{busy.ticket.folio}: " in out.getvalue()
    assert out.getvalue().splitlines()[-1].endswith(" passed, 2 failed")


# --- The way through a process ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stages", "path"),
    [
        ("a b", "a/b"),
        ("a b a c", "a/b/a/c"),
        ("a b a b a b a c", "a/b*3/a/c"),
        ("a b c a b c d", "a/b/c/a/b/c/d"),
        ("x a b a b a y a y a z", "x/a/b*2/a/y*2/a/z"),
        ("a b a b", "a/b*2"),
    ],
)
def test_path_tells_a_repeated_detour_once(stages, path):
    assert path_of(stages.split()) == path


def test_path_of_a_ticket_that_goes_round_is_cut():
    path = path_of(f"stage{n}" for n in range(50))
    assert [stage for stage, _count in steps_of(path)] == [*(f"stage{n}" for n in range(11)), "…"]
    assert len(path_of(["x" * 40] * 50)) <= 600


@pytest.mark.demand("S1.18")
def test_stays_and_steps_are_counted_for_their_process_by_stage(play):
    p = play("incidencia-tecnica")
    p.later(hours=2).do(p.supervisor, "descartar", message="No procede.")
    p.later(hours=1).do(p.supervisor, "reabrir", note="Sí procede.")
    p.later(hours=3).do(p.supervisor, "descartar", message="Ya no procede.")
    play("solicitud-guiada")
    counting.count_dirty()
    first = p.definition.stages[0].key
    found = totals_by_day(MONDAY, MONDAY, chosen={Scope.PROCESS: p.process.pk})[MONDAY]
    stays = {part.partition(":")[0] for part in found.parts("stays")}
    assert stays == {visit.stage for visit in p.ticket.visits.all()} - {"descartado"}
    assert found.parts("moves")[f"{first}:descartar:descartado"] == 1
    [path] = {part.rpartition(":")[0] for part in found.parts("paths")}
    assert steps_of(path)[0] == (first, 1)
    assert steps_of(path)[-1] == ("descartado", 1)
    assert totals(MONDAY, MONDAY).counts.keys().isdisjoint({"stays", "moves", "paths"})
    live = totals_by_day(
        MONDAY,
        MONDAY,
        chosen={Scope.PROCESS: p.process.pk, Scope.DEPARTMENT: p.ticket.department_id},
        measures=OF_A_PROCESS,
    )
    assert {key: dict(live[MONDAY].parts(key)) for key in ("stays", "moves", "paths")} == {
        key: dict(found.parts(key)) for key in ("stays", "moves", "paths")
    }


@pytest.mark.demand("S1.18")
def test_open_tickets_are_counted_by_the_stage_in_which_they_are(play):
    p = play("incidencia-tecnica")
    counting.count_dirty()
    assert open_by_day(chosen={Scope.PROCESS: p.process.pk}) == {MONDAY: {p.ticket.stage: 1}}
    p.later(days=1).do(p.supervisor, "descartar", message="No procede.")
    p.later(hours=1).do(p.supervisor, "reabrir", note="Sí procede.")
    counting.count_dirty()
    assert open_by_day(chosen={Scope.PROCESS: p.process.pk}) == {MONDAY: {p.ticket.stage: 1}}


def test_test_ticket_takes_its_stays_of_earlier_days_out(play):
    p = play("incidencia-tecnica")
    p.do(p.supervisor, "descartar", message="No procede.")
    p.later(days=3).do(p.supervisor, "reabrir", note="Sí procede.")
    counting.count_dirty()
    chosen = {Scope.PROCESS: p.process.pk}
    assert totals_by_day(MONDAY, MONDAY, chosen=chosen)[MONDAY].count("moves") == 1
    p.later(days=1)
    locked = Ticket.objects.get(pk=p.ticket.pk)
    before = dict(vars(locked))
    locked.is_test = True
    locked.save()
    mark_changed(locked, before=before)
    counting.count_dirty()
    assert totals_by_day(MONDAY, MONDAY + timedelta(days=9), chosen=chosen) == {}
    p.is_whole = False


# --- Cost -----------------------------------------------------------------------------------------------------


def test_counting_a_day_takes_as_many_queries_with_ten_tickets_as_with_one(play, django_assert_num_queries):
    p = play(S2)
    with django_assert_num_queries(len(MEASURES)):
        counting.counts_of(MONDAY)
    for _n in range(9):
        make_ticket(p.process)
    with django_assert_num_queries(len(MEASURES)):
        counting.counts_of(MONDAY)


def test_reading_totals_is_one_query(busy, django_assert_num_queries):
    with django_assert_num_queries(1):
        totals(MONDAY, MONDAY + timedelta(days=90))
