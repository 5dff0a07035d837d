"""What the requester of a closed ticket reads before and after writing on it."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from zeal import zeal_ignore

from accounts.models import User
from tickets.enums import Purpose
from tickets.models import Ticket
from tickets.requesters import guests
from tickets.tests.factories import make_process, make_ticket
from tickets.workflow.perform import perform

from .browsing import html, url

pytestmark = pytest.mark.django_db


@pytest.fixture
def closed(to_approve: Ticket, customer: User) -> Ticket:
    return perform(to_approve, "aprobar", actor=customer)


def texts_of(page: str) -> str:
    return re.sub(r"\s+", " ", page)


def send(client: Client, ticket: Ticket, **form: str) -> str:
    answer = client.post(url(ticket, "responder/"), {"body": "Volvió a pasar.", **form}, follow=True)
    return texts_of(answer.content.decode())


def test_page_of_a_closed_ticket_says_that_a_reply_reopens_it(closed: Ticket, customer_client: Client):
    page = texts_of(html(customer_client, url(closed)))

    assert "Si el problema sigue, escribe y lo reabrimos: puedes hacerlo hasta el" in page
    assert "Enviar y reabrir" in page
    assert "Solo comentar" in page


def test_page_of_an_open_ticket_says_nothing_of_it(in_work: Ticket, customer_client: Client):
    page = texts_of(html(customer_client, url(in_work)))

    assert "está cerrado" not in page
    assert "Solo comentar" not in page


def test_open_page_changes_its_buttons_when_the_ticket_closes(
    to_approve: Ticket, customer: User, customer_client: Client
):
    seen = Ticket.objects.get(pk=to_approve.pk).public_version
    perform(to_approve, "aprobar", actor=customer)

    update = texts_of(html(customer_client, url(to_approve, f"novedades/?v={seen}")))

    assert "Enviar y reabrir" in update
    assert 'id="responder-enviar" hx-swap-oob="true"' in update
    assert 'id="responder-aviso" hx-swap-oob="true"' in update


def test_reply_reopens_and_says_so(closed: Ticket, customer_client: Client):
    page = send(customer_client, closed)

    closed.refresh_from_db()
    assert closed.stage == "procesar"
    assert "Enviamos tu respuesta y reabrimos el ticket." in page
    assert "Tu mensaje reabrió el ticket" in page


def test_comment_keeps_the_ticket_closed_and_says_so(closed: Ticket, customer_client: Client):
    page = send(customer_client, closed, keep_closed="1")

    closed.refresh_from_db()
    assert (closed.stage, closed.late_reply_at is not None) == ("cerrado", True)
    assert "El ticket sigue cerrado y el equipo lo leerá." in page


def test_late_reply_leads_to_the_new_ticket(closed: Ticket, customer_client: Client):
    Ticket.objects.filter(pk=closed.pk).update(closed_at=timezone.now() - timedelta(days=11))
    before = texts_of(html(customer_client, url(closed)))
    assert "Con lo que escribas abriremos otro, ligado a este." in before
    assert "Enviar y abrir un ticket" in before

    page = send(customer_client, closed)

    new = closed.followed_by.get()
    assert f"El ticket {closed.folio} estaba cerrado: tu mensaje abrió este, el {new.folio}." in page
    assert f"Tu mensaje siguió en el ticket {new.folio}" in texts_of(html(customer_client, url(closed)))
    assert f"Este caso sigue en el ticket {new.folio}." in texts_of(html(customer_client, url(closed)))
    assert f'<a href="{url(new)}">Abrir el {new.folio}</a>' in html(customer_client, url(closed))
    assert f'<dt>Sigue a</dt> <dd><a href="{url(closed)}">{closed.folio}</a></dd>' in texts_of(
        html(customer_client, url(new))
    )
    with zeal_ignore():  # one request locks both tickets
        again = send(customer_client, closed, body="Y otra cosa.")
    assert f"El caso {closed.folio} sigue aquí: enviamos tu respuesta al ticket {new.folio}." in again
    assert [message.body for message in new.messages.order_by("pk")] == ["Volvió a pasar.", "Y otra cosa."]


def test_guest_follows_the_new_ticket_at_once(client: Client):
    process = make_process("reparacion-de-dispositivo")
    ticket = make_ticket(
        process, guest_email="invitada@example.com", phone="0414 1234567", fields={"marca": "Nokia"}
    )
    Ticket.objects.filter(pk=ticket.pk).update(
        stage="denegado", stage_kind="rejected", closed_at=timezone.now() - timedelta(days=1)
    )
    raw = guests.issue(ticket, purpose=Purpose.FOLLOW, email="invitada@example.com")
    client.get(f"/enlace/{raw}/", follow=True)

    answer = client.post(f"/invitado/{ticket.folio}/responder/", {"body": "Volvió a pasar."}, follow=True)

    new = ticket.followed_by.get()
    assert answer.redirect_chain[-1][0].startswith(f"/invitado/{new.folio}/")
    assert answer.status_code == 200
    assert f"tu mensaje abrió este, el {new.folio}." in texts_of(answer.content.decode())
    assert f"<dt>Sigue a</dt> <dd>{ticket.folio}</dd>" in texts_of(answer.content.decode())


def test_link_mailed_to_somebody_else_opens_no_other_ticket():
    mine = make_ticket(make_process("solicitud-guiada"), guest_email="invitada@example.com")
    other = make_ticket(make_process("solicitud-guiada"), guest_email="otra@example.com")
    token = guests.redeem(guests.issue(mine, purpose=Purpose.FOLLOW, email="invitada@example.com"))

    with pytest.raises(guests.InvalidToken):
        guests.link_to(token, other)
