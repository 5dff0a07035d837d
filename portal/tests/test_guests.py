"""Guests' links: each serves one purpose, changes nothing on GET, and ends when revoked or expired."""

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from accounts.tests.factories import make_agent
from tickets.enums import EventKind, Purpose, Template
from tickets.models import Attachment, GuestToken, Process, Ticket, TicketEvent
from tickets.requesters import guests
from tickets.tests.factories import make_process, make_ticket
from tickets.workflow import conversation, properties
from tickets.workflow.perform import perform
from web.grants import KEPT

from .factories import png, signed_in, working

pytestmark = pytest.mark.django_db


@pytest.fixture
def in_work(process: Process, customer: User, agent: User, supervisor: User) -> Ticket:
    return working(make_ticket(process, requester=customer), agent=agent, supervisor=supervisor)


def issue(ticket: Ticket, purpose: Purpose) -> str:
    return guests.issue(ticket, purpose=purpose, email=ticket.requester_email)


def opened(ticket: Ticket, purpose: Purpose) -> Client:
    client = Client()
    client.get(f"/enlace/{issue(ticket, purpose)}/")
    return client


def page(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200, response.status_code
    return unescape(response.content.decode())


def buttons(html: str) -> list[str]:
    return re.findall(r'action="/invitado/[^/]+/acciones/([^/]+)/"', html)


# --- Opening a link ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("purpose", "rest"),
    [("follow", ""), ("contribute", ""), ("approve", "cierre/"), ("survey", "encuesta/")],
)
def test_link_redirects_to_its_page_without_token(in_work: Ticket, client: Client, purpose: str, rest: str):
    secret = issue(in_work, Purpose(purpose))

    answer = client.get(f"/enlace/{secret}/")

    assert answer["Location"] == f"/invitado/{in_work.folio}/{rest}"
    assert secret not in answer["Location"] + str(client.cookies)
    assert answer["Referrer-Policy"] == "no-referrer"
    assert "no-store" in answer["Cache-Control"]
    cookie = client.cookies[settings.DESK_GUEST_COOKIE_NAME]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")
    assert secret not in page(client, answer["Location"])


def test_opening_links_changes_nothing(to_approve: Ticket, client: Client):
    """A mail scanner follows every link, with GET and with HEAD (A14, B16)."""
    secrets = [issue(to_approve, purpose) for purpose in Purpose]
    before = (TicketEvent.objects.count(), list(GuestToken.objects.values()))

    for secret in secrets:
        client.head(f"/enlace/{secret}/")
        client.get(f"/enlace/{secret}/", follow=True)

    to_approve.refresh_from_db()
    assert to_approve.stage == "aprobacion"
    assert (TicketEvent.objects.count(), list(GuestToken.objects.values())) == before
    assert not Session.objects.exists()


def test_signed_in_requester_is_sent_to_their_page(in_work: Ticket, customer_client: Client):
    answer = customer_client.get(f"/enlace/{issue(in_work, Purpose.FOLLOW)}/")

    assert answer["Location"] == f"/tickets/{in_work.folio}/"
    assert settings.DESK_GUEST_COOKIE_NAME not in customer_client.cookies


def test_unknown_links_and_those_of_others_look_the_same(in_work: Ticket, customer: User, client: Client):
    """B15: only today's requester learns that a link was right once."""
    old, withdrawn = issue(in_work, Purpose.FOLLOW), issue(in_work, Purpose.SURVEY)
    GuestToken.objects.filter(purpose="follow").update(expires_at=timezone.now() - timedelta(seconds=1))
    guests.revoke(in_work, Purpose.SURVEY)
    customer.email = "nueva@example.com"
    customer.save()
    Ticket.objects.filter(pk=in_work.pk).update(requester_email="nueva@example.com")

    answers = [client.get(f"/enlace/{secret}/") for secret in ("x" * 43, "nunca", old, withdrawn)]

    assert {answer.status_code for answer in answers} == {404}
    bodies = {
        re.sub(r'value="/enlace/[^"]+"|next=/enlace/[^"]+|csrf[^>]+>|X-CSRF[^>]+>', "", a.content.decode())
        for a in answers
    }
    assert len(bodies) == 1
    assert "Este enlace ya no sirve" in bodies.pop()
    assert settings.DESK_GUEST_COOKIE_NAME not in client.cookies


