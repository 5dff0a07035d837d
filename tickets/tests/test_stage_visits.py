"""Every stay of a ticket in a stage is on record, with what reports about the process need."""

from io import StringIO

import pytest
from django.core.management import call_command

from tickets.definitions.definition import Stage, Text, Who
from tickets.enums import StageKind, WaitedFor
from tickets.facts.filling import incomplete
from tickets.models import CalendarVersion, StageVisit, Ticket
from tickets.record.visits import waited_for
from tickets.tests.playing import forget_stays, prepared, stays_of, told_stays_of
from tickets.tests.test_calendar_clocks import SOURCE, Desk, at
from tickets.workflow import properties
from tickets.workflow.publishing import publish

S2 = "soporte-con-aprobacion"


def visits(play):
    return list(play.ticket.visits.order_by("left_at", "id"))


@pytest.mark.demand("S4.3")
def test_stay_keeps_whose_it_was_before_the_action_and_who_ended_it(play):
    p = play(S2)
    p.later(hours=3).do(p.supervisor, "preparar", **prepared(p, assignee=p.agent))
    p.later(hours=2)
    properties.assign(p.ticket, actor=p.supervisor, assignee=p.colleague)
    p.refresh()
    p.do(p.colleague, "pedir_aprobacion", solution_done="Listo.", solution_steps="Entra.")
    p.later(hours=20).do(p.customer, "rechazar", message="Sigue igual.")

    waiting, working, approving = visits(p)
    assert (waiting.stage, waiting.assignee, waiting.left_by, waiting.action) == (
        "recibido", None, p.supervisor, "preparar",
    )  # fmt: skip
    assert (waiting.number, waiting.next_stage, waiting.elapsed_seconds) == (1, "procesar", 3 * 3600)
    assert (working.stage, working.assignee, working.left_by) == ("procesar", p.colleague, p.colleague)
    assert working.department == p.ticket.department
    assert (approving.waited_for, approving.is_counted, approving.left_by) == (
        WaitedFor.REQUESTER, False, p.customer,
    )  # fmt: skip
    assert p.ticket.resolution_seconds is None


def test_second_visit_to_a_stage_is_numbered(play):
    p = play(S2)
    p.do(p.supervisor, "preparar", **prepared(p))
    for _round in range(2):
        p.do(p.agent, "pedir_aprobacion", solution_done="Listo.", solution_steps="Entra.")
        p.do(p.customer, "rechazar", message="Sigue igual.")
    assert [v.number for v in visits(p) if v.stage == "procesar"] == [1, 2]
    assert [v.number for v in visits(p) if v.stage == "aprobacion"] == [1, 2]


def test_working_time_is_counted_by_the_calendar_that_was_in_force(db):
    desk = Desk(publish(SOURCE).process)
    ticket = desk.file(at(2026, 11, 27, 16, 30))  # a Friday, half an hour before the end
    desk.do(at(2026, 11, 30, 9, 0), ticket, "preguntar")
    desk.do(at(2026, 11, 30, 11, 0), ticket, "seguir")
    desk.do(at(2026, 11, 30, 12, 30), ticket, "terminar")  # half an hour into the lunch hour

    stays = list(ticket.visits.order_by("left_at"))
    assert [(stay.stage, stay.number, stay.working_seconds / 3600) for stay in stays] == [
        ("nuevo", 1, 1.5), ("espera", 1, 2), ("nuevo", 2, 1),
    ]  # fmt: skip
    assert stays[0].elapsed_seconds == 64.5 * 3600
    assert {stay.calendar_version for stay in stays} == {CalendarVersion.objects.get()}
    ticket.refresh_from_db()
    assert ticket.resolution_seconds == 2.5 * 3600  # the two hours that it waited are not the desk's
    assert stays_of(ticket) == told_stays_of(ticket)


def test_first_response_seconds_leave_out_what_the_requester_took(play):
    p = play(S2)
    p.later(hours=1).do(p.supervisor, "preparar", **prepared(p, assignee=p.agent))
    p.later(hours=2).follow_up()
    assert p.ticket.first_response_seconds == 3 * 3600
    p.later(hours=2).follow_up()
    assert p.ticket.first_response_seconds == 3 * 3600


def test_reopening_clears_the_time_of_resolution_and_closing_again_counts_on(play):
    p = play("incidencia-tecnica")
    p.later(hours=2).do(p.supervisor, "descartar", message="No procede.")
    assert p.ticket.resolution_seconds == 2 * 3600
    p.later(hours=24).do(p.supervisor, "reabrir", note="Sí procede.")
    assert p.ticket.resolution_seconds is None
    p.later(hours=3).do(p.supervisor, "descartar", message="No procede.")
    assert p.ticket.resolution_seconds == 5 * 3600
    closed = p.ticket.visits.get(stage="descartado")
    assert (closed.waited_for, closed.elapsed_seconds) == (WaitedFor.NOBODY, 24 * 3600)


def test_filling_changes_nothing_else_of_a_ticket_and_says_how_many_it_filled(play):
    p = play(S2)
    p.later(hours=5).do(p.supervisor, "preparar", **prepared(p))
    p.follow_up()
    forget_stays(p.ticket)
    before = Ticket.objects.values().get()
    assert list(incomplete()) == [p.ticket]
    out = StringIO()
    call_command("reports", "fill", stdout=out)
    assert out.getvalue().endswith("1 ticket completado\n")
    assert not incomplete().exists()
    after = Ticket.objects.values().get()
    assert [name for name in after if after[name] != before[name]] == ["first_response_seconds"]


def test_filling_completes_a_ticket_of_which_only_the_last_stays_are_recorded(play):
    p = play(S2)
    p.do(p.supervisor, "preparar", **prepared(p))
    p.later(hours=1).do(p.agent, "pedir_aprobacion", solution_done="Listo.", solution_steps="Entra.")
    written = stays_of(p.ticket)
    p.ticket.visits.filter(stage="recibido").delete()
    call_command("reports", "fill", stdout=StringIO())
    assert stays_of(p.ticket) == written
    call_command("reports", "fill", stdout=StringIO())
    assert stays_of(p.ticket) == written


def test_filling_leaves_tickets_whose_history_retention_has_deleted(play):
    p = play(S2)
    p.do(p.supervisor, "preparar", **prepared(p))
    p.is_whole = False
    p.ticket.events.all().delete()
    call_command("reports", "fill", stdout=StringIO())
    assert StageVisit.objects.count() == 1


@pytest.mark.parametrize(
    ("kind", "owner", "expected"),
    [
        (StageKind.WORK, Who("assignee"), WaitedFor.DESK),
        (StageKind.WORK, Who("department", "soporte"), WaitedFor.DESK),
        (StageKind.VERIFICATION, Who("department", "atencion"), WaitedFor.OTHER_TEAM),
        (StageKind.WAITING_INTERNAL, Who("department"), WaitedFor.OTHER_TEAM),
        (StageKind.WAITING_CUSTOMER, Who("requester"), WaitedFor.REQUESTER),
        (StageKind.CLOSURE_APPROVAL, Who("requester"), WaitedFor.REQUESTER),
        (StageKind.DONE, Who("department"), WaitedFor.NOBODY),
    ],
)
def test_waited_for_is_who_had_to_act(kind, owner, expected):
    stage = Stage("x", Text("X"), kind, owner, progress=10, clock=kind.meta.clock)
    assert waited_for(stage, department_key="soporte") == expected
