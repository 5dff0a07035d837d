"""«¿Por qué esta fecha?» in words and as a bar: days are told as days, and amounts add up."""

from datetime import timedelta

import pytest
from django.utils import timezone

from content.dates import short_date
from tickets.definitions.targets import read_targets
from tickets.explanation import explanations
from tickets.models import Clock
from tickets.schedules import applying, job, proposing
from tickets.tests.playing import Play
from tickets.tests.test_schedules import MONDAY, Desk, at, clock, on
from tickets.workflow import properties
from web.explained import explained
from web.wording import NBSP

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk():
    return Desk()


@pytest.fixture
def p():
    play = Play("incidencia-tecnica")
    yield play
    play.stop()


def told(ticket, moment, kind="resolution"):
    ticket.refresh_from_db()
    with on(moment), timezone.override("America/Bogota"):
        [found] = explanations(ticket, now=moment, kinds=[kind])
        return explained(found, now=moment)


def plain(text):
    return text.replace(NBSP, " ")


def amounts(found):
    return {row.kind: plain(row.amount) for row in found.rows}


def promise(desk, text):
    targets = read_targets({"calendar": "oficina", "resolution": {"problem": text, "procedure": text}})
    with on(MONDAY - timedelta(days=1)):
        change = proposing.propose_targets(desk.process, targets, actor=desk.supervisor, base=None)
        job.go_on(applying.confirm(change, actor=desk.supervisor), seconds=5)


def test_day_on_which_a_target_in_days_begins_is_no_day_of_it(desk):
    promise(desk, "3 working days")
    ticket = desk.file(MONDAY)
    found = told(ticket, MONDAY + timedelta(hours=4))
    assert (found.used, found.left, found.target) == ("0 días", "3 días", "3 días hábiles")
    assert amounts(found) == {"night": "no cuenta", "next": "3 días", "sum": "3 días"}
    assert [piece.text for piece in found.bar.pieces if piece.kind == "next"] == ["3 días"]
    wednesday = told(ticket, at(2026, 11, 25, 10, 0))
    assert (wednesday.used, wednesday.left) == ("1 día", "2 días")
    assert amounts(wednesday)["sum"] == "3 días"


def test_row_of_a_list_says_as_many_days_as_were_promised(desk):
    promise(desk, "3 working days")
    ticket = desk.file(MONDAY)
    Clock.objects.filter(ticket=ticket, kind="resolution").update(paused_at=MONDAY + timedelta(hours=1))
    found = told(ticket, MONDAY + timedelta(hours=4))
    assert (found.explanation.status.state, found.explanation.status.left) == ("paused", timedelta(days=3))


def test_minutes_used_and_left_add_up_to_the_target(desk):
    found = told(desk.file(MONDAY), MONDAY + timedelta(hours=1, minutes=20, seconds=30))
    assert (plain(found.used), plain(found.left)) == ("1 h 20 min", "16 h 40 min")
    assert amounts(found)["sum"] == "18 h"


def test_date_that_a_person_only_confirms_keeps_its_explanation(desk):
    ticket = desk.file(MONDAY)
    due = clock(ticket).due_at
    Clock.objects.filter(ticket=ticket, kind="resolution").update(is_agreed=True)
    confirmed = told(ticket, MONDAY + timedelta(hours=1))
    assert plain(confirmed.sentences[0]) == "Usamos 1 h de 18 horas hábiles que damos a casos como este."
    with on(MONDAY + timedelta(hours=1)):
        properties.change_properties(ticket, actor=desk.supervisor, due_at=due + timedelta(days=2))
    assert told(ticket, MONDAY + timedelta(hours=2)).sentences[0].startswith("Una persona del equipo")


def test_pause_that_lasts_says_since_when_and_which_date_it_would_be(desk):
    ticket = desk.file(MONDAY)
    desk.do(MONDAY + timedelta(hours=1), ticket, "preguntar")
    found = told(ticket, MONDAY + timedelta(hours=3))
    assert (
        "El reloj está detenido desde hoy, 9:00: esperábamos tu respuesta. Si sigue ahora, la fecha es "
        "mié 25 nov, 10:00." in found.sentences
    )
    assert next(row.detail for row in found.rows if row.kind == "pause") == "desde hoy, 9:00"


def test_clock_that_a_message_began_does_not_say_that_the_ticket_arrived(p):
    p.do(p.agent, "clasificar", severity="medium", department=p.ticket.department, assignee=p.agent)
    p.later(hours=5).do(p.agent, "informar_avance", message="En ello.").later(hours=1)
    now = timezone.now()
    [found] = explanations(p.refresh(), now=now, kinds=["progress"])
    assert explained(found, now=now).moves[0][0] == "Empezó con un mensaje del equipo: 3 días"
    [found] = explanations(p.ticket, now=now, kinds=["resolution"])
    assert explained(found, now=now).moves[0][0].startswith("Llegó con severidad")


def test_phones_get_a_line_for_each_day_with_the_mark_of_the_due_date(desk):
    found = told(desk.file(MONDAY), at(2026, 11, 23, 12, 0))
    assert [(day.day, plain(day.text)) for day in found.bar.days] == [
        ("hoy", "9 h"),
        ("mañana", "vence 17:00"),
    ]
    assert [kind for kind, _x, _width in found.bar.days[0].boxes] == ["count", "next"]
    assert (found.bar.days[0].now, found.bar.days[1].due) == (44, 100)


def test_every_stretch_is_listed_in_order_with_its_amount(desk):
    ticket = desk.file(MONDAY)
    desk.do(at(2026, 11, 23, 10, 0), ticket, "preguntar")
    desk.do(at(2026, 11, 23, 12, 0), ticket, "seguir")
    found = told(ticket, at(2026, 11, 24, 9, 0))
    listed = [(row.kind, plain(row.label), plain(row.amount)) for row in found.stretches]
    assert listed == [
        ("count", "Cuenta", "2 h"),
        ("pause", "En pausa, esperando al solicitante", "no cuenta"),
        ("count", "Cuenta", "5 h"),
        ("night", "Fuera de horario", "no cuenta"),
        ("count", "Cuenta", "1 h"),
        ("next", "Falta", "8 h"),
        ("night", "Fuera de horario", "no cuenta"),
        ("next", "Falta", "2 h"),
    ]
    assert [row.label for row in found.stretches_for_customer][1] == "En pausa, esperábamos tu respuesta"


def test_long_list_of_stretches_is_cut_and_says_so(desk):
    promise(desk, "800 working hours")
    ticket = desk.file(MONDAY)
    moment = MONDAY + timedelta(days=60)
    found = told(ticket, moment)
    assert len(found.stretches) == 61
    assert found.stretches[0].label == f"{len(found.explanation.stretches) - 60} tramos anteriores"
    with on(moment), timezone.override("America/Bogota"):
        assert found.stretches[-1].detail.endswith(short_date(found.explanation.stretches[-1].end))


def test_stretches_are_listed_only_where_they_say_more_than_the_summary(desk):
    ticket = desk.file(MONDAY)
    assert told(ticket, MONDAY + timedelta(hours=1, seconds=20)).stretches
    promise(desk, "3h")
    assert not told(desk.file(MONDAY), MONDAY + timedelta(hours=1)).stretches
