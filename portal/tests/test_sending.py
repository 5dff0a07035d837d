"""The guide's last step: contact, sending, and the folio."""

import re
import uuid
from html import unescape
from typing import Any

import pytest
import time_machine
from django.contrib.sessions.models import Session
from django.test import Client

from accounts.models import User
from accounts.tests.factories import make_user
from tickets.models import Process, ReportDraft, Ticket, TicketEvent
from tickets.tests.factories import make_process, make_ticket

from .factories import DETAILS, png, signed_in
from .guide import PAGO, PLATAFORMA, S2, Guide, hidden

pytestmark = pytest.mark.django_db


# --- Contact and sending ----------------------------------------------------------------------------------


@pytest.mark.demand("S0.13", "S0.14", "S3.5", "S3.9")
def test_guest_files_a_report_and_sees_the_folio(client: Client, guest_process: Process):
    guide = Guide(client, PAGO)
    assert guide.fill(DETAILS)["Location"] == guide.contact
    assert "Enviar Reporte</button>" in guide.page(guide.contact)

    answer = guide.send(email="Ana@Example.com", name="Ana", phone="+57 310 555 0177")

    ticket = Ticket.objects.get()
    assert answer["Location"] == guide.done
    assert (ticket.requester, ticket.requester_email, ticket.requester_name) == (
        None,
        "ana@example.com",
        "Ana",
    )
    assert ticket.requester_phone == "+57 310 555 0177"
    assert ticket.category.key == "pago"
    assert ticket.folio in guide.page(guide.done)


def test_review_shows_a_pasted_log_as_it_was_typed(client: Client, guest_process: Process):
    log = "Traceback:\n\tat foo(Baz:10)\n    con sangría"
    guide = Guide(client, PAGO)
    guide.fill(DETAILS | {"description": log})

    assert f'<dd class="as-typed">{log}</dd>' in guide.page(guide.contact)


@pytest.mark.demand("S0.4")
@pytest.mark.parametrize(
    ("fault", "topic"),
    [
        ("La App se cierra al abrir el mapa", "problema-con-la-app"),
        ("No puedo procesar el pago de mi reserva", "falla-en-el-pago"),
        ("El botón «Reservar» no hace nada", "problema-con-la-app"),
        ("Mi reserva no se muestra correctamente", "error-de-visualizacion"),
        ("El GPS me lleva a otro estacionamiento", "problema-con-la-app"),
    ],
)
def test_example_faults_of_the_document_can_be_filed(client: Client, fault: str, topic: str):
    make_process("incidencia-tecnica")
    guide = Guide(client, f"incidencia-tecnica.{topic}")

    guide.fill({"title": fault, "description": "Pasa siempre.", "answer_donde_ocurre": "android"})
    guide.send(email="ana@example.com")

    ticket = Ticket.objects.get()
    assert (ticket.title, ticket.category.key, ticket.fields["donde_ocurre"]) == (fault, topic, "android")


def test_submit_button_has_a_default_label(customer_client: Client, process: Process):
    guide = Guide(customer_client, PLATAFORMA)
    guide.fill(S2)

    assert "Enviar reporte</button>" in guide.page(guide.contact)


@pytest.mark.parametrize("email", ["", "ana@", "ana@example", "a@b.com\nBcc: c@d.com", "x" * 300 + "@a.com"])
def test_guest_needs_a_valid_email_address(client: Client, guest_process: Process, email: str):
    guide = Guide(client, PAGO)
    guide.fill(DETAILS)

    page = guide.send(email=email, name="Ana")

    assert page.status_code == 422
    assert 'value="Ana"' in page.content.decode()
    assert DETAILS["title"] in page.content.decode()
    assert not Ticket.objects.exists()


@pytest.mark.demand("S0.12")
def test_invalid_phone_is_refused_and_kept(client: Client, guest_process: Process):
    guide = Guide(client, PAGO)
    guide.fill(DETAILS)

    page = guide.send(email="ana@example.com", phone="llámame")

    assert "Escribe un teléfono con su código de área" in page.content.decode()
    assert 'value="llámame"' in page.content.decode()


@pytest.mark.demand("S2.1")
def test_address_of_an_account_cannot_be_changed(customer: User, customer_client: Client, process: Process):
    guide = Guide(customer_client, PLATAFORMA)
    guide.fill(S2)
    page = guide.page(guide.contact)
    assert re.search(r'<input type="email" name="email" value="lucia@example.com"[^>]* readonly', page)

    guide.send(email="otro@example.com", name="Otro", phone="", notify="on")

    ticket = Ticket.objects.get()
    assert (ticket.requester, ticket.requester_email) == (customer, "lucia@example.com")


@pytest.mark.demand("S3.10")
@pytest.mark.parametrize(("posted", "expected"), [({"notify": "on"}, True), ({}, False)])
def test_signed_in_person_chooses_notifications(
    customer_client: Client, process: Process, posted: dict[str, str], expected: bool
):
    guide = Guide(customer_client, PLATAFORMA)
    guide.fill(S2)

    guide.send(email="lucia@example.com", seen="1", **posted)

    assert Ticket.objects.get().notify_requester is expected


