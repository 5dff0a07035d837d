"""The requester's page of a ticket: what it shows and what it never shows."""

import re
from html import unescape
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from accounts.tests.factories import make_agent, make_supervisor
from tickets.closing import nonconformities
from tickets.closing.contact_log import log_contact
from tickets.enums import Purpose, Severity
from tickets.models import Attachment, Message, Process, Ticket, TicketEvent
from tickets.requesters import guests
from tickets.tests.factories import make_ticket
from tickets.tests.playing import review
from tickets.workflow import conversation, properties
from tickets.workflow.perform import end_silence, perform
from tickets.workflow.publishing import publish

from .browsing import html, snapshot, url
from .factories import SOLUTION, png, signed_in, working

pytestmark = pytest.mark.django_db


# --- What it shows ----------------------------------------------------------------------------------------


@pytest.mark.demand("S3.15", "S3.16", "S3.17")
def test_page_shows_state_percent_times_and_conversation(
    in_work: Ticket, agent: User, customer_client: Client
):
    conversation.send_follow_up(in_work, actor=agent, body="¿Cambiaron la luminaria?")

    page = html(customer_client, url(in_work))

    assert "La cámara no lee placas" in page
    assert "Espera tu respuesta" in page
    assert re.search(r'class="ring".*?<b>40\xa0%</b>', page, re.DOTALL)
    assert "Desde el sábado." in page
    assert "¿Cambiaron la luminaria?" in page
    assert f'datetime="{in_work.created_at.isoformat(timespec="seconds")}"' in page
    for step in ("Recibido", "En proceso", "Esperamos tu respuesta", "Completado"):
        assert step in page


@pytest.mark.demand("S3.12", "S3.13", "S3.14")
def test_public_state_follows_the_stage(
    ticket: Ticket, agent: User, supervisor: User, customer_client: Client
):
    pill = re.compile(
        r'class="pill pill--lg" data-state="([\w-]+)">.*?</svg>(?:<span[^>]*>)?([^<]+)</span>', re.DOTALL
    )
    seen = [pill.search(html(customer_client, url(ticket))).groups()]
    working(ticket, agent=agent, supervisor=supervisor)
    seen.append(pill.search(html(customer_client, url(ticket))).groups())
    perform(ticket, "pedir_aprobacion", actor=agent, data=SOLUTION)
    seen.append(pill.search(html(customer_client, url(ticket))).groups())
    perform(ticket, "aprobar", actor=ticket.requester)
    seen.append(pill.search(html(customer_client, url(ticket))).groups())
    review(ticket, by=supervisor)
    perform(ticket, "cerrar", actor=supervisor)
    seen.append(pill.search(html(customer_client, url(ticket))).groups())

    assert seen == [
        ("waiting", "En espera"),
        ("in-progress", "En curso"),
        ("approve", "Espera tu aprobación"),
        ("in-progress", "En curso"),
        ("completed", "Completado"),
    ]


@pytest.mark.demand("S1.2")
def test_steps_show_times_and_omit_skipped_stages(to_approve: Ticket, customer_client: Client):
    page = html(customer_client, url(to_approve))
    steps = re.findall(
        r'<li (data-step="\w+"|aria-current="step")>.*?<b>\s*([^<]+?)\s*<.*?<small>\s*([^<]*?)\s*</small>',
        page,
        re.DOTALL,
    )

    assert [(state.split('"')[1], label) for state, label, _at in steps] == [
        ("done", "Recibido"),
        ("done", "En proceso"),
        ("step", "Tu aprobación"),
        ("todo", "Revisión final"),
        ("todo", "Completado"),
    ]
    assert [bool(at) for _state, _label, at in steps] == [True, True, True, False, False]


APPEAL = """
format = 1
key = "becas"
name = { es = "Becas", en = "Grants" }

[[stages]]
key = "pedida"
label = "Pedida"
kind = "new"

[[stages]]
key = "estudio"
label = "En estudio"

[[stages]]
key = "apelacion"
label = "Apelación"
progress = 60

[[stages]]
key = "pago"
label = "Pago"
progress = 80

[[stages]]
key = "pagada"
label = "Pagada"
kind = "done"

[[stages]]
key = "negada"
label = "Negada"
kind = "rejected"

[[actions]]
key = "apelar"
label = "Apelar"
from = ["negada"]
to = "apelacion"
by = ["requester"]
style = "primary"

[[actions]]
key = "negar"
label = "Negar"
from = ["estudio", "apelacion"]
to = "negada"
by = ["staff"]
style = "danger"

[[actions]]
key = "estudiar"
label = "Estudiar"
from = ["pedida", "apelacion"]
to = "estudio"
by = ["staff"]

[[actions]]
key = "conceder"
label = "Conceder"
from = ["estudio"]
to = "pago"
by = ["staff"]

[[actions]]
key = "pagar"
label = "Pagar"
from = ["pago"]
to = "pagada"
by = ["staff"]
"""