@pytest.mark.parametrize(
    ("purpose", "end", "said"),
    [
        (Purpose.CONTRIBUTE, "switch", "El equipo ya no espera tu respuesta"),
        (Purpose.CONTRIBUTE, "expire", "Este enlace venció"),
        (Purpose.FOLLOW, "expire", "Este enlace venció"),
        (Purpose.FOLLOW, "revoke", "Este enlace se retiró"),
    ],
)
def test_ended_link_says_what_ended_it_and_mails_a_new_one(
    in_work: Ticket, agent: User, client: Client, purpose, end, said
):
    secret = issue(in_work, purpose)
    if end == "switch":
        properties.set_contribution(in_work, actor=agent, is_open=False)
    elif end == "revoke":
        guests.revoke(in_work)
    else:
        GuestToken.objects.update(expires_at=timezone.now())

    answer = client.get(f"/enlace/{secret}/")

    html = answer.content.decode()
    assert answer.status_code == 410
    assert said in html
    assert in_work.folio in html
    assert in_work.title not in html
    assert client.get(f"/invitado/{in_work.folio}/").status_code == 410
    again = client.post(f"/enlace/otro/{in_work.folio}/", follow=True)
    assert "Revisa tu correo" in again.content.decode()
    assert mailed(in_work) == 1


def test_ended_link_mails_a_new_one_in_a_browser(in_work: Ticket):
    """A browser sends «Origin: null» with the forms of a page that forbids the referrer, and the CSRF check refuses
    it."""
    secret = issue(in_work, Purpose.FOLLOW)
    guests.revoke(in_work)
    browser = Client(enforce_csrf_checks=True)
    shown = browser.get(f"/enlace/{secret}/")
    found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', shown.content.decode())
    assert found
    origin = "null" if shown["Referrer-Policy"] == "no-referrer" else "http://testserver"

    answer = browser.post(
        f"/enlace/otro/{in_work.folio}/",
        {"csrfmiddlewaretoken": found[1]},
        headers={"Origin": origin, "Referer": f"http://testserver/enlace/{secret}/"},
    )

    assert (answer.status_code, mailed(in_work)) == (302, 1)
    assert shown["Referrer-Policy"] == "same-origin"  # no other site may see the token


def test_new_link_is_mailed_only_to_a_browser_that_opened_one(in_work: Ticket, client: Client):
    answer = client.post(f"/enlace/otro/{in_work.folio}/")

    assert answer["Location"] == f"/enlace/nuevo/?folio={in_work.folio}"
    assert mailed(in_work) == 0


def test_new_links_to_one_address_are_limited(in_work: Ticket, client: Client):
    secret = issue(in_work, Purpose.FOLLOW)
    guests.revoke(in_work)
    client.get(f"/enlace/{secret}/")

    answers = [client.post(f"/enlace/otro/{in_work.folio}/").status_code for _n in range(5)]

    assert (answers[:3], answers[-1], mailed(in_work)) == ([302, 302, 302], 429, 3)


@pytest.mark.demand("S0.12", "S1.5")
@pytest.mark.parametrize(
    ("process", "filing", "start"),
    [
        ("incidencia-tecnica", {"fields": {"donde_ocurre": "iphone"}}, "clasificar"),
        ("reparacion-de-dispositivo", {"fields": {"marca": "Nokia"}, "phone": "0414 1234567"}, "validar"),
    ],
)
def test_guest_sees_the_answer_that_ends_their_link(process, filing, start, supervisor: User):
    """The answer switches the contribution off, which revokes the link in use."""
    ticket = make_ticket(make_process(process), guest_email="invitada@example.com", **filing)
    agent = make_agent(ticket.department)
    answers = {
        "severity": "high",
        "department": ticket.department,
        "assignee": agent,
        "trabajo": "reparacion",
    }
    perform(ticket, start, actor=supervisor, data=answers)
    perform(ticket, "pedir_informacion", actor=agent, data={"message": "¿Qué versión tienes?"})
    secret = issue(ticket, Purpose.CONTRIBUTE)
    client = Client()
    client.get(f"/enlace/{secret}/")

    answer = client.post(f"/invitado/{ticket.folio}/responder/", {"body": "La 4.2"}, follow=True)

    html = answer.content.decode()
    assert answer.status_code == 200
    assert "Enviamos tu respuesta." in html
    assert "La 4.2" in html
    assert "El enlace que abriste ya cumplió su función." in html
    assert 'id="responder"' not in html
    late = client.post(f"/invitado/{ticket.folio}/responder/", {"body": "Otra cosa"})
    assert late.status_code == 410
    assert not ticket.messages.filter(body="Otra cosa").exists()
    with time_machine.travel(timezone.now() + timedelta(hours=1, seconds=1)):
        assert client.get(f"/invitado/{ticket.folio}/").status_code == 410


