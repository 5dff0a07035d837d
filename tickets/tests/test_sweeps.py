"""Sweeps: breaches dated at the due date, silences, expired links (S2.32)."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from tickets import clocks
from tickets.definitions.loading import library
from tickets.enums import Purpose
from tickets.models import Clock, GuestToken, Ticket
from tickets.requesters import guests
from tickets.tests.factories import make_ticket
from tickets.tests.playing import START, prepared
from tickets.workflow import properties, sweeps
from tickets.workflow.perform import perform
from tickets.workflow.publishing import publish

S0, S2 = "incidencia-tecnica", "soporte-con-aprobacion"
HOUR = timedelta(hours=1)


def breaches(play):
    return [(event.data["clock"], event.at) for event in play.events if event.kind == "breached"]


@pytest.mark.demand("S2.32")
@pytest.mark.parametrize("late", [0, 1, 60 * 24 * 10])
def test_late_sweep_dates_breach_at_the_due_date(play, late):
    p = play(S0, category="falla-en-el-pago")
    p.clock.move_to(START + 4 * HOUR + timedelta(minutes=late))
    assert sweeps.breach_overdue() >= 1
    p.refresh()
    assert breaches(p)[0] == ("first_response", START + 4 * HOUR)
    assert p.ticket.clocks.get(kind="first_response").breached_at == START + 4 * HOUR


def test_sweep_continues_after_a_failing_ticket(play, monkeypatch, caplog):
    broken, sound = play(S2), play(S2)
    for p in (broken, sound):
        p.do(p.supervisor, "preparar", **prepared(p, due_at=START + timedelta(days=4)))
        p.do(p.agent, "pedir_aprobacion", solution_done="Listo").review()
    end_silence = sweeps.end_silence

    def failing(ticket):
        if ticket == broken.ticket:
            raise LookupError("a process of long ago")
        return end_silence(ticket)

    monkeypatch.setattr(sweeps, "end_silence", failing)
    with pytest.raises(sweeps.SweepIncomplete, match=f"_end_silence failed on tickets {broken.ticket.pk} "):
        sound.later(days=6)

    assert sound.refresh().stage == "cerrado"
    assert broken.refresh().stage == "aprobacion"
    assert f"ticket {broken.ticket.pk}: _end_silence failed" in caplog.text


def test_failing_tickets_do_not_count_towards_limit(monkeypatch):
    def failing(pk):
        if pk < 5:
            raise LookupError("a process of long ago")
        return True

    done = []
    with pytest.raises(sweeps.SweepIncomplete) as incomplete:
        sweeps._run_on_each(range(9), lambda pk: done.append(pk) or failing(pk), 3)
    assert incomplete.value.done == 3
    assert done == list(range(8))
    monkeypatch.setattr(sweeps, "SECONDS", 0)
    assert sweeps._run_on_each(range(9), failing, 3) == 0, "no time is left after `SECONDS`"


def test_breach_is_recorded_once(play):
    p = play(S0).without_progress().later(days=30)
    count = len(p.events)
    assert sweeps.breach_overdue() == 0
    p.later(days=30)
    assert len(p.events) == count
    assert p.ticket.is_escalated


@pytest.mark.demand("S2.32")
def test_every_breach_escalates_and_tells_supervisors(play):
    p = play(S0).without_progress()
    p.do(p.agent, "clasificar", severity="high", department=p.ticket.department, assignee=p.agent)
    p.later(hours=5)
    everybody = [("assignee", "breached"), ("role:supervisor", "breached")]
    assert (p.told, p.ticket.is_escalated, p.last.data["clock"]) == (everybody, True, "first_response")
    p.later(days=3)
    assert (p.told, p.ticket.is_escalated, p.last.data["clock"]) == (everybody, True, "resolution")
    assert (p.last.is_public, p.last.actor, p.last.actor_name) == (False, None, "Mesa de ayuda")


def test_breach_before_a_pause_is_recorded(play):
    """The clock is already paused when the sweep runs; the earlier breach must be recorded all the same."""
    p = play(S0).without_progress()
    p.do(p.agent, "clasificar", severity="critical", department=p.ticket.department, assignee=p.agent)
    p.clock.move_to(START + 30 * HOUR)
    p.do(p.agent, "pedir_informacion", message="¿Versión?")
    p.later(minutes=1)
    assert sorted(breaches(p)) == [("first_response", START + HOUR), ("resolution", START + 24 * HOUR)]
    assert p.ticket.is_escalated


def test_breach_before_closing_is_recorded(play):
    p = play(S2)
    p.clock.move_to(START + timedelta(days=6))
    perform(p.ticket, "cerrar_prueba", actor=p.supervisor)
    assert clocks.status(p.ticket.clocks.get(kind="resolution"), now=timezone.now()).state == "missed"
    p.later(hours=1)
    assert ("resolution", START + timedelta(days=5)) in breaches(p)


def test_late_sweep_records_no_breach_after_timely_answer(play):
    p = play(S0, category="falla-en-el-pago")
    p.clock.move_to(START + 3 * HOUR)
    p.do(p.agent, "clasificar", severity="high", department=p.ticket.department, assignee=p.agent)
    p.do(p.agent, "informar_avance", message="En ello.").later(hours=20)
    assert breaches(p) == []


@pytest.mark.parametrize("verb", ["properties", "action"])
def test_new_due_date_keeps_the_earlier_breach(play, verb):
    """R4 sets a new date. The breach before it is recorded, at the old due date."""
    p = play(S2)
    p.do(p.supervisor, "preparar", **prepared(p, standing="inactive", due_at=START + 2 * HOUR))
    p.clock.move_to(START + 5 * HOUR)
    new = START + timedelta(days=9)
    if verb == "action":
        p.do(p.agent, "responder_inactivo", due_at=new)
    else:
        properties.change_properties(p.ticket, actor=p.agent, due_at=new)
        p.refresh()
    assert ("resolution", START + 2 * HOUR) in breaches(p)
    assert (p.ticket.due_at, p.ticket.is_escalated) == (new, True)
    p.later(days=9)
    assert [at for kind, at in breaches(p) if kind == "resolution"] == [START + 2 * HOUR, new]


def test_lower_severity_keeps_the_earlier_breach(play):
    p = play(S0)
    p.do(p.agent, "clasificar", severity="critical", department=p.ticket.department, assignee=p.agent)
    p.clock.move_to(START + 2 * HOUR)
    properties.change_properties(p.ticket, actor=p.agent, severity="low")
    p.refresh()
    assert breaches(p) == [("first_response", START + HOUR)]
    clock = p.ticket.clocks.get(kind="first_response")
    assert (clock.breached_at, clock.due_at) == (None, START + 48 * HOUR)


def test_sweep_reads_only_what_is_due(play, django_assert_num_queries):
    p = play(S0)
    for _more in range(4):
        make_ticket(p.process)
    with django_assert_num_queries(1):
        assert sweeps.breach_overdue() == 0
    with django_assert_num_queries(1):
        assert sweeps.act_on_silence() == 0
    p.clock.move_to(START + timedelta(days=40))
    assert sweeps.breach_overdue(limit=2) == 2
    assert Clock.objects.filter(breached_at__isnull=False).count() == 6, "two tickets, three clocks each"
    assert sweeps.breach_overdue() == 3


def test_overdue_uses_its_index(db):
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                "SET LOCAL enable_seqscan = off"
            )  # a handful of rows is read faster without an index
    assert "clock_unseen_due" in sweeps.overdue().explain()


def test_reply_restarts_the_silence(play):
    p = play(S2)
    p.do(p.supervisor, "preparar", **prepared(p)).do(p.agent, "pedir_aprobacion", solution_done="Listo")
    assert p.ticket.silence_due_at == START + timedelta(days=5)
    p.later(days=3).reply("Un momento.")
    assert p.ticket.silence_due_at == START + timedelta(days=8)
    p.do(p.customer, "rechazar", message="No.")
    assert p.ticket.silence_due_at is None


REMINDERS = """[[actions]]
key = "recordar"
label = "Recordatorio"
from = ["aprobacion"]
on = "silence"
after_days = 2
when = "contribution_open"