@pytest.mark.demand("S1.2")
def test_appeal_is_a_step_only_of_the_ticket_that_appealed(customer: User, customer_client: Client):
    ticket, boss = make_ticket(publish(APPEAL).process, requester=customer), make_supervisor()

    def steps() -> list[tuple[str, str]]:
        page = html(customer_client, url(ticket))
        found = re.findall(
            r'<li (data-step="\w+"|aria-current="step")>.*?<b>\s*([^<]+?)\s*<', page, re.DOTALL
        )
        return [(state.split('"')[1], label) for state, label in found]

    expected = [("step", "Pedida"), ("todo", "En estudio"), ("todo", "Pago"), ("todo", "Pagada")]
    assert steps() == expected
    perform(ticket, "estudiar", actor=boss)
    perform(ticket, "negar", actor=boss)
    perform(ticket, "apelar", actor=customer)
    assert steps() == [
        ("done", "Pedida"), ("done", "En estudio"), ("step", "Apelación"), ("todo", "Pago"), ("todo", "Pagada"),
    ]  # fmt: skip
    perform(ticket, "estudiar", actor=boss)
    assert steps() == [
        ("done", "Pedida"), ("done", "Apelación"), ("step", "En estudio"), ("todo", "Pago"), ("todo", "Pagada"),
    ]  # fmt: skip


def test_cancelled_ticket_shows_no_progress(in_work: Ticket, customer: User, customer_client: Client):
    Ticket.objects.filter(pk=in_work.pk).update(
        stage="cancelado", stage_kind="cancelled", public_state="completed"
    )

    page = html(customer_client, url(in_work))

    assert "Cancelado" in page
    assert 'class="ring"' not in page


def test_due_date_is_in_the_readers_time_zone(in_work: Ticket, customer: User, customer_client: Client):
    due = timezone.now().replace(
        year=timezone.now().year + 1, month=3, day=10, hour=3, minute=30, second=0, microsecond=0
    )
    Ticket.objects.filter(pk=in_work.pk).update(due_at=due)
    User.objects.filter(pk=customer.pk).update(time_zone="America/Bogota")
    assert f"9 mar {due.year}, 22:30" in html(customer_client, url(in_work))

    User.objects.filter(pk=customer.pk).update(time_zone="Europe/Madrid")
    assert f"10 mar {due.year}, 4:30" in html(customer_client, url(in_work))


def test_page_shows_the_requesters_answers(guest_process: Process, customer: User, customer_client: Client):
    fields = {"reserva": "RS-441720", "medio": "tarjeta", "ultimos": "1234"}
    ticket = make_ticket(guest_process, requester=customer, category="pago", fields=fields)

    page = html(customer_client, url(ticket))

    assert re.search(r"<dt>\s*Medio de pago\s*</dt>\s*<dd[^>]*>\s*Tarjeta\s*</dd>", page)
    assert "RS-441720" in page


@pytest.mark.demand("S0.24", "S2.28")
def test_solution_shows_the_steps_for_the_requester(to_approve: Ticket, customer_client: Client):
    page = html(customer_client, url(to_approve))

    assert "Actualizamos el programa de la cámara." in page
    assert "Lo que te toca hacer" in page
    assert "Reinicia la app." in page


def test_rejected_solution_stays_as_it_was_sent(
    to_approve: Ticket, agent: User, customer: User, customer_client: Client
):
    perform(to_approve, "rechazar", actor=customer, data={"message": "Anoche volvió a fallar."})
    conversation.send_solution(to_approve, actor=agent, done="Cambiamos la cámara.")

    page = html(customer_client, url(to_approve))

    assert page.count("Lo que te toca hacer") == 1
    assert page.index("Reinicia la app.") < page.index("Anoche volvió a fallar.")


def test_markup_in_messages_is_harmless(ticket: Ticket, customer: User, agent: User, customer_client: Client):
    conversation.reply(
        ticket, actor=customer, body="<script>alert(1)</script> [x](javascript:alert(1)) <b onclick=x>"
    )
    Ticket.objects.filter(pk=ticket.pk).update(title='"><img src=x onerror=alert(1)>')

    page = customer_client.get(url(ticket)).content.decode()

    assert "<script>alert" not in page
    assert 'href="javascript' not in page
    assert "<b onclick" not in page
    assert "<img src=x" not in page


# --- What it never shows ----------------------------------------------------------------------------------


