"""Weeks of random work leave every clock, mail, stage, stay and count as it must be (section 6)."""

from datetime import UTC, datetime, timedelta
from io import StringIO
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command

from demo.simulation.checking import findings, oracle
from demo.simulation.running import PROCESSES, Simulation
from notifications.models import OutgoingEmail
from tickets.definitions.loading import library
from tickets.models import Clock, DailyCounts, StageVisit, Ticket
from tickets.tests.factories import make_process, make_ticket

pytestmark = pytest.mark.django_db


def simulated(**options):
    simulation = Simulation(**{"days": 7, "tickets": 30, "seed": 3, "say": lambda line: None, **options})
    simulation.run()
    return simulation


def wrong():
    return [finding.what for finding in findings() if not finding.is_right]


def test_every_process_of_the_library_is_simulated():
    assert PROCESSES.keys() == {make_process(key).key for key in library()}


def test_week_of_work_leaves_everything_as_it_must_be():
    simulation = simulated(days=9, seed=4)  # its tickets count hours and days
    assert Ticket.objects.count() >= 30  # replies after the end open linked ones
    assert simulation.people.counts["acts"] > 100
    assert Ticket.objects.filter(closed_at__isnull=False).count() > 3
    assert OutgoingEmail.objects.filter(state="sent").count() > 100
    assert simulation.closures == 1
    counted = Clock.objects.exclude(calendar_version=None)
    assert {"working", "working_days"} <= set(counted.values_list("unit", flat=True))
    assert wrong() == []

    # What is wrong is found.
    clock = Clock.objects.order_by("pk").first()
    Clock.objects.filter(pk=clock.pk).update(due_at=clock.due_at + timedelta(minutes=5))
    ticket = Ticket.objects.exclude(stage="cerrado").order_by("pk").first()
    Ticket.objects.filter(pk=ticket.pk).update(public_state="done", version=ticket.version + 1)
    visit = StageVisit.objects.order_by("pk").first()
    StageVisit.objects.filter(pk=visit.pk).update(working_seconds=visit.working_seconds + 60)
    counts = DailyCounts.objects.filter(scope="desk").order_by("day").first()
    DailyCounts.objects.filter(pk=counts.pk).update(counts={})
    mail = OutgoingEmail.objects.filter(state="sent").order_by("pk").first()
    OutgoingEmail.objects.filter(pk=mail.pk).update(message_id="<other@desk>")
    found = wrong()
    assert f"clock {clock.kind} of {clock.ticket.folio}" in found
    assert f"stage of {ticket.folio}" in found
    assert visit.ticket.folio in found
    assert f"{counts.day}" in found
    assert "mail <other@desk> once" in found


OFFICE = {
    "zone": "America/Bogota",
    "week": {day: [["09:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")},
    "days": [{"date": "2026-12-01", "name": "Festivo", "hours": []}],
    "closures": [{"from": "2026-11-30T09:00", "until": "2026-11-30T10:00", "name": "Corte de luz"}],
}
FRIDAY = datetime(2026, 11, 27, 21, 0, tzinfo=UTC)  # 16:00 in Bogotá


def clock_of(target, unit, *pauses):
    rows = [SimpleNamespace(started_at=begin, ended_at=end) for begin, end in pauses]
    return SimpleNamespace(
        started_at=FRIDAY, target=target, unit=unit, calendar_version=SimpleNamespace(pk=0, rules=OFFICE),
        pauses=SimpleNamespace(all=lambda: rows),
    )  # fmt: skip


def test_oracle_walks_opening_hours_minute_by_minute_and_leaves_out_pauses_and_closures():
    pause = (FRIDAY + timedelta(minutes=20, seconds=10), FRIDAY + timedelta(minutes=50, seconds=40))
    # Half an hour on Friday, and on Monday the rest, after the closure.
    due = datetime(2026, 11, 30, 16, 30, 30, tzinfo=UTC)
    assert oracle(clock_of(timedelta(hours=2), "working", pause)) == due


@pytest.mark.parametrize(
    ("unit", "due"),
    [("working_days", "2026-12-02"), ("calendar_days", "2026-11-29"), ("rolled_days", "2026-11-30")],
)
def test_oracle_counts_days_from_the_next_one_and_leaves_out_holidays(unit, due):
    last = oracle(clock_of(timedelta(days=2), unit))
    assert f"{last:%Y-%m-%d %H:%M:%S}" == f"{due} 23:59:59"


def test_oracle_leaves_out_days_at_whose_end_the_clock_is_paused():
    pause = (FRIDAY + timedelta(days=2), FRIDAY + timedelta(days=3, hours=12))  # over the end of Monday
    last = oracle(clock_of(timedelta(days=1), "working_days", pause))
    assert f"{last:%Y-%m-%d}" == "2026-12-02"  # Tuesday is a holiday


@pytest.mark.parametrize(
    ("options", "told"),
    [({"days": 0}, "at least one day"), ({"tickets": 0}, "at least one day")],
)
def test_command_refuses_what_makes_no_sense(options, told):
    with pytest.raises(CommandError, match=told):
        call_command("simulate", **options, stdout=StringIO())


def test_command_refuses_a_desk_that_has_tickets():
    make_ticket()
    with pytest.raises(CommandError, match="This desk has tickets"):
        call_command("simulate", stdout=StringIO())


def test_command_ends_with_the_figures():
    out = StringIO()
    call_command("simulate", days=2, tickets=3, seed=5, stdout=out)
    last = out.getvalue().splitlines()[-1]
    passed, _passed, failed, _failed = last.replace(",", "").split()
    assert int(passed) > 10
    assert int(failed) == 0