def test_result_that_ends_the_link_shows_its_files(in_work: Ticket, agent: User):
    """The page of the result stays readable for a while, and so do the files on it."""
    client = opened(in_work, Purpose.CONTRIBUTE)
    client.post(f"/invitado/{in_work.folio}/responder/", {"body": "Mira", "files": png("captura.png")})
    sent = Attachment.objects.get(ticket=in_work)
    address = f"/adjuntos/{sent.uuid}/"
    properties.set_contribution(in_work, actor=agent, is_open=False)

    assert client.get(f"/invitado/{in_work.folio}/").status_code == 200
    assert b"".join(client.get(address).streaming_content).startswith(b"\x89PNG")  # type: ignore[attr-defined]
    with time_machine.travel(timezone.now() + timedelta(hours=1, seconds=1)):
        assert client.get(address).status_code == 404


def test_text_refused_with_its_link_waits_for_the_new_one(in_work: Ticket, agent: User):
    client = opened(in_work, Purpose.CONTRIBUTE)
    properties.set_contribution(in_work, actor=agent, is_open=False)

    refused = client.post(f"/invitado/{in_work.folio}/responder/", {"body": "Mi respuesta larga"})
    assert "Mi respuesta larga" in refused.content.decode()

    client.get(f"/enlace/{issue(in_work, Purpose.FOLLOW)}/")
    assert ">Mi respuesta larga</textarea>" in page(client, f"/invitado/{in_work.folio}/")


@pytest.mark.parametrize("cookie", ["", "nada", "WzFd:1abc:firma", "[1,2,3]"])
def test_a_forged_cookie_opens_nothing(in_work: Ticket, client: Client, cookie: str):
    issue(in_work, Purpose.FOLLOW)
    client.cookies[settings.DESK_GUEST_COOKIE_NAME] = cookie

    answer = client.get(f"/invitado/{in_work.folio}/")

    assert answer.status_code == 404
    assert in_work.title not in answer.content.decode()


def test_link_opens_only_its_ticket(in_work: Ticket, process: Process):
    other = make_ticket(process, title="De otra persona")
    client = opened(in_work, Purpose.FOLLOW)

    answer = client.get(f"/invitado/{other.folio}/")

    assert answer.status_code == 404
    assert "De otra persona" not in answer.content.decode()
    assert client.post(f"/invitado/{other.folio}/responder/", {"body": "x"}).status_code == 404
    assert other.messages.count() == 1


def test_revoked_link_stops_at_once(in_work: Ticket, agent: User):
    client = opened(in_work, Purpose.CONTRIBUTE)
    assert in_work.title in page(client, f"/invitado/{in_work.folio}/")

    properties.set_contribution(in_work, actor=agent, is_open=False)

    assert client.get(f"/invitado/{in_work.folio}/").status_code == 410
    answer = client.post(f"/invitado/{in_work.folio}/responder/", {"body": "Tarde"})
    assert answer.status_code == 410
    assert "El equipo ya no espera tu respuesta" in answer.content.decode()
    assert not in_work.messages.filter(body="Tarde").exists()