def test_nothing_internal_reaches_the_customer(
    in_work: Ticket, agent: User, supervisor: User, customer: User, customer_client: Client
):
    """The ticket has every kind of internal data, and neither its page nor its updates show any of it."""
    colleague = make_agent(name="Colega Oculta")
    conversation.add_internal_note(in_work, actor=agent, body="NOTA-SECRETA del técnico")
    note = Message.objects.get(body__startswith="NOTA-SECRETA")
    Attachment.objects.create(
        ticket=in_work,
        message=note,
        name="ARCHIVO-SECRETO.png",
        kind="image",
        content_type="image/png",
        size=1,
        sha256="x",
    )
    properties.change_properties(
        in_work, actor=supervisor, difficulty=5, queue_position=77_777, severity=Severity.CRITICAL
    )
    properties.assign(in_work, actor=supervisor, assignee=colleague)
    properties.assign(in_work, actor=supervisor, assignee=agent)
    log_contact(in_work, actor=agent, kind="call", outcome="failed", note="LLAMADA-SECRETA")
    perform(in_work, "pedir_aprobacion", actor=agent, data=SOLUTION)
    perform(in_work, "rechazar", actor=customer, data={"message": "Sigue fallando."})
    report = in_work.nonconformities.get()
    nonconformities.review(report, actor=supervisor, conclusion="CONCLUSION-SECRETA")
    Ticket.objects.filter(pk=in_work.pk).update(
        is_escalated=True, fields={"interno": "CAMPO-SECRETO", "mismo_caso": True}
    )

    pages = html(customer_client, url(in_work)) + html(customer_client, url(in_work, "novedades/?v=0"))

    for secret in (
        "NOTA-SECRETA", "ARCHIVO-SECRETO", "77777", "Colega Oculta", "LLAMADA-SECRETA", "CONCLUSION-SECRETA",
        "CAMPO-SECRETO", "Verifiqué que los dos", "Crítica", "critica", "elevado", "inconformidad",
        "Procesar ticket", "Nota interna",
    ):  # fmt: skip
        assert secret not in pages
    assert "Sigue fallando." in pages


def test_stranger_gets_404_and_changes_nothing(ticket: Ticket, stranger: User):
    client = signed_in(stranger)
    for rest in ("", "novedades/?v=0", "encuesta/"):
        answer = client.get(url(ticket, rest))
        assert answer.status_code == 404
        assert "cámara" not in answer.content.decode()
    before = snapshot(ticket)
    for rest in ("responder/", "archivos/", "acciones/aprobar/", "encuesta/", "avisos/"):
        assert client.post(url(ticket, rest), {"body": "x", "score": 5, "file": png()}).status_code == 404
    assert snapshot(ticket) == before
    assert not Attachment.objects.exists()


def test_staff_get_404_for_others_tickets(ticket: Ticket, supervisor: User):
    assert signed_in(supervisor).get(url(ticket)).status_code == 404


def test_every_folio_asks_visitors_to_sign_in(ticket: Ticket, client: Client):
    for folio in (ticket.folio, "MA-99999"):
        assert client.get(f"/tickets/{folio}/")["Location"] == f"/cuenta/entrar/?next=/tickets/{folio}/"


def test_pages_are_not_kept_by_shared_caches(ticket: Ticket, customer_client: Client):
    assert "private" in customer_client.get(url(ticket))["Cache-Control"]


# --- Reading changes nothing ------------------------------------------------------------------------------


def test_get_changes_nothing(to_approve: Ticket, customer_client: Client):
    before = snapshot(to_approve)

    for rest in ("", "novedades/?v=0", "encuesta/"):
        customer_client.get(url(to_approve, rest))
        customer_client.head(url(to_approve, rest))
    for rest in ("responder/", "acciones/aprobar/", "avisos/", "archivos/"):
        assert customer_client.get(url(to_approve, rest)).status_code == 405

    assert snapshot(to_approve) == before


# --- Updates ----------------------------------------------------------------------------------------------


@pytest.mark.demand("S1.17")
def test_updates_answer_204_until_something_public_happens(
    in_work: Ticket, agent: User, customer_client: Client
):
    in_work.refresh_from_db()
    address = url(in_work, f"novedades/?v={in_work.public_version}")
    assert customer_client.get(address).status_code == 204
    conversation.add_internal_note(in_work, actor=agent, body="Solo para el equipo")
    assert customer_client.get(address).status_code == 204

    conversation.send_follow_up(in_work, actor=agent, body="Ya lo estamos viendo.")

    answer = customer_client.get(address)
    assert answer.status_code == 200
    assert "Ya lo estamos viendo." in answer.content.decode()


