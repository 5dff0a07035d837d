"""The table of docs/clocks.md, row by row, and the machine of the clocks against an oracle that counts minutes."""

import re
from datetime import UTC, timedelta
from pathlib import Path

import pytest
from django.conf import settings
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from accounts.tests.factories import make_supervisor
from tickets import clocks
from tickets.calendars import CalendarRules
from tickets.models import Calendar, Clock
from tickets.schedules import applying, job, proposing
from tickets.tests.test_four_clocks import SOURCE, Desk, at
from tickets.workflow.publishing import publish

KINDS = ("first_response", "next_reply", "progress", "resolution")
HOUR = timedelta(hours=1)


@pytest.fixture
def desk(db):
    return Desk()


def used(desk):
    """Return the used hours of each clock, and whether it runs, is paused or has ended."""
    found = {}
    for kind in KINDS:
        clock = desk.clock(kind)
        if clock is None:
            continue
        state = "ended" if clock.stopped_at else "paused" if clock.paused_at else "runs"
        found[kind] = (clocks.used(clock, now=desk.now) / HOUR, state)
    return found


def asked(desk):
    """Answer at 9 and let the requester ask again at 10."""
    return desk.at(2, 9).answer().at(2, 10).reply()


def test_requester_writes(desk):
    desk.at(2, 9).reply()
    assert used(desk) == {"first_response": (1, "runs"), "progress": (1, "runs"), "resolution": (1, "runs")}
    desk.at(2, 9, 30).answer().at(2, 10).reply().at(2, 11).reply().at(2, 12)
    assert used(desk) == {
        "first_response": (1.5, "ended"), "next_reply": (2, "runs"), "progress": (2.5, "runs"),
        "resolution": (4, "runs"),
    }  # fmt: skip


def test_desk_writes(desk):
    asked(desk).at(2, 12).answer().at(2, 13)
    assert used(desk) == {
        "first_response": (1, "ended"), "next_reply": (2, "ended"), "progress": (1, "runs"), "resolution": (5, "runs"),
    }  # fmt: skip


def test_desk_writes_by_itself(desk):
    asked(desk).at(3, 9).sweep().at(3, 10)
    assert used(desk) == {
        "first_response": (1, "ended"), "next_reply": (10, "runs"), "progress": (1, "runs"), "resolution": (12, "runs"),
    }  # fmt: skip


def test_ticket_waits_for_the_requester(desk):
    asked(desk).at(2, 11).do("preguntar").at(4, 17)
    assert used(desk) == {
        "first_response": (1, "ended"), "next_reply": (1, "paused"), "progress": (2, "paused"),
        "resolution": (3, "paused"),
    }  # fmt: skip


def test_ticket_goes_on(desk):
    asked(desk).at(2, 11).do("preguntar").at(4, 17).do("seguir").at(4, 18)
    assert used(desk) == {
        "first_response": (1, "ended"), "next_reply": (2, "runs"), "progress": (3, "runs"), "resolution": (4, "runs"),
    }  # fmt: skip
    assert desk.clock("next_reply").due_at == at(5, 10)


def test_ticket_is_closed(desk):
    asked(desk).at(2, 11).do("terminar").at(5, 9)
    assert {state for _hours, state in used(desk).values()} == {"ended"}
    assert used(desk)["resolution"][0] == 3


@pytest.mark.parametrize("answered", [True, False])
def test_ticket_is_reopened(desk, answered):
    asked(desk)
    if answered:
        desk.answer()
    desk.at(2, 11).do("terminar").at(4, 11).do("reabrir").at(4, 12)
    assert used(desk)["first_response"] == (1, "ended")
    assert used(desk)["next_reply"] == ((0, "ended") if answered else (2, "runs"))
    assert used(desk)["progress"] == (2 if answered else 3, "runs")
    assert used(desk)["resolution"] == (4, "runs")


def test_ticket_is_reopened_before_anybody_answered(desk):
    desk.at(2, 9).do("terminar").at(4, 9).do("reabrir").at(4, 10)
    assert used(desk) == {"first_response": (2, "runs"), "progress": (2, "runs"), "resolution": (2, "runs")}


REOPENS = (
    SOURCE
    + """
[[actions]]
key = "reabre"
label = "Reabre"
from = ["listo"]
to = "trabajo"
on = "requester_message"
"""
)


@pytest.mark.django_db
@pytest.mark.parametrize("answered", [True, False])
def test_requester_reopens_by_writing(answered):
    desk = asked(Desk(source=REOPENS))
    if answered:
        desk.answer()
    desk.at(2, 11).do("terminar").at(4, 11).reply().at(4, 12)
    assert used(desk)["first_response"] == (1, "ended")
    assert used(desk)["next_reply"] == (1 if answered else 2, "runs")
    assert used(desk)["resolution"] == (4, "runs")
    assert desk._fresh().due_order == min(
        clock.due_at for clock in desk.ticket.clocks.filter(stopped_at__isnull=True)
    )


def test_duplicate_is_closed(desk):
    other = Desk()
    asked(desk).at(2, 11).do("terminar")
    other.at(2, 12)
    assert {state for _hours, state in used(desk).values()} == {"ended"}
    assert used(other)["resolution"] == (4, "runs")