def test_opened_link_expires(in_work: Ticket):
    client = opened(in_work, Purpose.CONTRIBUTE)

    with time_machine.travel(timezone.now() + timedelta(days=6)):
        assert in_work.title in page(client, f"/invitado/{in_work.folio}/")
    with time_machine.travel(timezone.now() + timedelta(days=8)):  # the cookie has expired
        assert client.get(f"/invitado/{in_work.folio}/").status_code == 404


def test_browser_keeps_only_the_newest_links(guest_process: Process, client: Client):
    tickets = [
        make_ticket(guest_process, guest_email="a@example.com", category="tramite") for _n in range(KEPT + 1)
    ]
    for ticket in tickets:
        client.get(f"/enlace/{issue(ticket, Purpose.FOLLOW)}/")

    assert client.get(f"/invitado/{tickets[0].folio}/").status_code == 404
    assert client.get(f"/invitado/{tickets[-1].folio}/").status_code == 200


def test_post_marks_the_link_as_used(in_work: Ticket):
    client = opened(in_work, Purpose.CONTRIBUTE)
    assert GuestToken.objects.get().last_used_at is None

    client.post(f"/invitado/{in_work.folio}/responder/", {"body": "Aquí está."})

    assert GuestToken.objects.get().last_used_at is not None


# --- Each purpose -----------------------------------------------------------------------------------------


def test_follow_link_shows_what_the_requester_sees(to_approve: Ticket, agent: User):
    conversation.add_internal_note(to_approve, actor=agent, body="NOTA-SECRETA")

    html = page(opened(to_approve, Purpose.FOLLOW), f"/invitado/{to_approve.folio}/")

    assert "Espera tu aprobación" in html
    assert buttons(html) == ["aprobar", "rechazar"]
    assert 'id="responder"' in html
    assert 'id="id_avisos"' in html
    assert "NOTA-SECRETA" not in html
    assert 'href="/tickets/' not in html.replace('href="/tickets/"', "")


@pytest.mark.demand("S2.6", "S2.7")
def test_contribution_link_takes_only_replies_and_files(in_work: Ticket, agent: User):
    conversation.send_follow_up(in_work, actor=agent, body="¿Puedes mandar una foto?")
    client = opened(in_work, Purpose.CONTRIBUTE)
    html = page(client, f"/invitado/{in_work.folio}/")
    assert "¿Puedes mandar una foto?" in html
    assert buttons(html) == []
    assert 'id="id_avisos"' not in html

    row = client.post(f"/invitado/{in_work.folio}/archivos/", {"file": png("foto.png")})
    assert "foto.png" in row.content.decode()
    answer = client.post(f"/invitado/{in_work.folio}/responder/", {"body": "Aquí está."}, follow=True)

    message = in_work.messages.last()
    assert (message.body, message.channel, message.author) == ("Aquí está.", "link", None)
    assert [file.name for file in message.attachments.all()] == ["foto.png"]
    in_work.refresh_from_db()
    assert in_work.stage == "procesar"
    assert "Aquí está." in answer.content.decode()


@pytest.mark.demand("S2.8")
def test_approving_by_link_closes_and_opens_survey(to_approve: Ticket):
    client = opened(to_approve, Purpose.APPROVE)
    html = page(client, f"/invitado/{to_approve.folio}/cierre/")
    assert "Actualizamos el programa de la cámara." in html
    assert "Reinicia la app." in html
    assert 'id="responder"' not in html

    answer = client.post(f"/invitado/{to_approve.folio}/acciones/aprobar/")
    assert answer["Location"] == f"/invitado/{to_approve.folio}/encuesta/"
    client.post(answer["Location"], {"score": "4"})

    to_approve.refresh_from_db()
    assert (to_approve.stage, to_approve.survey.score) == ("cerrado", 4)


@pytest.mark.demand("S2.8", "S2.44")
def test_approving_by_link_before_the_review_says_what_follows(to_review: Ticket):
    client = opened(to_review, Purpose.APPROVE)

    answer = client.post(f"/invitado/{to_review.folio}/acciones/aprobar/")
    html = page(client, answer["Location"])

    to_review.refresh_from_db()
    assert (to_review.stage, answer["Location"]) == ("revision", f"/invitado/{to_review.folio}/cierre/")
    assert "Aprobaste el cierre. Gracias por confirmarlo." in html
    assert "Atención al usuario hace la revisión final y cierra tu ticket." in html
    assert buttons(html) == ["retirar_aprobacion"]


