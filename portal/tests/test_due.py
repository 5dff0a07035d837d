"""«¿Por qué esta fecha?» for customers: on the page of their ticket and nowhere else."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.tests.factories import make_supervisor, make_user
from tickets.calendars.rules import OwnDay
from tickets.enums import Purpose
from tickets.models import Clock, Ticket
from tickets.requesters import guests
from tickets.tests.factories import make_process, make_ticket
from tickets.tests.test_schedules import MONDAY, SHORTER, Desk, at, on
from tickets.workflow.conversation import send_follow_up

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk():
    return Desk()


def text_of(response):
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def page_of(ticket, moment, user=None, path=""):
    client = Client()
    client.force_login(user or ticket.requester)
    with on(moment):
        return client.get(f"/tickets/{ticket.folio}/{path}")


def test_ticket_links_to_the_explanation_of_its_date(desk):
    ticket = desk.file(MONDAY)
    moment = MONDAY + timedelta(hours=1)
    assert f'href="/tickets/{ticket.folio}/fecha/"' in page_of(ticket, moment).content.decode()


def test_explanation_says_what_was_used_paused_and_skipped_and_names_no_staff(desk):
    ticket = desk.file(MONDAY)
    desk.do(at(2026, 11, 23, 10, 0), ticket, "preguntar")
    desk.do(at(2026, 11, 23, 12, 0), ticket, "seguir")
    draft = desk.propose(at(2026, 11, 23, 13, 0), week=SHORTER)
    draft.reason = "Motivo interno"
    draft.save()
    desk.apply(at(2026, 11, 23, 13, 0), draft)
    page = text_of(page_of(ticket, at(2026, 11, 24, 9, 0), path="fecha/"))
    assert "Lista a más tardar jue 26 nov, 11:00" in page  # the reader is an hour ahead
    assert "Usamos 5 h de 18 horas hábiles que damos a casos como este." in page
    assert "El reloj se detuvo (ayer, 11:00 – ayer, 13:00): esperábamos tu respuesta." in page
    assert "Cuenta solo el horario «Oficina»." in page
    for secret in ("Motivo interno", desk.agent.name, desk.supervisor.name, "versión"):
        assert secret not in page, secret


def test_holidays_are_named_in_the_readers_language(desk):
    holiday = OwnDay(at(2026, 11, 24).date(), "Día cívico", name_en="Civic day")
    desk.change(MONDAY, days=(holiday,))
    ticket = desk.file(MONDAY)
    moment = at(2026, 11, 25, 9, 0)
    assert "No contamos: Día cívico (ayer)." in text_of(page_of(ticket, moment, path="fecha/"))
    ticket.requester.language = "en"
    ticket.requester.save()
    assert "Civic day (yesterday)" in text_of(page_of(ticket, moment, path="fecha/"))


def test_guest_reads_the_explanation_through_their_link(desk):
    ticket = desk.file(MONDAY)
    Ticket.objects.filter(pk=ticket.pk).update(requester=None, requester_email="ana@example.com")
    ticket.refresh_from_db()
    with on(MONDAY + timedelta(hours=1)):
        token = guests.issue(ticket, purpose=Purpose.FOLLOW, email="ana@example.com")
        client = Client()
        client.get(f"/enlace/{token}/", follow=True)
        page = client.get(f"/invitado/{ticket.folio}/fecha/")
        again = Client().get(
            f"/enlace/{guests.issue(ticket, purpose=Purpose.FOLLOW, email='ana@example.com')}/fecha/"
        )
    assert "Usamos 1 h de 18 horas hábiles" in text_of(page)
    assert again["Location"] == f"/invitado/{ticket.folio}/fecha/"


@pytest.mark.demand("S0.17")
def test_first_response_is_promised_and_explained_until_somebody_answers():
    ticket = make_ticket(make_process("incidencia-tecnica"), requester=make_user())
    moment = timezone.now()
    assert "Primera respuesta" in text_of(page_of(ticket, moment))
    page = text_of(page_of(ticket, moment, path="fecha/"))
    assert "Te respondemos a más tardar" in page
    assert "Lista a más tardar" in page
    send_follow_up(ticket, actor=make_supervisor(), body="Ya lo miramos.")
    assert "Primera respuesta" not in text_of(page_of(ticket, moment))
    page = text_of(page_of(ticket, moment, path="fecha/"))
    assert "Te respondemos a más tardar" not in page
    assert "Lista a más tardar" in page


@pytest.mark.demand("S0.17")
def test_first_response_that_is_late_is_told_as_such():
    ticket = make_ticket(make_process("incidencia-tecnica"), requester=make_user())
    moment = ticket.first_response_due_at + timedelta(minutes=5)
    page = text_of(page_of(ticket, moment, path="fecha/"))
    assert "Debíamos responderte" in page
    assert "El equipo lo sabe y sigue con tu caso" in page
    assert "Ya pasó: el equipo lo sabe" in text_of(page_of(ticket, moment))


def test_signed_in_requester_goes_from_the_mail_to_their_own_page(desk):
    ticket = desk.file(MONDAY)
    client = Client()
    client.force_login(ticket.requester)
    token = guests.issue(ticket, purpose=Purpose.FOLLOW, email=ticket.requester.email)
    assert client.get(f"/enlace/{token}/fecha/")["Location"] == f"/tickets/{ticket.folio}/fecha/"


def test_strangers_get_no_explanation(desk):
    ticket = desk.file(MONDAY)
    assert page_of(ticket, MONDAY, make_user(), "fecha/").status_code == 404
    assert Client().get(f"/tickets/{ticket.folio}/fecha/").status_code == 302
    assert Client().get(f"/invitado/{ticket.folio}/fecha/").status_code != 200


def test_closed_ticket_has_no_date_to_explain(desk):
    ticket = desk.file(MONDAY)
    desk.do(at(2026, 11, 23, 10, 0), ticket, "terminar")
    assert page_of(ticket, at(2026, 11, 23, 11, 0), path="fecha/").status_code == 302


def test_breached_and_paused_dates_are_told_as_such(desk):
    late, waiting = desk.file(MONDAY), desk.file(MONDAY)
    assert "Debía estar lista" in text_of(page_of(late, at(2026, 11, 25, 9, 0), path="fecha/"))
    desk.do(at(2026, 11, 23, 10, 0), waiting, "preguntar")
    page = text_of(page_of(waiting, at(2026, 11, 23, 11, 0), path="fecha/"))
    assert "El reloj está detenido" in page


def test_long_promise_says_how_many_days_the_bar_leaves_out(desk):
    ticket = desk.file(MONDAY)
    Clock.objects.filter(ticket=ticket, kind="resolution").update(due_at=MONDAY + timedelta(days=30, hours=1))
    moment = MONDAY + timedelta(hours=1)
    html = page_of(ticket, moment, path="fecha/").content.decode()
    assert re.search(r'class="st-in-more"[^>]*>\d+ días más<', html)
    ticket.requester.language = "en"
    ticket.requester.save()
    html = page_of(ticket, moment, path="fecha/").content.decode()
    assert re.search(r'class="st-in-more"[^>]*>\d+ more days<', html)