def test_severity_or_case_kind_changes(desk):
    asked(desk).at(2, 11).change(case_kind="procedure").at(2, 12)
    assert used(desk)["next_reply"] == (2, "runs")
    assert desk.clock("next_reply").due_at == at(2, 18)
    assert desk.clock("progress").due_at == at(3, 9)
    assert desk.clock("resolution").due_at == at(4, 0)
    assert desk.clock("resolution").target == timedelta(hours=40)


def test_severity_or_case_kind_changes_after_a_pause(desk):
    asked(desk).at(2, 11).do("preguntar").at(3, 11).do("seguir").change(case_kind="procedure")
    assert desk.clock("next_reply").due_at == at(3, 18)


def test_department_changes(desk):
    asked(desk)
    before = used(desk)
    desk.change(department=None)
    assert used(desk) == before


def test_date_is_agreed(desk):
    asked(desk)
    before = {kind: desk.clock(kind).due_at for kind in KINDS}
    desk.change(due_at=at(20, 9))
    assert {kind: desk.clock(kind).due_at for kind in KINDS} == before | {"resolution": at(20, 9)}


def test_process_gets_a_new_version(desk):
    publish(SOURCE.replace('problem = "4 working hours"', 'problem = "1 working hour"'))
    asked(desk)
    assert desk.clock("next_reply").target == 4 * HOUR


def test_hours_or_targets_change(desk):
    asked(desk)
    before = {kind: desk.clock(kind).due_at for kind in ("next_reply", "progress", "resolution")}
    calendar, supervisor = Calendar.objects.get(key="oficina"), make_supervisor()
    week = {"mon": [["08:00", "12:00"]], "tue": [["08:00", "12:00"]]}
    rules = CalendarRules.read(calendar.current.rules | {"week": week})
    with desk.time:
        change = proposing.propose(calendar, rules, actor=supervisor)
        change = job.go_on(applying.confirm(change, actor=supervisor), seconds=30)
    assert desk.clock("next_reply").due_at == at(3, 10)
    for kind, due in before.items():
        clock = desk.clock(kind)
        assert clock.calendar_version == change.version
        assert clock.due_at > due
        assert clock.warn_at > due - timedelta(days=1)


def test_every_row_of_the_page_has_a_test():
    page = (Path(settings.BASE_DIR) / "docs" / "clocks.md").read_text("utf-8")
    rows = re.findall(r"^\| ([\w ]+?) \|", page, re.MULTILINE)
    assert len(rows) == 15
    missing = [
        row for row in rows if row != "event" and "test_" + row.lower().replace(" ", "_") not in globals()
    ]
    assert missing == []


# --- The machine and the oracle -----------------------------------------------------------------------------------

STEPS = st.lists(
    st.tuples(st.integers(1, 30), st.sampled_from(["answer", "reply", "preguntar", "seguir", "terminar", "reabrir"])),
    min_size=1, max_size=10,
)  # fmt: skip
STAGES = {
    "preguntar": ("nuevo trabajo", "espera"), "seguir": ("espera", "trabajo"), "terminar": ("nuevo trabajo", "listo"),
    "reabrir": ("listo", "trabajo"),
}  # fmt: skip
QUARTER = timedelta(minutes=15)


class Oracle:
    """Counts each quarter of an hour in opening hours, one by one, by the words of docs/clocks.md."""

    def __init__(self):
        self.stage, self.answered = "nuevo", False
        self.used = {"first_response": 0, "progress": 0, "resolution": 0}
        self.running = set(self.used)
        self.waits = False
        """Whether a message of the requester waits for its answer."""

    def pass_quarter(self, moment):
        local = moment.astimezone(UTC) - timedelta(hours=5)
        if local.weekday() < 5 and 8 <= local.hour < 18 and self.stage not in ("espera", "listo"):
            for kind in self.running:
                self.used[kind] += 1

    def do(self, act):
        if act == "answer":
            self.answered, self.waits = True, False
            self.running -= {"first_response", "next_reply"}
            if self.stage != "listo":
                self.used["progress"] = 0
        elif act == "reply":
            if self.answered and self.stage != "listo" and not self.waits:
                self.used["next_reply"], self.waits = 0, True
                self.running.add("next_reply")
        else:
            self.stage = STAGES[act][1]


@pytest.mark.django_db
@hypothesis_settings(
    max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(steps=STEPS)
def test_clocks_agree_with_an_oracle_that_counts(steps):
    desk, oracle = Desk(), Oracle()
    for quarters, act in steps:
        for _number in range(quarters):
            oracle.pass_quarter(desk.now)
            desk.now += QUARTER
        if act in STAGES and oracle.stage not in STAGES[act][0].split():
            continue
        if act == "reply" and oracle.stage == "listo":
            continue
        if act in STAGES:
            desk.do(act)
        else:
            getattr(desk, act)()
        oracle.do(act)
    for kind, quarters in oracle.used.items():
        clock = desk.clock(kind)
        assert clocks.used(clock, now=desk.now) == quarters * QUARTER, kind
        assert (clock.stopped_at is None) == (kind in oracle.running and oracle.stage != "listo"), kind
    assert Clock.objects.filter(ticket=desk.ticket).count() == len(oracle.used)