@pytest.mark.demand("S2.8")
def test_rejecting_by_link_requires_a_reason(to_approve: Ticket):
    client = opened(to_approve, Purpose.APPROVE)

    empty = client.post(f"/invitado/{to_approve.folio}/acciones/rechazar/", {"rechazar-message": ""})
    assert empty.status_code == 422
    client.post(f"/invitado/{to_approve.folio}/acciones/rechazar/", {"rechazar-message": "Sigue igual."})

    to_approve.refresh_from_db()
    assert to_approve.stage == "procesar"
    assert "Sigue igual." in page(client, f"/invitado/{to_approve.folio}/cierre/")
    assert "Ya no hay nada que aprobar." in page(client, f"/invitado/{to_approve.folio}/cierre/")


MAY = {
    "follow": {"page", "reply", "upload", "approve", "switch"},
    "contribute": {"page", "reply", "upload"},
    "approve": {"page", "approve"},
    "survey": set(),
}


@pytest.mark.parametrize("purpose", MAY)
def test_link_serves_only_its_purpose(to_approve: Ticket, purpose: str):
    base = f"/invitado/{to_approve.folio}/"
    client = opened(to_approve, Purpose(purpose))
    answers = {
        "page": client.get(base),
        "upload": client.post(f"{base}archivos/", {"file": png()}),
        "switch": client.post(f"{base}avisos/"),
        "reply": client.post(f"{base}responder/", {"body": "x"}),
        "approve": client.post(f"{base}acciones/aprobar/"),
    }

    assert {name for name, answer in answers.items() if answer.status_code != 404} == MAY[purpose]
    to_approve.refresh_from_db()
    assert (to_approve.stage == "cerrado") is ("approve" in MAY[purpose])
    assert to_approve.messages.filter(body="x").exists() is ("reply" in MAY[purpose])
    assert to_approve.notify_requester is ("switch" not in MAY[purpose])


@pytest.mark.demand("S0.25")
def test_survey_link_rates_but_shows_no_conversation(to_approve: Ticket, customer: User):
    perform(to_approve, "aprobar", actor=customer)
    client = opened(to_approve, Purpose.SURVEY)

    html = page(client, f"/invitado/{to_approve.folio}/encuesta/")
    client.post(f"/invitado/{to_approve.folio}/encuesta/", {"score": "2", "comment": "Tardó mucho."})

    assert "Actualizamos el programa." not in html
    assert "Volver al ticket" not in page(client, f"/invitado/{to_approve.folio}/encuesta/")
    to_approve.refresh_from_db()
    assert (to_approve.survey.score, to_approve.survey.comment) == (2, "Tardó mucho.")


@pytest.mark.demand("S1.17")
def test_guest_page_updates_until_link_is_revoked(in_work: Ticket, agent: User):
    client = opened(in_work, Purpose.FOLLOW)
    in_work.refresh_from_db()
    address = f"/invitado/{in_work.folio}/novedades/?v={in_work.public_version}"
    assert client.get(address).status_code == 204

    conversation.send_follow_up(in_work, actor=agent, body="Ya casi.")

    assert "Ya casi." in page(client, address)
    guests.revoke(in_work)
    ended = client.get(address, headers={"HX-Request": "true"})
    # htmx stops polling and swaps nothing.
    assert (ended.status_code, ended["HX-Reswap"], ended.content) == (286, "none", b"")


def test_guests_cannot_touch_each_others_files(in_work: Ticket, process: Process):
    mine, theirs = opened(in_work, Purpose.CONTRIBUTE), opened(make_ticket(process), Purpose.CONTRIBUTE)
    theirs.post(f"/invitado/{Ticket.objects.last().folio}/archivos/", {"file": png("ajena.png")})

    mine.post(
        f"/invitado/{in_work.folio}/responder/",
        {"body": "Hola", "quitar": str(Attachment.objects.get().uuid)},
    )
    mine.post(f"/invitado/{in_work.folio}/responder/", {"body": "Hola"})

    assert not in_work.messages.last().attachments.exists()
    assert Attachment.objects.get().ticket is None