[[actions]]
key = "insistir"
label = "Otro recordatorio"
from = ["aprobacion"]
on = "silence"
after_days = 3
notify = [{ to = "requester", template = "closure_asked" }]

[[actions]]
key = "comentar"
label = "Comentar"
from = ["aprobacion"]
by = ["requester"]
asks = ["message"]

"""


@pytest.fixture
def reminded(play):
    """A ticket that waits for approval, in a process that reminds the requester before it closes.

    The longest silence comes first in the file, so that the order in the file cannot be what sorts them.
    """
    first, closing, last = library()[S2].partition('[[actions]]\nkey = "seguir_sin_respuesta"')
    silence, break_, rest = last.partition("\n\n")
    p = play(S2)
    version = publish("".join([first, closing, silence, break_, REMINDERS, rest]))
    Ticket.objects.filter(pk=p.ticket.pk).update(process_version=version)
    p.refresh()
    p.do(p.supervisor, "preparar", **prepared(p)).do(p.agent, "pedir_aprobacion", solution_done="Listo")
    return p


def test_each_silence_acts_once_when_it_is_over(reminded):
    p, done = reminded, []
    for _half_day in range(10):
        p.later(hours=12)
        done.append(p.last.action)
    before = ["pedir_aprobacion"] * 5
    assert done == [*before, *["insistir"] * 4, "seguir_sin_respuesta"]
    assert [event.action for event in p.events].count("insistir") == 1


def test_late_sweep_runs_silences_in_order(reminded):
    p = reminded.later(days=20)
    assert p.ticket.stage == "aprobacion"
    p.later(minutes=5).later(minutes=5)
    assert [event.action for event in p.events][-2:] == ["insistir", "seguir_sin_respuesta"]


def test_silence_whose_condition_fails_is_skipped(reminded):
    p = reminded.later(days=2)
    assert p.last.action == "pedir_aprobacion"
    assert p.ticket.silence_due_at == START + timedelta(days=3)
    assert sweeps.act_on_silence() == 0


def test_message_of_an_action_restarts_the_silence(reminded):
    p = reminded.later(days=3)
    p.do(p.customer, "comentar", message="Lo miro mañana.")
    assert (p.ticket.silence_since, p.ticket.silence_due_at) == (
        START + timedelta(days=3),
        START + timedelta(days=5),
    )


def test_silence_ends_at_ignores_reminders(reminded):
    assert reminded.ticket.silence_ends_at == START + timedelta(days=5)
    assert reminded.ticket.silence_due_at == START + timedelta(days=2)
    assert not reminded.ticket.is_closed_by_silence, "it goes on to the review"
    reminded.ticket.silence_due_at = START + timedelta(days=6)
    assert reminded.ticket.silence_ends_at is None, "the date has passed"


def test_expired_links_are_deleted_after_a_month(play):
    p = play(S2)
    guests.issue(p.ticket, purpose=Purpose.CONTRIBUTE, email="ana@example.com")
    p.clock.shift(timedelta(days=45))
    guests.issue(p.ticket, purpose=Purpose.CONTRIBUTE, email="ana@example.com")
    assert sweeps.forget_expired_tokens() == 0
    p.clock.shift(timedelta(days=16))
    assert sweeps.forget_expired_tokens() == 1
    assert GuestToken.objects.count() == 1
