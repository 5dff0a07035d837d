"""«¿Por qué esta fecha?» in words and as a bar: days are told as days, and amounts add up."""

import itertools
from datetime import timedelta

import pytest
from django.utils import timezone, translation

from content.dates import short_date
from tickets.definitions.targets import read_targets
from tickets.explanation import explanations
from tickets.models import Clock
from tickets.schedules import applying, job, proposing
from tickets.tests.playing import Play
from tickets.tests.test_schedules import MONDAY, Desk, at, clock, on
from tickets.workflow import properties
from web.explained import explained
from web.why_amounts import KINDS
from web.why_bar import LETTER, WIDTH, _boxes, _days_more, _shortened
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
        "El reloj está detenido desde hoy, 9:00: esperamos tu respuesta. Si sigue ahora, la fecha es "
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


def drawn(found):
    return [(piece.kind, plain(piece.text), plain(piece.note)) for piece in found.bar.pieces]


def test_days_left_out_of_the_bar_are_counted_in_a_box_of_their_own(desk):
    promise(desk, "180 working hours")
    found = told(desk.file(MONDAY), at(2026, 12, 2, 12, 0))
    left_out = [(text, note) for kind, text, note in drawn(found) if kind == "more"]
    assert left_out == [("4 días más", "36 h"), ("9 días más", "81 h")]
    days = [piece.day for piece in found.bar.pieces if piece.day]
    assert days == ["lun 23 nov", "lun 30 nov", "ayer", "hoy", "mañana", "vie 4 dic", "vie 18 dic"]
    assert found.bar.pieces[-1].x + found.bar.pieces[-1].width <= WIDTH


def test_no_gap_of_the_bar_covers_time_that_counts(desk):
    promise(desk, "300 working hours")
    ticket = desk.file(MONDAY)
    for day in range(0, 60, 7):
        found = told(ticket, MONDAY + timedelta(days=day, hours=2))
        with timezone.override("America/Bogota"):
            zone = timezone.get_current_timezone()
            boxes = list(_boxes(found.explanation))
            moments = [MONDAY + timedelta(days=day, hours=2), found.explanation.due]
            short = _shortened(boxes, moments, zone)
        for gap in [box for box in short if box.kind == "night"]:
            assert not [box for box in boxes if box.amount and box.start < gap.end and box.end > gap.start]
        for kind in ("count", "next"):
            whole = sum((box.shown for box in boxes if box.kind == kind), timedelta())
            assert whole == sum(
                (piece.amount for piece in found.explanation.stretches if KINDS[piece.kind] == kind),
                timedelta(),
            )
        counted = ("count", "next", "more")
        assert sum((box.shown for box in short if box.kind in counted), timedelta()) == sum(
            (box.shown for box in boxes), timedelta()
        )


def test_single_day_left_out_is_singular():
    assert _days_more(1) == "1 día más"
    with translation.override("en"):
        assert (_days_more(1), _days_more(12)) == ("1 more day", "12 more days")


def test_many_stretches_of_one_day_are_left_out_as_stretches(desk):
    ticket = desk.file(MONDAY)
    for number in range(24):
        moment = MONDAY + timedelta(minutes=5 + 10 * number)
        desk.do(moment, ticket, "seguir" if number % 2 else "preguntar")
    found = told(ticket, at(2026, 11, 23, 14, 0))
    left_out = [piece.text for piece in found.bar.pieces if piece.kind == "more"]
    assert left_out == ["22 tramos más"]
    assert "night" in found.bar.kinds
    assert [piece.text for piece in found.bar.pieces if piece.kind == "next"][-1] == f"2{NBSP}h"


def test_phones_say_how_many_days_their_list_leaves_out(desk):
    promise(desk, "270 working hours")
    found = told(desk.file(MONDAY), at(2026, 11, 24, 12, 0))
    lines = [(day.day or day.more, plain(day.text)) for day in found.bar.days]
    assert len(lines) == 22
    assert lines[:2] == [("ayer", "9 h"), ("hoy", "9 h")]
    assert lines[-2:] == [("9 días más", "81 h"), ("1 ene 2027", "vence 17:00")]