def test_updates_leave_out_the_reply_box(in_work: Ticket, customer_client: Client):
    page, live = html(customer_client, url(in_work)), html(customer_client, url(in_work, "novedades/?v=0"))

    assert 'id="responder"' in page
    assert 'id="responder"' not in live
    assert "<textarea" not in live
    assert re.search(r'id="hilo" hx-swap-oob="true"', live)
    assert f'name="v" value="{Ticket.objects.get().public_version}"' in live
    assert f'name="version" value="{Ticket.objects.get().public_version}" form="responder"' in live


def test_updates_without_session_answer_401(ticket: Ticket, client: Client):
    answer = client.get(url(ticket, "novedades/?v=0"), headers={"HX-Request": "true"})

    assert (answer.status_code, answer.content) == (401, b"")


@pytest.mark.parametrize(
    "folio", ["MA-1%00", "MA__1", "%2e%2e%2fetc", "MA-1'; DROP TABLE--", "x" * 500, "🎫"]
)
def test_malformed_folios_are_not_found(customer_client: Client, client: Client, folio: str):
    for space in ("tickets", "invitado"):
        assert customer_client.get(f"/{space}/{folio}/").status_code == 404
    assert client.get(f"/invitado/{folio}/").status_code == 404


# --- Cost -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("messages", [1, 50])
def test_page_query_count_is_bounded(
    in_work: Ticket,
    customer: User,
    agent: User,
    customer_client: Client,
    messages: int,
    django_assert_max_num_queries: Any,
):
    for number in range(messages):
        actor = agent if number % 2 else customer
        verb = conversation.send_follow_up if number % 2 else conversation.reply
        message = verb(in_work, actor=actor, body=f"Mensaje {number}")
        Attachment.objects.create(
            ticket=in_work,
            message=message,
            name="a.png",
            kind="image",
            content_type="image/png",
            size=1,
            sha256="x",
        )

    with django_assert_max_num_queries(16):
        page = html(customer_client, url(in_work))

    assert page.count("a.png") == messages


def test_unchanged_poll_takes_three_queries(
    in_work: Ticket, customer_client: Client, django_assert_num_queries: Any
):
    in_work.refresh_from_db()

    with django_assert_num_queries(3):
        answer = customer_client.get(url(in_work, f"novedades/?v={in_work.public_version}"))

    assert answer.status_code == 204


@pytest.mark.demand("S2.44")
def test_page_shows_what_silence_leads_to(to_review: Ticket, customer_client: Client):
    assert "después seguiremos con el cierre." in html(customer_client, url(to_review))
    with transaction.atomic():
        end_silence(Ticket.objects.select_for_update().get(pk=to_review.pk))

    page = html(customer_client, url(to_review))
    assert "No recibimos tu respuesta: seguimos con el cierre" in page
    assert "Atención al usuario hace la revisión final" in page
    assert reverse("portal:ticket_survey", args=[to_review.folio]) not in page


def test_page_shows_closing_by_silence(to_approve: Ticket, customer_client: Client):
    with transaction.atomic():
        end_silence(Ticket.objects.select_for_update().get(pk=to_approve.pk))

    assert "Completado" in html(customer_client, url(to_approve))
    assert TicketEvent.objects.filter(action="seguir_sin_respuesta").exists()
    assert reverse("portal:ticket_survey", args=[to_approve.folio]) in html(customer_client, url(to_approve))


def assert_solution_is_above_the_decision(page: str):
    """The words, what is left to do, and only then the buttons, in the order of the document."""
    done, steps = (page.index(text) for text in SOLUTION.values())
    reject, approve = (page.index(f"/acciones/{action}/") for action in ("rechazar", "aprobar"))
    assert done < steps < min(reject, approve) < page.index('id="hilo"')
    assert len(re.findall(r'id="(mensaje-\d+)"', page)) == len(set(re.findall(r'id="(mensaje-\d+)"', page)))


def test_solution_is_above_the_decision_for_requesters(to_approve: Ticket, customer_client: Client):
    assert_solution_is_above_the_decision(html(customer_client, url(to_approve)))


def test_solution_is_above_the_decision_for_guests(to_approve: Ticket, client: Client):
    link = guests.issue(to_approve, purpose=Purpose.APPROVE, email=to_approve.requester_email)
    page = unescape(client.get(f"/enlace/{link}/", follow=True).content.decode())
    assert_solution_is_above_the_decision(page)


def test_newest_solution_is_above_the_decision_after_a_long_conversation(
    to_approve: Ticket, agent: User, customer_client: Client, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("portal.pages.thread.RECENT", 1)
    conversation.send_follow_up(to_approve, actor=agent, body="Avísanos.")
    assert_solution_is_above_the_decision(html(customer_client, url(to_approve)))


def test_tickets_in_work_show_no_solution_above_the_conversation(in_work: Ticket, customer_client: Client):
    assert 'id="solution-t"' not in html(customer_client, url(in_work))