# --- Asking for a new link --------------------------------------------------------------------------------


def mailed(ticket: Ticket) -> int:
    """Answer the requests for links, as a worker does, and return how many were mailed for the ticket."""
    guests.send_asked()
    events = ticket.events.filter(kind=EventKind.LINK)
    return sum({"to": "requester", "template": Template.NEW_LINK} in event.notify for event in events)


def test_new_link_is_mailed_to_the_tickets_address(guest_process: Process, client: Client):
    ticket = make_ticket(guest_process, guest_email="ana@example.com", category="tramite")

    client.post("/enlace/nuevo/", {"folio": f" {ticket.folio.lower()} ", "email": "ANA@example.com"})

    assert mailed(ticket) == 1


@pytest.mark.parametrize(
    "form", ["{number}", "#{folio}", "Ticket {lower}", "https://desk.example/tickets/{lower}/?v=2"]
)
def test_new_link_is_mailed_however_the_folio_is_pasted(guest_process: Process, client: Client, form: str):
    ticket = make_ticket(guest_process, guest_email="ana@example.com", category="tramite")
    make_ticket(guest_process, guest_email="ana@example.com", category="tramite")
    number = ticket.folio.partition("-")[2]

    folio = form.format(folio=ticket.folio, lower=ticket.folio.lower(), number=number)
    client.post("/enlace/nuevo/", {"folio": folio, "email": "ana@example.com"})

    assert mailed(ticket) == 1
    assert TicketEvent.objects.filter(kind=EventKind.LINK).count() == 1


def test_guests_address_leads_to_the_folio_as_it_is_stored(in_work: Ticket):
    client = opened(in_work, "follow")
    right = f"/invitado/{in_work.folio}/"

    assert client.get(right.lower())["Location"] == right
    assert Client().get("/invitado/ma-99999/")["Location"] == "/invitado/MA-99999/"
    assert Client().get("/invitado/MA-99999/").status_code == 404


def test_asking_for_a_link_reveals_no_folio(guest_process: Process, client: Client):
    ticket = make_ticket(guest_process, guest_email="ana@example.com", category="tramite")
    asked = [
        (ticket.folio, "ana@example.com"),
        (ticket.folio, "eva@example.com"),
        ("MA-99999", "ana@example.com"),
    ]

    answers = [client.post("/enlace/nuevo/", {"folio": folio, "email": email}) for folio, email in asked]

    assert {(answer.status_code, answer["Location"]) for answer in answers} == {(302, "/enlace/nuevo/listo/")}
    assert "Si el folio y el correo coinciden" in page(client, "/enlace/nuevo/listo/")
    assert mailed(ticket) == 1


@pytest.mark.usefixtures("one_instant")
def test_stranger_can_neither_flood_nor_lock_out_a_guest(guest_process: Process, client: Client):
    """Wrong folios count for nothing, an address gets three links an hour, and each of them works."""
    ticket, other = (
        make_ticket(guest_process, guest_email="ana@example.com", category="tramite") for _n in range(2)
    )

    def ask(folio: str, network: str) -> str:
        data = {"folio": folio, "email": "ana@example.com"}
        answer = client.post("/enlace/nuevo/", data, REMOTE_ADDR=network)
        assert answer["Location"] == "/enlace/nuevo/listo/", "it tells nobody whether a mail was sent"
        return page(client, answer["Location"])

    for number in range(6):
        ask("MA-99999", f"198.51.{number}.1")
    assert mailed(ticket) == 0
    for number in range(6):
        told = ask((ticket if number % 2 else other).folio, f"198.51.{number}.2")
    assert mailed(ticket) + mailed(other) == 3
    assert "Si ya recibiste alguno, el más reciente sigue sirviendo." in told

    secret = issue(ticket, Purpose.FOLLOW)
    guests.revoke(ticket)
    client.get(f"/enlace/{secret}/")
    client.post(f"/enlace/otro/{ticket.folio}/")
    assert mailed(ticket) + mailed(other) == 4, "a browser that opened a link to the ticket is the guest's"