def test_guest_is_not_asked_about_notifications(client: Client, guest_process: Process):
    guide = Guide(client, PAGO)
    guide.fill(DETAILS)

    assert 'name="notify"' not in guide.page(guide.contact)


def test_contact_shows_what_will_be_sent(client: Client, guest_process: Process):
    guide = Guide(client, PAGO)
    guide.fill(DETAILS)

    page = unescape(guide.page(guide.contact))

    for shown in (DETAILS["title"], "No pudimos confirmar tu pago", "RS-441720", "Tarjeta", "1234"):
        assert shown in page


# --- Once and only once -----------------------------------------------------------------------------------


@pytest.mark.demand("S0.14")
def test_a_double_click_files_one_ticket(client: Client, guest_process: Process):
    guide = Guide(client, PAGO)
    guide.fill(DETAILS)
    carry = hidden(guide.page(guide.contact), "carry")
    before = ReportDraft.objects.values().get()

    guide.send(email="ana@example.com", carry=carry)
    # Restore the draft as it was, as if the second click was sent before the first was answered.
    ReportDraft.objects.filter(pk=before["id"]).update(**before)
    again = guide.send(email="ana@example.com", carry=carry)

    assert again["Location"] == guide.done
    assert Ticket.objects.count() == 1


def test_going_back_after_filing_files_nothing(client: Client, guest_process: Process):
    guide = Guide(client, PAGO)
    guide.fill(DETAILS)
    guide.send(email="ana@example.com")

    for answer in (
        client.get(guide.contact),
        client.get(guide.details),
        guide.fill(DETAILS | {"title": "Otra vez"}),
        guide.send(email="ana@example.com"),
    ):
        assert answer["Location"] == guide.done
    assert Ticket.objects.count() == 1


def test_a_second_report_is_a_second_ticket(client: Client, guest_process: Process):
    for _report in range(2):
        guide = Guide(client, PAGO)
        guide.fill(DETAILS)
        guide.send(email="ana@example.com")

    assert Ticket.objects.count() == 2


def test_opening_the_steps_changes_nothing(client: Client, guest_process: Process):
    guide = Guide(client, PAGO)
    guide.page(f"/nuevo/{guide.id}/")
    guide.page(guide.contact)

    assert not ReportDraft.objects.exists()
    assert not Session.objects.exists()
    assert not TicketEvent.objects.exists()


# --- Bounds -----------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("one_instant")
def test_anonymous_filing_is_limited(client: Client, guest_process: Process):
    guide = Guide(client, PAGO)

    answers = [guide.fill({"title": "spam"}).status_code for _try in range(61)]

    assert answers[-1] == 429
    assert set(answers[:-1]) == {422}


@pytest.mark.usefixtures("one_instant")
def test_acknowledgements_to_one_address_are_limited(client: Client, guest_process: Process):
    """B14: nobody can flood another person's mailbox with our mails."""
    statuses = []
    for _report in range(11):
        guide = Guide(client, PAGO)
        guide.fill(DETAILS)
        statuses.append(guide.send(email="victima@example.com").status_code)

    assert statuses[-1] == 429
    assert Ticket.objects.count() == 10


def test_forms_that_file_nothing_lock_nobody_out(guest_process: Process):
    """Ten POSTs with an address and no report kept its owner from filing for an hour."""
    with time_machine.travel("2026-03-02 15:00+00:00", tick=False):
        for number in range(12):
            Client(REMOTE_ADDR=f"198.51.{number}.1").post(
                "/nuevo/uno/contacto/", {"email": "victima@example.com"}
            )
        guide = Guide(Client(REMOTE_ADDR="203.0.113.4"), PAGO)
        guide.fill(DETAILS)
        assert guide.send(email="victima@example.com").status_code == 302
    assert Ticket.objects.count() == 1


def test_one_network_cannot_have_mails_sent_to_everybody(guest_process: Process):
    with time_machine.travel("2026-03-02 15:00+00:00", tick=False) as now:
        for number in range(61):
            if number % 30 == 0:
                now.shift(601)  # let the limit on pages of the guide begin again
            answer = Client().post("/nuevo/uno/contacto/", {"email": f"victima{number}@example.com"})
    assert answer.status_code == 429


@pytest.mark.parametrize("others", [0, 50])
def test_filing_query_count_is_bounded(
    client: Client, guest_process: Process, others: int, django_assert_max_num_queries: Any
):
    for _number in range(others):
        make_ticket(guest_process, guest_email="ana@example.com", category="tramite")
    guide = Guide(client, PAGO)
    guide.fill(DETAILS, files=[png()])

    with django_assert_max_num_queries(23):
        answer = guide.send(email="ana@example.com")

    assert answer["Location"] == guide.done


def test_folio_page_opens_only_in_its_browser(client: Client, guest_process: Process):
    guide = Guide(client, PAGO)
    guide.fill(DETAILS)
    guide.send(email="ana@example.com")

    assert signed_in(make_user()).get(guide.done).status_code == 404
    assert Client().get(f"/nuevo/{uuid.uuid4().hex[:12]}/listo/").status_code == 404
