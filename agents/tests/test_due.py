"""«¿Por qué esta fecha?» for staff: the bar of a stopped clock and of a long one, and time left in one rounding."""

import re
from datetime import timedelta

import pytest
from django.test import Client

from tickets.models import Clock
from tickets.tests.test_schedules import MONDAY, Desk, at, on

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk():
    return Desk()


def page(desk, path, moment):
    client = Client()
    client.force_login(desk.supervisor)
    with on(moment):
        return client.get(path).content.decode().replace("\N{NO-BREAK SPACE}", " ")


def text_of(html):
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def test_early_stop_shows_its_moment_the_unused_rest_and_the_date_it_had(desk):
    ticket = desk.file(MONDAY)
    desk.do(at(2026, 11, 23, 10, 0), ticket, "terminar")
    html = page(desk, f"/agentes/tickets/{ticket.folio}/fecha/", at(2026, 11, 30, 10, 0))
    text = text_of(html.split('id="resolution"')[1])
    assert html.count('<rect class="st-unused"') >= 4
    for words in ("terminó", "vencía 18:00", "Sin usar lun 23 nov, 11:00 – mar 24 nov, 18:00 16 h"):
        assert words in text, words
    assert "ahora" not in text
    assert "Vencía mar 24 nov, 18:00" in text_of(html)


def test_days_that_do_not_fit_are_a_box_with_their_number(desk):
    ticket = desk.file(MONDAY)
    Clock.objects.filter(ticket=ticket, kind="resolution").update(due_at=MONDAY + timedelta(days=30, hours=1))
    html = page(desk, f"/agentes/tickets/{ticket.folio}/fecha/", MONDAY + timedelta(hours=1))
    assert re.search(r'<rect class="st-more"[^>]*>\s*<text class="st-in-more"[^>]*>\d+ días más<', html)
    assert re.search(r'<span class="daybars__more">\d+ días? más</span>', html)


def test_ticket_queue_and_explanation_say_the_same_time_left(desk):
    ticket = desk.file(MONDAY + timedelta(seconds=30))
    moment = MONDAY + timedelta(minutes=11)
    explanation = text_of(page(desk, f"/agentes/tickets/{ticket.folio}/fecha/", moment))
    assert "Quedan 1 h 50 min" in explanation
    assert "En 1 h 50 min" in explanation
    for path in (f"/agentes/tickets/{ticket.folio}/", "/agentes/colas/todos/"):
        html = page(desk, path, moment)
        assert "1 h 50 min" in html, path
        assert "1 h 49 min" not in html, path