def test_links_to_one_ticket_do_not_lock_a_guest_out_of_another(guest_process: Process, client: Client):
    """A stranger who knew one folio could keep the guest from every other ticket, hour after hour."""
    known, needed = (
        make_ticket(guest_process, guest_email="ana@example.com", category="tramite") for _n in range(2)
    )

    def ask(folio: str, network: str) -> None:
        client.post("/enlace/nuevo/", {"folio": folio, "email": "ana@example.com"}, REMOTE_ADDR=network)

    for number in range(5):
        ask(known.folio, f"198.51.{number}.1")
    assert (mailed(known), mailed(needed)) == (3, 0)
    for _n in range(2):
        ask(needed.folio, "203.0.113.4")
    assert (mailed(known), mailed(needed)) == (3, 1), "one, because none of the three opens this ticket"


def test_address_gets_new_links_again_after_an_hour(guest_process: Process, client: Client):
    ticket = make_ticket(guest_process, guest_email="ana@example.com", category="tramite")
    for _n in range(4):
        guests.send_again(folio=ticket.folio, email="ana@example.com")
    ticket.events.filter(kind=EventKind.LINK).update(at=timezone.now() - timedelta(minutes=61))
    client.post("/enlace/nuevo/", {"folio": ticket.folio, "email": "ana@example.com"})
    assert mailed(ticket) == 4


@pytest.mark.usefixtures("one_instant")
def test_asking_for_links_is_limited(guest_process: Process, client: Client):
    asked = [client.post("/enlace/nuevo/", {"folio": "MA-1", "email": f"a{n}@b.com"}) for n in range(11)]

    assert (asked[9].status_code, asked[10].status_code) == (302, 429)


@pytest.mark.usefixtures("one_instant")
def test_guessing_links_is_limited(client: Client):
    answers = [client.get(f"/enlace/{number:043d}/").status_code for number in range(61)]

    assert (answers[0], answers[-1]) == (404, 429)


# --- Cost -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("messages", [1, 50])
def test_guest_page_query_count_is_bounded(
    in_work: Ticket, agent: User, messages: int, django_assert_max_num_queries: Any
):
    for number in range(messages):
        conversation.reply(in_work, actor=in_work.requester, body=f"Mensaje {number}")
    client = opened(in_work, Purpose.FOLLOW)

    with django_assert_max_num_queries(16):
        assert f"Mensaje {messages - 1}" in page(client, f"/invitado/{in_work.folio}/")


def test_link_works_for_another_signed_in_account(in_work: Ticket, stranger: User):
    client = signed_in(stranger)
    client.get(f"/enlace/{issue(in_work, Purpose.CONTRIBUTE)}/")

    assert client.get(f"/invitado/{in_work.folio}/").status_code == 200
    assert client.get(f"/tickets/{in_work.folio}/").status_code == 404
    client.post(f"/invitado/{in_work.folio}/responder/", {"body": "Desde el enlace"})
    assert in_work.messages.last().author is None


def queries_of(client: Client, address: str, values: dict[str, str]) -> list[str]:
    """Return the statements that answer a form, without their values."""
    with CaptureQueriesContext(connection) as made:
        assert client.post(address, values).status_code == 302
    return [re.sub(r"'[^']*'|[0-9]+", "?", query["sql"]) for query in made]


@pytest.mark.parametrize("address", ["/enlace/nuevo/", "/asistente/seguir/"])
def test_asking_for_a_link_does_the_same_whether_or_not_the_ticket_is_theirs(
    guest_process: Process, address: str
):
    """B15, B26: the time that an answer takes would tell a stranger which folios and addresses exist."""
    ticket = make_ticket(guest_process, guest_email="ana@example.com", category="tramite")
    made = []
    for folio, email in (
        (ticket.folio, "ana@example.com"),
        (ticket.folio, "otra@example.com"),
        ("MA-9", "x@y.co"),
    ):
        client = Client()
        client.get("/asistente/")
        made.append(queries_of(client, address, {"folio": folio, "email": email}))

    assert made[0] == made[1] == made[2]
    assert not ticket.events.filter(kind=EventKind.LINK).exists()
    assert mailed(ticket) == 1