def test_bar_of_a_clock_that_stopped_early_shows_what_was_not_used(desk):
    ticket = desk.file(MONDAY)
    desk.do(at(2026, 11, 23, 10, 0), ticket, "terminar")
    found = told(ticket, at(2026, 11, 30, 10, 0))
    assert drawn(found) == [
        ("count", "2 h", ""),
        ("unused", "7 h", ""),
        ("night", "", ""),
        ("unused", "9 h", ""),
    ]
    first, unused, *_others, last = found.bar.pieces
    assert (found.bar.now, found.bar.now_text) == (unused.x, "terminó")
    assert first.width < unused.width
    assert (found.bar.due, found.bar.due_text) == (last.x + last.width, "vencía 17:00")
    assert last.day == "mar 24 nov"
    assert amounts(found)["unused"] == "16 h"
    assert plain(found.bar.title) == (
        "lun 23 nov, 8:00 – lun 23 nov, 10:00: contaron 2 h y quedaron 16 h sin usar."
    )
    assert [(day.day, plain(day.text), day.now, day.due) for day in found.bar.days] == [
        ("lun 23 nov", "2 h", 22, None),
        ("mar 24 nov", "vencía 17:00", None, 100),
    ]
    assert [kind for kind, _x, _width in found.bar.days[1].boxes] == ["unused"]


def test_bar_of_a_clock_that_stopped_late_has_nothing_unused(desk):
    ticket = desk.file(MONDAY)
    desk.do(at(2026, 11, 25, 10, 0), ticket, "terminar")
    found = told(ticket, at(2026, 11, 30, 10, 0))
    assert not {"unused", "next"} & found.bar.kinds
    assert found.bar.due < found.bar.now == found.bar.pieces[-1].x + found.bar.pieces[-1].width
    assert found.bar.due_text == "vencía 17:00"
    assert plain(found.bar.title).endswith("contaron 20 h.")


def test_due_date_has_its_day_unless_that_day_stands_above_it(desk):
    found = told(desk.file(MONDAY), MONDAY + timedelta(hours=4))
    assert found.bar.pieces[-1].day == "mañana"
    assert found.bar.due_text == "vence 17:00"
    promise(desk, "72h")
    ticket = desk.file(MONDAY)
    found = told(ticket, MONDAY + timedelta(hours=4))
    assert [piece.day for piece in found.bar.pieces if piece.day] == ["hoy"]
    assert found.bar.due_text == "vence jue 26 nov, 8:00"
    assert found.bar.days[-1].text == "vence 8:00"
    assert told(ticket, MONDAY + timedelta(days=4)).bar.due_text.startswith("venció ")


def test_bar_and_lists_round_minutes_alike(desk):
    ticket = desk.file(MONDAY + timedelta(seconds=20))
    found = told(ticket, at(2026, 11, 24, 12, 10, 50))
    assert (plain(found.used), plain(found.left)) == ("13 h 10 min", "4 h 50 min")
    assert drawn(found) == [
        ("count", "8 h 59 min", ""),
        ("night", "", ""),
        ("count", "4 h 11 min", ""),
        ("next", "4 h 50 min", ""),
        ("night", "", ""),
        ("next", "", ""),
    ]
    assert [plain(row.amount) for row in found.stretches if row.kind in ("count", "next")] == [
        "8 h 59 min",
        "4 h 11 min",
        "4 h 50 min",
        "0 min",
    ]
    assert amounts(found)["next"] == "4 h 50 min"


def test_time_left_is_the_same_on_both_clocks(desk):
    promise(desk, "3h")
    found = told(desk.file(MONDAY + timedelta(seconds=30)), MONDAY + timedelta(minutes=11))
    assert (plain(found.left), plain(found.wall)) == ("2 h 50 min", "en 2 h 50 min")
    assert plain(found.bar.pieces[-1].text) == "2 h 50 min"


def test_words_under_the_marks_do_not_overlap(desk):
    found = told(desk.file(MONDAY), at(2026, 11, 24, 16, 0))
    assert found.bar.due - found.bar.now < 100
    assert found.bar.are_close
    assert not told(desk.file(MONDAY), MONDAY + timedelta(hours=1)).bar.are_close


def test_day_labels_do_not_overlap(desk):
    promise(desk, "54 working hours")
    found = told(desk.file(at(2026, 11, 23, 15, 0)), at(2026, 11, 25, 9, 0))
    labelled = [piece for piece in found.bar.pieces if piece.day]
    assert [(piece.day, piece.is_raised) for piece in labelled[:3]] == [
        ("lun 23 nov", False),
        ("ayer", True),
        ("hoy", False),
    ]
    for row in (False, True):
        for one, other in itertools.pairwise(piece for piece in labelled if piece.is_raised is row):
            assert one.x + LETTER * len(one.day) <= other.x


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
