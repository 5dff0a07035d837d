"""Other targets for a process: what they would do, what they do, and how the desk goes back (S2.33, S2.34)."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from accounts.tests.factories import make_user
from content.errors import InvalidData
from tickets.calendars import Target
from tickets.definitions.definition import SpecialTargets
from tickets.definitions.targets import as_json, read_targets
from tickets.enums import ChangeState, TargetUnit
from tickets.exceptions import NotAllowed
from tickets.explanation import explanations
from tickets.models import PolicyVersion, Process, ScheduleChange, Ticket, TicketEvent
from tickets.promises import targets_of
from tickets.schedules import applying, job, proposing
from tickets.tests.test_schedules import LONGER, MONDAY, SHORTER, SOURCE, Desk, at, clock, figures, on
from tickets.workflow import properties
from tickets.workflow.publishing import put_in_use

HOUR = timedelta(hours=1)
NINE = Target(9 * HOUR, TargetUnit.WORKING)
FOUR_ON_THE_WALL = Target(4 * HOUR)


class Policies(Desk):
    @property
    def targets(self):
        return targets_of(Process.objects.get())

    def draft(self, moment, **changes):
        process = Process.objects.get()
        with on(moment):
            change = proposing.propose_targets(
                process, replace(self.targets, **changes), actor=self.supervisor, base=process.policy_id
            )
            return job.go_on(change, seconds=30)

    def save(self, moment, **changes):
        return self.apply(moment, self.draft(moment, **changes))


@pytest.fixture
def desk(db):
    return Policies()


UNITS = st.sampled_from(TargetUnit.values)


@given(st.integers(1, 9999), UNITS)
def test_a_target_is_read_as_it_is_written(number, unit):
    amount = timedelta(days=number) if "days" in unit else timedelta(minutes=number)
    target = Target(amount, TargetUnit(unit))
    assert Target.parse(target.text) == target


def test_targets_of_the_library_are_read_as_they_are_stored(desk):
    assert read_targets(as_json(desk.targets)) == desk.targets


def test_other_targets_move_running_clocks_and_new_tickets(desk):
    ticket = desk.file(MONDAY)
    draft = desk.draft(MONDAY + HOUR, resolution={"problem": NINE})
    assert figures(draft, "done", "earlier", "same") == (2, 1, 1)
    assert clock(ticket).due_at == at(2026, 11, 24, 17, 0)
    kept = Ticket.objects.values_list("version", "updated_at").get()
    events = TicketEvent.objects.count()
    change = desk.apply(MONDAY + HOUR, draft)
    assert (change.state, change.tally) == ("applied", draft.tally)
    assert clock(ticket).due_at == at(2026, 11, 23, 17, 0)
    assert clock(ticket).policy_version == Process.objects.get().policy == change.policy
    assert (Ticket.objects.values_list("version", "updated_at").get(), TicketEvent.objects.count()) == (
        kept,
        events,
    )
    ticket.refresh_from_db()
    assert ticket.due_at == at(2026, 11, 23, 17, 0)
    assert clock(desk.file(MONDAY)).due_at == at(2026, 11, 23, 17, 0)


def test_a_target_may_change_how_it_is_counted(desk):
    ticket = desk.file(MONDAY)
    desk.save(MONDAY + HOUR, first_response={"problem": NINE}, resolution={"problem": FOUR_ON_THE_WALL})
    first, last = clock(ticket, "first_response"), clock(ticket)
    assert (first.unit, first.due_at) == ("working", at(2026, 11, 23, 17, 0))
    assert first.calendar_version == desk.calendar.current
    assert (last.unit, last.due_at, last.calendar_version) == ("elapsed", MONDAY + 4 * HOUR, None)


def test_severity_wins_over_case_and_an_exception_over_both(desk):
    low, special = desk.file(MONDAY), SpecialTargets("pantalla", "", resolution=FOUR_ON_THE_WALL)
    desk.save(MONDAY, resolution={"problem": NINE, low.severity: Target(3 * HOUR)})
    assert clock(low).due_at == MONDAY + 3 * HOUR
    desk.save(MONDAY, special=(special,))
    assert clock(low).due_at == MONDAY + 4 * HOUR


def test_agreed_dates_stay_and_a_promise_that_is_taken_away_stays_too(desk):
    agreed, other = desk.file(MONDAY), desk.file(MONDAY)
    with on(MONDAY):
        properties.change_properties(agreed, actor=desk.agent, due_at=at(2026, 12, 1, 10, 0))
    change = desk.save(MONDAY, resolution={}, first_response={"problem": FOUR_ON_THE_WALL})
    assert change.tally["same"] == 2
    assert (clock(agreed).due_at, clock(other).due_at) == (at(2026, 12, 1, 10, 0), at(2026, 11, 24, 17, 0))
    assert not desk.file(MONDAY).clocks.filter(kind="resolution").exists()


def test_severity_changed_later_looks_at_the_targets_of_the_desk(desk):
    ticket = desk.file(MONDAY)
    desk.save(MONDAY, resolution={"problem": NINE, "critical": Target(2 * HOUR)})
    with on(MONDAY + HOUR):
        properties.change_properties(ticket, actor=desk.agent, severity="critical")
    assert clock(ticket).due_at == MONDAY + 2 * HOUR


def test_first_change_keeps_the_targets_of_the_file_to_go_back_to(desk):
    ticket, before = desk.file(MONDAY), desk.targets
    change = desk.save(MONDAY, resolution={"problem": NINE})
    assert list(PolicyVersion.objects.order_by("number").values_list("number", flat=True)) == [1, 2]
    assert PolicyVersion.objects.get(number=1).as_targets == before
    with on(MONDAY):
        undo = job.go_on(proposing.propose_undo(change, actor=desk.supervisor))
    desk.apply(MONDAY, undo)
    assert desk.targets == before
    assert clock(ticket).due_at == at(2026, 11, 24, 17, 0)
    with on(MONDAY):
        again = proposing.propose_policy(PolicyVersion.objects.get(number=2), actor=desk.supervisor)
    desk.apply(MONDAY, again)
    assert clock(ticket).due_at == at(2026, 11, 23, 17, 0)
    with pytest.raises(proposing.CannotUndo):
        proposing.propose_undo(change, actor=desk.supervisor)


def test_hours_that_change_afterwards_move_what_the_desk_promised(desk):
    ticket = desk.file(MONDAY)
    desk.save(MONDAY, resolution={"problem": NINE})
    desk.change(MONDAY, week=SHORTER)
    assert clock(ticket).due_at == at(2026, 11, 24, 11, 0)
    assert clock(ticket).policy_version is not None


def test_publishing_keeps_the_targets_of_the_desk_and_says_so(desk):
    desk.save(MONDAY, resolution={"problem": NINE})
    told = put_in_use(SOURCE + "\n").changes
    assert ["conserva los plazos de la mesa" in change for change in told] == [True]
    assert clock(desk.file(MONDAY)).due_at == at(2026, 11, 23, 17, 0)


def test_explanation_names_the_change_and_its_author(desk):
    ticket = desk.file(MONDAY)
    desk.save(MONDAY + HOUR, resolution={"problem": NINE})
    with on(MONDAY + 2 * HOUR):
        [found] = explanations(ticket, now=MONDAY + 2 * HOUR, kinds=["resolution"])
    assert [(move.kind, move.due, move.actor, move.target and move.target.text) for move in found.moves] == [
        ("promised", at(2026, 11, 24, 17, 0), "", "18 working hours"),
        ("recomputed", at(2026, 11, 23, 17, 0), str(desk.supervisor), "9 working hours"),
    ]


def test_only_supervisors_change_targets_and_never_over_one_another(desk):
    process = Process.objects.get()
    other = replace(desk.targets, resolution={"problem": NINE})
    for person in (desk.agent, make_user()):
        with pytest.raises(NotAllowed):
            proposing.propose_targets(process, other, actor=person)
    mine = desk.draft(MONDAY, resolution={"problem": NINE})
    theirs = desk.draft(MONDAY, resolution={"problem": FOUR_ON_THE_WALL})
    mine.state = "draft"
    mine.save()
    desk.apply(MONDAY, theirs)
    with pytest.raises(proposing.StaleSchedule):
        applying.confirm(mine, actor=desk.supervisor)
    with pytest.raises(proposing.StaleSchedule):
        proposing.propose_targets(process, other, actor=desk.supervisor, base=None)


def test_the_same_targets_and_unknown_calendars_are_refused(desk):
    with pytest.raises(proposing.NothingChanges):
        desk.draft(MONDAY)
    with pytest.raises(InvalidData):
        desk.draft(MONDAY, calendar="otra")


@pytest.mark.parametrize(
    ("data", "path"),
    [
        ({"resolution": {"critical": "pronto"}}, "resolution.critical"),
        ({"resolution": {"critical": "8 working hours"}}, "calendar"),
        ({"special": [{"resolution": "1h"}]}, "special.0.category"),
        ({"special": [{"category": "a"}]}, "special.0.category"),
    ],
)
def test_mistakes_in_targets_are_told_by_their_path(data, path):
    with pytest.raises(InvalidData) as refused:
        read_targets(data)
    assert list(refused.value.errors) == [path]


def test_a_policy_version_never_changes(desk):
    desk.save(MONDAY, resolution={"problem": NINE})
    with pytest.raises(TypeError):
        PolicyVersion.objects.first().save()


def test_the_last_of_several_changes_stays_in_force(desk):
    """The job looks again at the changes of the last minutes, for tickets that were being filed meanwhile. It leaves
    alone what a later change has moved, and moves what none has."""
    ticket, late = desk.file(MONDAY), desk.file(MONDAY)
    for hours in (4, 5, 6):
        change = desk.save(MONDAY, resolution={"problem": Target(hours * HOUR)})
    first = PolicyVersion.objects.get(number=2)
    late.clocks.filter(kind="resolution").update(
        policy_version=first, target=4 * HOUR, due_at=MONDAY + 4 * HOUR
    )
    ScheduleChange.objects.update(finished_at=MONDAY)
    with on(MONDAY + timedelta(minutes=1)):
        for _round in range(2):
            job.go_on_with_all()
            for each in (ticket, late):
                assert (clock(each).policy_version, clock(each).due_at) == (change.policy, MONDAY + 6 * HOUR)
    assert set(ScheduleChange.objects.values_list("state", flat=True)) == {ChangeState.APPLIED}


def test_going_back_and_forth_ends_with_the_last_targets(desk):
    ticket, before = desk.file(MONDAY), clock(desk.file(MONDAY)).due_at
    change = desk.save(MONDAY, resolution={"problem": NINE})
    with on(MONDAY):
        undo = job.go_on(proposing.propose_undo(change, actor=desk.supervisor))
    desk.apply(MONDAY, undo)
    ScheduleChange.objects.update(finished_at=MONDAY)
    with on(MONDAY + timedelta(minutes=1)):
        job.go_on_with_all()
    assert clock(ticket).due_at == before


TARGETS = (FOUR_ON_THE_WALL, NINE, Target(timedelta(days=2), TargetUnit.WORKING_DAYS))
CHANGES = (
    *(("targets", target) for target in TARGETS),
    *(("hours", week) for week in (SHORTER, LONGER)),
    ("closure", None), ("undo targets", None), ("undo hours", None), ("file", None), ("filed late", None),
    ("act", None), ("job", None),
)  # fmt: skip


class Week:
    """A desk on which hours, targets and tickets change in any order, minutes or hours apart."""

    def __init__(self):
        self.desk, self.moment, self.closures = Policies(), MONDAY, 0
        self.tickets = []
        """Each ticket, when it was filed, and what was done when."""

    def do(self, kind, value, minutes):
        self.moment += timedelta(minutes=minutes)
        with on(self.moment):
            match kind:
                case "file" | "filed late":
                    self.tickets.append((self.desk.file(self.moment), self.moment, []))
                    if kind == "filed late":
                        self._as_if_read_before()
                case "act":
                    self._act()
                case "job":
                    job.go_on_with_all()
                case _:
                    self._change(kind, value)

    def _act(self):
        for ticket, _filed, acts in self.tickets:
            acts.append((self.moment, "seguir" if len(acts) % 2 else "preguntar"))
            self.desk.do(*acts[-1][:1], ticket, acts[-1][1])

    def _as_if_read_before(self):
        """Make the clocks of the last ticket those of a filing that read hours and targets before the latest change."""
        recent = ScheduleChange.objects.filter(
            state="applied", finished_at__gt=self.moment - timedelta(minutes=14)
        )
        for change in recent.order_by("-applied_at", "-pk")[:1]:
            running = self.tickets[-1][0].clocks.filter(kind="resolution")
            if change.process_id:
                running.update(policy_version=change.base_policy)
            else:
                running.filter(calendar_version__isnull=False).update(calendar_version=change.base)
            job.go_on_with_all()

    def _change(self, kind, value):
        last = ScheduleChange.objects.filter(state="applied", process__isnull=kind != "undo targets").last()
        supervisor, process = self.desk.supervisor, Process.objects.get()
        try:
            match kind:
                case "targets":
                    targets = replace(self.desk.targets, resolution={"problem": value})
                    change = proposing.propose_targets(
                        process, targets, actor=supervisor, base=process.policy_id
                    )
                case "hours":
                    rules = replace(self.desk.rules, week=value)
                    change = proposing.propose(self.desk.calendar, rules, actor=supervisor)
                case "closure":
                    self.closures += 1
                    start = (MONDAY + timedelta(days=self.closures)).replace(hour=11, tzinfo=None)
                    change = proposing.propose_closure(
                        self.desk.calendar, actor=supervisor, start=start, end=None, name="Paro"
                    )
                case _ if last is not None:
                    change = proposing.propose_undo(last, actor=supervisor)
                case _:
                    return
        except (proposing.NothingChanges, proposing.CannotUndo, InvalidData):
            return
        self.desk.apply(self.moment, job.go_on(change, seconds=30))


class TestManyChanges(TestCase):
    """Whatever was changed, and however often, each clock is at the end what it would be had the hours and targets of
    the end been in force when its ticket was filed."""

    @settings(max_examples=30)
    @given(st.lists(st.tuples(st.sampled_from(CHANGES), st.sampled_from([0, 1, 5, 20, 300])), max_size=12))
    def test_clocks_end_under_the_last_hours_and_targets(self, changes):
        week = Week()
        week.do("file", None, 0)
        for (kind, value), minutes in changes:
            week.do(kind, value, minutes)
        week.do("job", None, 1)
        week.do("job", None, 1)
        for ticket, filed, acts in week.tickets:
            twin = week.desk.file(filed)
            for moment, action in acts:
                week.desk.do(moment, twin, action)
            mine, other = clock(ticket), clock(twin)
            for name in ("due_at", "target", "unit", "paused_at", "policy_version", "calendar_version"):
                assert getattr(mine, name) == getattr(other, name), name
