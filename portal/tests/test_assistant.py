"""The conversation with the assistant, on the desk's own pages and in the frame of another site (S0.8)."""

import re
from datetime import datetime, timedelta
from html import unescape
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.conf import settings
from django.test import Client
from django.utils import timezone

from accounts.models import User
from accounts.tests.factories import make_supervisor
from knowledge.enums import Audience
from knowledge.models import Deflection
from knowledge.tests.factories import make_article
from knowledge.tests.test_suggestions import make_pattern
from tickets import chats
from tickets.calendars import CalendarRules
from tickets.calendars.rules import WEEKDAYS
from tickets.enums import Channel, EventKind, MessageKind, Purpose, StageKind
from tickets.models import Attachment, Chat, Process, ReportDraft, Ticket, TicketEvent
from tickets.requesters import guests
from tickets.schedules import proposing
from tickets.tests.factories import make_ticket

from .factories import DETAILS, png, signed_in
from .guide import PAGO, PLATAFORMA, hidden

pytestmark = pytest.mark.django_db

OTHER_SITE = "https://garaje.example"


class Talk:
    """One browser that talks to the assistant. `framed` opens it as the widget in another site does."""

    def __init__(self, client: Client, *, framed: bool = False) -> None:
        self.client = client
        self.at = "/asistente/"
        if framed:
            self.at = re.search(r'action="(/asistente/marco/[^/]+/)camino/"', self.read("/asistente/marco/"))[
                1
            ]

    def read(self, address: str = "") -> str:
        answer = self.client.get(address or self.at)
        assert answer.status_code == 200, answer.status_code
        return unescape(answer.content.decode())

    def post(self, form: str, **values: Any) -> Any:
        return self.client.post(f"{self.at}{form}/", values)

    def say(self, form: str, **values: Any) -> str:
        """Post a form that is accepted, and return the page that follows."""
        answer = self.post(form, **values)
        assert answer.status_code == 302, re.sub(r"\s+", " ", answer.content.decode())[-3000:]
        assert answer["Location"] == f"{self.at}#ahora"
        return self.read()

    def answer(self, name: str, *given: Any) -> str:
        return self.say("respuesta", pregunta=name, **({name: list(given)} if given else {"omitir": "1"}))

    def report(self, topic: str = PAGO) -> str:
        self.say("camino", camino="report")
        return self.say("tema", tipo=topic)

    def details(self) -> str:
        page = self.report()
        for name, value in DETAILS.items():
            page = self.answer(name, value)
        return page

    def all(self, email: str = "ana@example.com") -> str:
        self.details()
        self.answer("files")
        self.answer("email", email)
        self.answer("name", "Ana Ruiz")
        return self.answer("phone")


def asked(page: str) -> str:
    found = re.search(r'name="pregunta" value="([^"]*)"', page)
    return found[1] if found else ""


@pytest.fixture(params=[False, True], ids=["page", "frame"])
def talk(request: pytest.FixtureRequest, settings: Any, guest_process: Process) -> Talk:
    settings.DESK_WIDGET_ORIGINS = [OTHER_SITE]
    return Talk(Client(enforce_csrf_checks=request.param), framed=request.param)


@pytest.fixture
def framed(settings: Any, guest_process: Process) -> Talk:
    settings.DESK_WIDGET_ORIGINS = [OTHER_SITE]
    return Talk(Client(enforce_csrf_checks=True), framed=True)


# --- Reporting --------------------------------------------------------------------------------------------


@pytest.mark.demand("S0.8")
def test_assistant_asks_one_question_at_a_time_and_files_a_ticket(talk: Talk):
    page = talk.report()
    for name, value in DETAILS.items():
        assert asked(page) == name
        page = talk.answer(name, value)
    assert asked(page) == "files"
    talk.client.post(f"{talk.at}respuesta/", {"pregunta": "files", "files": [png()]})
    page = talk.answer("email", "ana@example.com")
    assert asked(page) == "name"
    talk.answer("name", "Ana Ruiz")
    page = talk.answer("phone")
    assert not Ticket.objects.exists()
    assert "¿Está bien?" in page
    for text in (DETAILS["title"], DETAILS["description"], "Tarjeta", "captura.png", "ana@example.com"):
        assert text in page.partition("<dl")[2]

    page = talk.say("enviar")

    ticket = Ticket.objects.get()
    assert f"Reporte creado: {ticket.folio}" in page
    assert (ticket.channel, ticket.title) == (Channel.CHAT, DETAILS["title"])
    assert (ticket.requester_email, ticket.requester_name) == ("ana@example.com", "Ana Ruiz")
    assert ticket.fields == {"reserva": "RS-441720", "medio": "tarjeta", "ultimos": "1234"}
    assert ticket.attachments.get().name == "captura.png"
    assert "/enlace/" not in page  # the link is mailed: the address is not confirmed yet
    assert f'dinos el folio en <a href="mailto:{settings.DESK_SUPPORT_EMAIL}">' in page
    assert ticket.chat.lines[-1]["text"] == "Sin respuesta"


def test_report_sent_twice_is_filed_once(talk: Talk):
    talk.all()
    talk.say("enviar")
    talk.say("enviar")

    assert Ticket.objects.count() == 1


def test_report_is_not_sent_before_every_question_is_answered(talk: Talk):
    talk.details()

    assert asked(talk.say("enviar")) == "files"
    assert not Ticket.objects.exists()


def test_refused_answer_is_shown_with_its_error_and_not_kept(talk: Talk):
    talk.report()
    talk.answer("title", DETAILS["title"])
    talk.answer("description", DETAILS["description"])

    answer = talk.post("respuesta", pregunta="answer_reserva", answer_reserva="RS-12")

    page = unescape(answer.content.decode())
    assert answer.status_code == 422
    assert "El código tiene 8 caracteres" in page
    assert 'value="RS-12"' in page
    assert asked(page) == "answer_reserva"
    assert asked(talk.read()) == "answer_reserva"


def test_required_question_cannot_be_skipped(talk: Talk):
    talk.report()

    assert talk.post("respuesta", pregunta="title", omitir="1").status_code == 422
    assert asked(talk.read()) == "title"


def test_earlier_answer_is_corrected_and_the_rest_stays(talk: Talk):
    talk.all()

    page = talk.read(f"{talk.at}?cambiar=title")
    assert asked(page) == "title"
    assert f'value="{DETAILS["title"]}"' in page
    page = talk.answer("title", "Me cobraron tres veces")

    assert "¿Está bien?" in page
    talk.say("enviar")
    ticket = Ticket.objects.get()
    assert (ticket.title, ticket.requester_name) == ("Me cobraron tres veces", "Ana Ruiz")


def test_corrected_choice_drops_the_question_that_depended_on_it(talk: Talk):
    talk.details()

    page = talk.answer("answer_medio", "efectivo")

    assert "Últimos 4 dígitos" not in page
    assert asked(page) == "files"


def test_topic_is_changed_and_answers_stay(talk: Talk):
    talk.details()

    page = talk.say("tema", tipo="prueba-invitados.tramite")

    assert "Código de la reserva" not in page
    assert DETAILS["title"] in page


def test_reload_in_the_middle_shows_the_same_question(talk: Talk):
    page = talk.details()

    assert asked(talk.read()) == asked(page) == "files"
    assert DETAILS["title"] in talk.read()


def test_mistyped_address_is_accepted_when_sent_again(talk: Talk):
    talk.details()
    talk.answer("files")

    first = talk.post("respuesta", pregunta="email", email="ana@gmial.com")
    assert first.status_code == 422
    assert "ana@gmail.com" in unescape(first.content.decode())
    page = talk.say("respuesta", pregunta="email", email="ana@gmial.com", address_ok="ana@gmial.com")

    assert asked(page) == "name"


def test_file_is_removed_and_a_refused_one_is_named(talk: Talk):
    talk.details()
    refused = talk.client.post(f"{talk.at}respuesta/", {"pregunta": "files", "files": [png("virus.exe")]})
    assert refused.status_code == 422
    assert "virus.exe" in refused.content.decode()
    talk.client.post(f"{talk.at}respuesta/", {"pregunta": "files", "files": [png()]})
    file = Attachment.objects.get()

    talk.client.post(f"{talk.at}respuesta/", {"quitar": str(file.uuid)})

    assert not Attachment.objects.exists()


def test_topic_for_accounts_asks_to_sign_in(talk: Talk, process: Process):
    page = talk.report(PLATAFORMA)

    assert asked(page) == ""
    assert "necesitas entrar con tu cuenta" in page
    talk.say("enviar")
    assert not Ticket.objects.exists()


def test_oversized_answer_is_refused(talk: Talk):
    talk.report()
    talk.answer("title", "Corto")

    answer = talk.post("respuesta", pregunta="description", description="x" * 70_000)

    assert answer.status_code == 422
    assert len(answer.content) < 200_000
    assert ReportDraft.objects.get().values == {"title": ["Corto"]}


@pytest.mark.demand("S0.8")
def test_signed_in_person_is_not_asked_for_an_address(customer: User, process: Process):
    talk = Talk(signed_in(customer))
    talk.report(PLATAFORMA)
    names = []
    page = talk.read()
    while asked(page):
        names.append(asked(page))
        given = {"title": "No abre", "description": "Nada", "answer_area": "x"}.get(asked(page))
        page = talk.answer(asked(page), given) if given else talk.answer(asked(page))
    assert "email" not in names
    assert "El acuse" in talk.read()
    User.objects.filter(pk=customer.pk).update(notify_by_email=False)
    assert "El acuse" not in talk.read()

    page = talk.say("enviar")
    assert "Enviamos el acuse" not in page

    ticket = Ticket.objects.get()
    assert ticket.requester == customer
    assert f"/tickets/{ticket.folio}/" in page


def test_guide_in_another_tab_overwrites_no_answer_unnoticed(client: Client, guest_process: Process):
    """The guide's page knows the first answer, not those given after it was drawn."""
    talk = Talk(client)
    talk.report()
    talk.answer("title", DETAILS["title"])
    code = ReportDraft.objects.get().code
    drawn = talk.read(f"/nuevo/{code}/detalles/")
    talk.answer("description", "No abre con el control")
    page = {name: hidden(drawn, name) for name in ("carry", "page", "seen")}

    saved = client.post(f"/nuevo/{code}/borrador/", {"tipo": PAGO, **page, "title": "Otro título"})

    assert saved["Desk-Draft-Overwritten"] == "1"
    page = talk.read()
    assert "Otro título" in page
    assert f'<a href="/nuevo/{code}/detalles/">Elegir la versión</a>' in page
    client.post(f"/nuevo/{code}/detalles/", {"tipo": PAGO, "ir": "otra"})
    assert ReportDraft.objects.get().values["description"] == ["No abre con el control"]


# --- The conversation on the ticket -----------------------------------------------------------------------


def filed(talk: Talk) -> Ticket:
    make_article("Me cobraron dos veces la reserva", audience=Audience.PUBLIC)
    talk.say("pregunta", texto="me cobraron dos veces la reserva")
    talk.say("resuelto", resuelto="no")
    talk.say("tema", tipo=PAGO)
    talk.answer("title", DETAILS["title"])
    for name in ("answer_reserva", "answer_medio", "answer_ultimos"):
        talk.answer(name, DETAILS[name])
    talk.answer("files")
    talk.answer("email", "ana@example.com")
    talk.answer("name", "Ana")
    talk.answer("phone")
    talk.say("enviar")
    return Ticket.objects.get()


@pytest.mark.demand("S0.8")
def test_conversation_stands_on_the_ticket_for_requester_and_staff(talk: Talk, agent: User):
    ticket = filed(talk)
    link = guests.issue(ticket, purpose=Purpose.FOLLOW, email="ana@example.com")
    guest = Client()
    guest.get(f"/enlace/{link}/")
    agent.departments.add(ticket.department)

    for page, sender in (
        (guest.get(f"/invitado/{ticket.folio}/"), "Tú"),
        (signed_in(agent).get(f"/agentes/tickets/{ticket.folio}/"), ticket.requester_name),
    ):
        text = unescape(page.content.decode())
        assert "Conversación con el asistente" in text
        assert "Sigo con el problema" in text
        assert "¿De qué se trata?" in text
        assert "por el asistente" in text
        assert f"{sender}:" in text.partition("chat__lines")[2].partition("</ol>")[0]
    assert ticket.messages.get().kind == MessageKind.REPORT


def test_conversation_of_another_ticket_is_not_shown(talk: Talk, agent: User, process: Process):
    filed(talk)
    other = make_ticket(process, title="Otra cosa")

    page = signed_in(agent).get(f"/agentes/tickets/{other.folio}/").content.decode()

    assert "Conversación con el asistente" not in page


# --- Whose conversation -----------------------------------------------------------------------------------


def test_another_browser_does_not_see_the_conversation(talk: Talk):
    talk.details()

    assert DETAILS["title"] not in Talk(Client()).read()


def test_conversation_of_an_account_is_hidden_after_signing_out(guest_process: Process, customer: User):
    client = signed_in(customer)
    talk = Talk(client)
    talk.details()
    client.logout()

    assert DETAILS["title"] not in talk.read()


def test_answer_given_after_signing_in_is_hidden_when_the_session_ends(
    guest_process: Process, customer: User
):
    talk = Talk(Client())
    talk.report()
    talk.client.force_login(customer)
    talk.answer("title", "Solo para mí")
    del talk.client.cookies["desk_session"]

    assert "Solo para mí" not in talk.read()


def test_visitor_takes_the_conversation_along_when_signing_in(guest_process: Process, customer: User):
    talk = Talk(Client())
    talk.details()
    talk.client.force_login(customer)

    assert DETAILS["title"] in talk.read()


def _end_session(client: Client) -> None:
    """Lose the session and keep the visitor's cookie, as when a session expires."""
    del client.cookies[settings.SESSION_COOKIE_NAME]


@pytest.mark.parametrize("is_sent", [False, True], ids=["draft", "sent"])
def test_conversation_continued_by_an_account_is_hidden_when_its_session_ends(
    guest_process: Process, customer: User, stranger: User, is_sent: bool
):
    talk = Talk(Client())
    talk.say("camino", camino="report")
    talk.client.force_login(customer)
    talk.say("tema", tipo=PAGO)
    for name, value in DETAILS.items():
        talk.answer(name, value)
    if is_sent:
        talk.answer("files")
        talk.answer("phone")
        talk.say("enviar")
        assert Chat.objects.get().ticket
    _end_session(talk.client)

    assert DETAILS["title"] not in talk.read()
    talk.client.force_login(stranger)
    assert DETAILS["title"] not in talk.read()
    talk.client.force_login(customer)
    assert DETAILS["title"] in talk.read()


def typed_in(talk: Talk, form: str, **values: Any) -> dict[str, Any]:
    """Return what the page that is shown now posts with these values."""
    return {"carry": hidden(talk.read(), "carry"), **values}


@pytest.mark.parametrize("given", ["Portón", "No abre con el control"])
def test_answer_typed_before_the_session_ended_waits_for_its_person(
    guest_process: Process, customer: User, stranger: User, given: str
):
    """They sign out in another tab, and send what they had typed in this one."""
    talk = Talk(signed_in(customer))
    talk.report()
    talk.answer("title", "Solo para mí")
    answer = typed_in(talk, "respuesta", pregunta="description", description=given)
    talk.client.logout()

    sent = talk.post("respuesta", **answer)

    assert sent["Location"].startswith("/cuenta/entrar/?next=/asistente/")
    for page in (talk.read(), talk.read("/")):
        assert given not in page
        assert "Solo para mí" not in page
    assert given not in Talk(signed_in(stranger)).read()
    assert given in Talk(signed_in(customer)).read()


@pytest.mark.parametrize("form", ["enviar", "pregunta", "camino"])
def test_form_sent_after_the_session_ended_shows_and_files_nothing(
    guest_process: Process, customer: User, form: str
):
    talk = Talk(Client())
    talk.details()
    talk.client.force_login(customer)
    talk.answer("files")
    talk.answer("phone")
    values = typed_in(talk, form, texto="¿Cuánto cuesta?", camino="ask")
    talk.client.logout()

    answer = talk.post(form, **values)

    assert answer["Location"].startswith("/cuenta/entrar/")
    assert DETAILS["title"] not in talk.read() + talk.read("/")
    assert not Ticket.objects.exists()
    asked = [each["text"] for each in Chat.objects.get().lines if each.get("kind") == chats.QUESTION]
    assert asked == (["¿Cuánto cuesta?"] if form == "pregunta" else [])


def test_answer_of_a_guest_who_lost_their_cookie_is_kept(guest_process: Process):
    talk = Talk(Client())
    talk.report()
    answer = typed_in(talk, "respuesta", pregunta="title", title="Portón dañado")
    talk.client.cookies.clear()

    assert talk.post("respuesta", **answer).status_code == 302
    assert "Portón dañado" in talk.read()


def test_form_of_another_account_finds_no_conversation(
    guest_process: Process, customer: User, stranger: User
):
    talk = Talk(signed_in(customer))
    talk.report()
    answer = typed_in(talk, "respuesta", pregunta="title", title="Portón dañado")
    other = Talk(signed_in(stranger))

    assert (
        "Portón dañado" in other.post("respuesta", **answer).content.decode()
    )  # shown to who sent it, kept nowhere
    assert ReportDraft.objects.get().values == {}
    with time_machine.travel(timezone.now() + timedelta(days=4)):
        talk.client.logout()
        assert talk.post("respuesta", **answer).status_code == 409


def test_ended_conversation_is_not_found_by_its_form(guest_process: Process, customer: User):
    talk = Talk(signed_in(customer))
    talk.details()
    talk.answer("files")
    talk.answer("phone")
    answer = typed_in(talk, "respuesta")
    talk.say("enviar")
    chats.end(Chat.objects.get())
    talk.client.logout()

    assert DETAILS["title"] not in talk.say("camino", camino="ask", **answer)


@pytest.mark.parametrize("form", ["de-nuevo", "tema"])
def test_text_for_a_question_that_is_not_asked_any_more_is_shown(talk: Talk, form: str):
    """Another tab began a new conversation, or chose another topic."""
    talk.report()
    talk.answer("title", "Portón")
    values = typed_in(talk, "respuesta", pregunta="answer_reserva", answer_reserva="RS-441720 y otra")
    talk.post(form, tipo="prueba-invitados.tramite", seguro="1")

    answer = talk.post("respuesta", **values)

    assert answer.status_code == 409
    assert "Escribiste: «RS-441720 y otra»" in unescape(answer.content.decode())


def test_report_that_an_account_took_over_in_the_guide_is_not_shown_to_the_browser(
    guest_process: Process, customer: User, stranger: User
):
    talk = Talk(Client())
    talk.details()
    ReportDraft.objects.update(owner=customer)

    assert DETAILS["title"] not in talk.read()
    talk.client.force_login(stranger)
    assert DETAILS["title"] not in talk.read()
    talk.client.force_login(customer)
    assert DETAILS["title"] in talk.read()


def test_start_over_begins_empty_and_keeps_what_was_filed(talk: Talk):
    talk.all()
    talk.say("enviar")
    answer = talk.post("de-nuevo")

    assert answer.status_code == 302
    page = talk.read(answer["Location"])
    assert "Reporte creado" not in page
    assert Chat.objects.get().ticket == Ticket.objects.get()


def test_start_over_shows_no_conversation_that_another_tab_began_at_once(
    guest_process: Process, customer: User
):
    for client in (Client(), signed_in(customer)):
        talk = Talk(client)
        talk.report()
        chat = Chat.objects.get()
        earlier = chats.begin(visitor=chat.visitor, owner=chat.owner)
        chats.go_on(earlier, chats.line("De la otra pestaña", mine=True))
        Chat.objects.filter(pk=earlier.pk).update(updated_at=timezone.now() - timedelta(seconds=1))
        other = chats.begin(visitor="f" * 64)

        talk.post("de-nuevo")

        assert "De la otra pestaña" not in talk.read()
        assert list(Chat.objects.all()) == [other]
        other.delete()


def test_start_over_throws_away_what_was_not_sent(talk: Talk):
    talk.details()
    answer = talk.post("de-nuevo")
    assert answer["Location"] == f"{talk.at}?empezar=1#ahora"
    page = talk.read(f"{talk.at}?empezar=1")
    assert "Se borra lo que me contaste" in page
    assert f'href="{talk.at}#ahora"' in page
    assert asked(talk.read()) == "files"

    talk.post("de-nuevo", seguro="1")

    assert not Chat.objects.exists()
    assert ReportDraft.objects.get().discarded_at


@pytest.mark.parametrize("folio", ["no me acuerdo", "-", "el de ayer"])
def test_text_without_a_folio_is_not_looked_for(talk: Talk, folio: str):
    talk.say("camino", camino="follow")

    answer = talk.post("seguir", folio=folio, email="ana@example.com")

    assert answer.status_code == 422
    page = unescape(answer.content.decode())
    assert "Escribe el folio completo, como MA-10482." in page
    assert 'value="ana@example.com"' in page


def test_start_over_asks_nothing_before_the_first_answer(talk: Talk):
    talk.report()

    talk.post("de-nuevo")

    assert not Chat.objects.exists()
    assert "Se borra" not in talk.read("/asistente/?empezar=1")


# --- Questions --------------------------------------------------------------------------------------------


@pytest.mark.demand("S0.8")
def test_question_is_answered_from_public_articles(talk: Talk):
    make_article("La talanquera no lee mi placa", summary="Muestra el código QR.", audience=Audience.PUBLIC)
    make_article("Abrir la talanquera a mano", audience=Audience.INTERNAL)
    make_article("Talanquera para abonados", audience=Audience.CUSTOMERS)

    page = talk.say("pregunta", texto="la talanquera no lee mi placa")

    assert "Muestra el código QR." in page
    assert "/ayuda/la-talanquera-no-lee-mi-placa/" in page
    assert "a mano" not in page
    assert "abonados" not in page


def test_solved_question_ends_with_thanks_and_no_ticket(talk: Talk):
    make_article("La talanquera no lee mi placa", audience=Audience.PUBLIC)
    talk.say("pregunta", texto="la talanquera no lee mi placa")

    page = talk.say("resuelto", resuelto="si")

    assert "Me alegra" in page
    assert not Ticket.objects.exists()


def test_answer_before_sending_deflects_the_report(talk: Talk):
    text = {"body": DETAILS["description"], "summary": DETAILS["description"]}
    article = make_article(DETAILS["title"], audience=Audience.PUBLIC, **text)
    hidden = make_article("Me cobraron dos veces la reserva: devolver", audience=Audience.INTERNAL, **text)
    page = talk.all()
    assert article.address in page.partition("¿Está bien?")[0]
    assert hidden.address not in page

    page = talk.say("resuelto", resuelto=f"articulo-{article.pk}")

    assert "Me alegra. No envié tu reporte: lo guardo por si vuelve a pasar" in page
    assert not Ticket.objects.exists()
    assert Deflection.objects.count() == ("marco" not in talk.at)
    assert ReportDraft.objects.get().values["title"] == [DETAILS["title"]]


def test_question_without_answer_says_so(talk: Talk):
    page = talk.say("pregunta", texto="receta de arepas")

    assert "No encontré un artículo" in page
    assert "Esto lo resolvió" not in page
    assert "Sigo con el problema" not in page
    assert f'formaction="{talk.at}camino/" name="camino" value="person"' in page

    page = talk.say("resuelto", resuelto="reporta")
    assert "Repórtalo por mí" in page
    assert "¿De qué se trata?" in page
    assert ReportDraft.objects.get().values["description"] == ["receta de arepas"]


@pytest.mark.parametrize("path", ["report", "person"])
def test_desk_without_topics_says_where_to_write(talk: Talk, path: str):
    Process.objects.update(is_active=False)

    page = talk.say("camino", camino=path)

    assert "Todavía no hay temas para elegir" in page
    assert f'href="mailto:{settings.DESK_SUPPORT_EMAIL}"' in page.partition('id="ahora"')[2]
    assert "¿De qué se trata?" not in page


@pytest.mark.parametrize(
    ("name", "language", "greeting", "card"),
    [
        ("", "es", "Hola. Soy el asistente de", "Pregúntale al asistente"),
        ("", "en", "Hi. I am the assistant of", "Ask the assistant"),
        ("Parkibot", "es", "Hola. Soy Parkibot, el asistente de", "Pregúntale a Parkibot"),
    ],
)
def test_assistant_without_a_name_is_the_assistant(
    client: Client, settings: Any, name: str, language: str, greeting: str, card: str
):
    settings.DESK_ASSISTANT_NAME = name
    client.cookies.load({settings.LANGUAGE_COOKIE_NAME: language})

    assert greeting in unescape(client.get("/asistente/").content.decode())
    assert card in unescape(client.get("/").content.decode())


def test_choice_of_the_menu_is_no_question(talk: Talk):
    talk.say("camino", camino="report")
    page = talk.say("camino", camino="ask")
    assert "Sigo con el problema" not in page
    talk.say("pregunta", texto="receta de arepas")
    talk.say("camino", camino="ask")

    talk.say("resuelto", resuelto="no")

    assert ReportDraft.objects.get().values["description"] == ["receta de arepas"]


def test_answer_from_solved_cases_may_solve_it_too(talk: Talk):
    pattern = make_pattern()
    page = talk.say("pregunta", texto="no me llega el código de verificación a mi celular")
    assert pattern.text in page

    assert "Esto lo resolvió" in page


def test_answer_that_is_gone_begins_no_report(talk: Talk):
    talk.details()
    before = ReportDraft.objects.get().updated_at

    page = talk.say("resuelto", resuelto="articulo-999999")

    assert "Sigo con el problema" not in page
    assert ReportDraft.objects.get().updated_at == before


@pytest.mark.parametrize("text", ["", "   ", "x" * 1001])
def test_empty_or_long_question_is_refused(talk: Talk, text: str):
    assert talk.post("pregunta", texto=text).status_code == 422
    assert not Chat.objects.exists()


@pytest.mark.usefixtures("one_instant")
def test_strangers_are_throttled(talk: Talk):
    for _number in range(60):
        assert talk.post("pregunta", texto="hola").status_code in (302, 422)

    answer = talk.post("pregunta", texto="hola")

    assert answer.status_code == 429
    assert len(Chat.objects.get().lines) <= chats.MOST_LINES


def test_conversation_takes_no_more_than_its_most_lines(talk: Talk):
    talk.say("pregunta", texto="hola")
    chat = Chat.objects.get()
    chats.go_on(chat, *[chats.line("x")] * 200)
    chat.refresh_from_db()
    assert len(chat.lines) == chats.MOST_LINES

    assert talk.post("pregunta", texto="otra").status_code == 422


def test_report_that_was_sent_in_the_guide_is_not_asked_for_again(talk: Talk):
    talk.details()
    ticket = make_ticket(Process.objects.get(), guest_email="ana@example.com", category="tramite")
    ReportDraft.objects.update(folio=ticket.folio)

    page = talk.read()

    assert f"Reporte creado: {ticket.folio}" in page
    assert Chat.objects.get().ticket == ticket


def test_long_conversation_forgets_its_beginning_not_its_end(talk: Talk):
    talk.say("pregunta", texto="hola")
    chats.go_on(Chat.objects.get(), *[chats.line("x")] * 200)

    assert "te responde" in talk.say("camino", camino="person")


# --- Following a ticket -----------------------------------------------------------------------------------


@pytest.mark.demand("S0.8")
def test_guest_must_open_the_mailed_link_before_anything_is_told(guest_process: Process):
    ticket = make_ticket(
        guest_process, title="La cámara secreta", guest_email="ana@example.com", category="tramite"
    )
    talk = Talk(Client())
    talk.say("camino", camino="follow")
    assert "La cámara secreta" not in talk.say("seguir", folio=ticket.folio, email="ana@example.com")

    talk.client.get(f"/enlace/{guests.issue(ticket, purpose=Purpose.FOLLOW, email='ana@example.com')}/")

    page = talk.read()
    assert "La cámara secreta" in page
    assert f"/invitado/{ticket.folio}/" in page


def test_following_says_the_same_whether_the_ticket_exists(talk: Talk):
    ticket = make_ticket(Process.objects.get(), guest_email="ana@example.com", category="tramite")
    pages = []
    for folio, email in (
        (ticket.folio, "ana@example.com"),
        (ticket.folio, "otra@example.com"),
        ("MA-99999", "ana@example.com"),
    ):
        talk.say("camino", camino="follow")
        page = talk.say("seguir", folio=folio, email=email)
        pages.append(
            re.sub(r'value="[^"]{40,}"|X-CSRF[^>]+>|<time.*?</time>', "", page).replace(folio, "FOLIO")
        )
        talk.post("de-nuevo")
        if "marco" in talk.at:
            talk = Talk(talk.client, framed=True)
        pages[-1] = pages[-1].replace(talk.at, "")
    texts = [re.sub(r"/asistente/marco/[^/]+/", "", page) for page in pages]
    assert texts[0] == texts[1] == texts[2]
    assert not any("example.com" in line["text"] for chat in Chat.objects.all() for line in chat.lines)
    links = TicketEvent.objects.filter(kind=EventKind.LINK)
    assert not links.exists()
    assert guests.send_asked() == 3
    assert links.count() == 1


def test_revoked_link_tells_nothing(guest_process: Process):
    ticket = make_ticket(
        guest_process, title="La cámara secreta", guest_email="ana@example.com", category="tramite"
    )
    talk = Talk(Client())
    talk.client.get(f"/enlace/{guests.issue(ticket, purpose=Purpose.FOLLOW, email='ana@example.com')}/")
    guests.revoke(ticket)

    assert "La cámara secreta" not in talk.say("camino", camino="follow")


def test_person_sees_their_own_open_tickets_only(ticket: Ticket, customer: User, stranger: User):
    mine, theirs = Talk(signed_in(customer)), Talk(signed_in(stranger))

    assert ticket.title in mine.say("camino", camino="follow")
    assert ticket.title not in theirs.say("camino", camino="follow")


def test_closed_tickets_are_not_told_to_be_open(guest_process: Process):
    ticket = make_ticket(guest_process, title="La cámara", guest_email="ana@example.com", category="tramite")
    talk = Talk(Client())
    talk.client.get(f"/enlace/{guests.issue(ticket, purpose=Purpose.FOLLOW, email='ana@example.com')}/")
    assert "La cámara" in talk.say("camino", camino="follow")
    Ticket.objects.update(stage_kind=StageKind.DONE, closed_at=timezone.now())

    assert "La cámara" not in talk.read()


# --- A person ---------------------------------------------------------------------------------------------


def test_person_is_offered_after_a_report_was_sent_too(talk: Talk):
    talk.all()
    talk.say("enviar")
    filed = Chat.objects.get()

    page = talk.say("camino", camino="person")

    assert "te responde" in page
    assert Chat.objects.exclude(pk=filed.pk).get().path == "person"
    filed.refresh_from_db()
    assert filed.ticket is not None


def test_title_of_a_message_to_a_person_is_no_title_of_a_report(talk: Talk):
    talk.say("camino", camino="person")
    talk.say("tema", tipo=PAGO)

    talk.say("camino", camino="report")

    assert asked(talk.read()) == "title"


@pytest.mark.demand("S0.8", "S3.25")
def test_person_is_always_offered_and_the_message_becomes_a_ticket(talk: Talk):
    assert 'value="person"' in talk.read()
    page = talk.say("camino", camino="person")
    assert "te responde" in page
    page = talk.say("tema", tipo="prueba-invitados.tramite")
    assert asked(page) == "description"
    talk.answer("description", "Necesito mi factura")
    page = talk.answer("email", "ana@example.com")
    assert "Te responde una persona en" in page

    talk.say("enviar")

    ticket = Ticket.objects.get()
    assert (ticket.title, ticket.department.key) == ("Quiero hablar con una persona", "administracion")
    assert ticket.chat.path == "person"


OFFICE_HOURS = {
    "zone": "America/Bogota",
    "week": {day: [["08:00", "12:00"], ["13:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")},
    "days": [{"date": "2026-12-08", "name": "Inmaculada Concepción"}],
    "closures": [{"from": "2026-12-03T11:00", "until": "2026-12-03T18:00", "name": "Corte de luz"}],
}
OPEN, CLOSED = "Ahora hay personas atendiendo, ", "Ahora no hay nadie atendiendo: "


def text_of(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def answer_phone(**rules: Any) -> None:
    boss = make_supervisor()
    calendar = proposing.create_calendar(
        actor=boss, key="telefono", name="Teléfono", rules=CalendarRules.read(OFFICE_HOURS | rules)
    )
    proposing.choose_for_phone(calendar, actor=boss, chosen=True)


def at(text: str) -> Any:
    """Return the moment at which a clock in Bogotá shows `text`."""
    return datetime.fromisoformat(f"2026-{text}").replace(tzinfo=ZoneInfo("America/Bogota"))


@pytest.mark.parametrize(
    ("now", "told"),
    [
        ("12-02T09:30", f"{OPEN}hasta hoy, 12:00."),
        ("12-02T12:30", f"{CLOSED}abre hoy, 13:00."),
        ("12-02T17:00", f"{CLOSED}abre mañana, 8:00."),
        ("12-02T23:59", f"{CLOSED}abre mañana, 8:00."),
        ("12-03T07:59", f"{CLOSED}abre hoy, 8:00."),
        ("12-03T10:00", f"{OPEN}hasta hoy, 11:00."),
        ("12-03T12:00", f"{CLOSED}abre mañana, 8:00."),
        ("12-04T18:00", f"{CLOSED}abre lun 7 dic, 8:00."),
        ("12-07T18:00", f"{CLOSED}abre mié 9 dic, 8:00."),
        ("12-08T10:00", f"{CLOSED}abre mañana, 8:00."),
    ],
)
@pytest.mark.parametrize("is_framed", [False, True], ids=["page", "frame"])
def test_hours_of_the_phone_say_whether_a_person_attends(
    settings: Any, guest_process: Process, now: str, told: str, is_framed: bool
):
    settings.DESK_WIDGET_ORIGINS, settings.TIME_ZONE = [OTHER_SITE], "America/Bogota"
    answer_phone()
    with time_machine.travel(at(now)):
        talk = Talk(Client(), framed=is_framed)
        menu = talk.read()
        page = text_of(talk.say("camino", camino="person"))

    assert told in page
    assert told.removeprefix(OPEN).removeprefix(CLOSED).rstrip(".") in text_of(menu)
    assert ("dot--ok" in menu) == (OPEN in told)


@pytest.mark.parametrize(
    "rules", [{"always": True}, {"week": {day: [["00:00", "24:00"]] for day in WEEKDAYS}}]
)
def test_desk_that_never_closes_says_so(talk: Talk, rules: dict[str, Any]):
    answer_phone(**{"days": [], "closures": [], "week": {}} | rules)

    assert f"{OPEN}24 horas, todos los días." in text_of(talk.say("camino", camino="person"))


def test_hours_name_their_zone_to_readers_elsewhere(customer: User, guest_process: Process):
    answer_phone()
    User.objects.filter(pk=customer.pk).update(time_zone="Europe/Madrid")
    talk = Talk(signed_in(customer))
    with time_machine.travel(at("12-02T09:30")):
        assert f"{OPEN}hasta hoy, 12:00 (hora de Bogotá)." in text_of(talk.say("camino", camino="person"))
    with time_machine.travel(at("12-02T22:00")):  # it is the 3rd in Madrid
        assert f"{CLOSED}abre jue 3 dic, 8:00 (hora de Bogotá)." in text_of(talk.read())


def test_hours_are_those_of_now_when_the_conversation_goes_on_later(guest_process: Process):
    answer_phone()
    talk = Talk(Client())
    with time_machine.travel(at("12-02T09:30")):
        assert OPEN in talk.say("camino", camino="person")
    with time_machine.travel(at("12-02T20:00")):
        page = talk.read()

    assert CLOSED in page
    assert OPEN not in page


def test_message_left_while_closed_is_a_ticket(guest_process: Process):
    answer_phone()
    talk = Talk(Client())
    with time_machine.travel(at("12-05T10:00")):
        page = talk.say("camino", camino="person")
        assert CLOSED in page
        talk.say("tema", tipo="prueba-invitados.tramite")
        talk.answer("description", "Necesito mi factura")
        talk.answer("email", "ana@example.com")
        talk.say("enviar")

    assert Ticket.objects.get().chat.path == "person"


# --- Age --------------------------------------------------------------------------------------------------


def test_old_conversations_are_forgotten(talk: Talk, customer: User):
    talk.details()
    Talk(signed_in(customer)).say("camino", camino="report")
    with time_machine.travel(timezone.now() + timedelta(days=6)):
        assert chats.forget_old_chats() == 0
    with time_machine.travel(timezone.now() + timedelta(days=8)):
        assert chats.forget_old_chats() == 1
    with time_machine.travel(timezone.now() + timedelta(days=31)):
        assert chats.forget_old_chats() == 1


def test_filed_conversation_stays_with_its_ticket_and_leaves_the_browser(talk: Talk):
    talk.all()
    talk.say("enviar")

    with time_machine.travel(timezone.now() + timedelta(days=8)):
        assert chats.forget_old_chats() == 0

    chat = Chat.objects.get()
    assert (chat.visitor, chat.digest, chat.owner) == ("", "", None)
    assert chat.ticket == Ticket.objects.get()


def test_deleting_the_account_deletes_its_conversation(guest_process: Process, customer: User):
    talk = Talk(signed_in(customer))
    talk.say("pregunta", texto="mi cédula es 123")
    customer.delete()

    assert not Chat.objects.exists()


# --- In the frame of another site -------------------------------------------------------------------------


@pytest.mark.demand("S0.6")
def test_frame_may_be_shown_by_listed_sites_only(framed: Talk):
    for address in ("/asistente/marco/", framed.at):
        answer = framed.client.get(address)
        assert f"frame-ancestors {OTHER_SITE};" in f"{answer['Content-Security-Policy']};"
        assert "X-Frame-Options" not in answer
    for address in ("/", "/asistente/", "/nuevo/", "/cuenta/entrar/"):
        answer = framed.client.get(address)
        assert "frame-ancestors 'none'" in answer["Content-Security-Policy"]
        assert answer["X-Frame-Options"] == "DENY"


def test_frame_does_not_exist_without_listed_sites(client: Client, guest_process: Process):
    assert client.get("/asistente/marco/").status_code == 404


def test_frame_reads_and_sets_no_cookie(framed: Talk, customer: User, ticket: Ticket):
    framed.client.force_login(customer)
    before = {name: morsel.value for name, morsel in framed.client.cookies.items()}

    page = framed.say("camino", camino="follow")
    framed.say("pregunta", texto="hola")

    assert ticket.title not in page
    assert customer.name not in page
    assert {name: morsel.value for name, morsel in framed.client.cookies.items()} == before
    assert Chat.objects.get().owner is None


def test_frame_does_not_sign_anybody_out(framed: Talk, customer: User):
    framed.client.force_login(customer)

    answer = framed.client.get(framed.at)

    assert "Clear-Site-Data" not in answer
    assert framed.client.get("/tickets/").status_code == 200


def test_form_that_another_site_sends_to_a_frame_is_refused(framed: Talk):
    for headers in ({"Origin": OTHER_SITE}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}):
        answer = framed.client.post(f"{framed.at}camino/", {"camino": "report"}, headers=headers)
        assert answer.status_code == 404, headers
    assert not Chat.objects.exists()


def test_frame_that_starts_over_keeps_the_language_and_theme_of_its_site(framed: Talk):
    page = framed.read("/asistente/marco/?language=en&theme=dark")
    framed.at = re.search(r'action="(/asistente/marco/[^/]+/)camino/', page)[1]
    framed.client.post(f"{framed.at}camino/?language=en&theme=dark", {"camino": "ask"})
    answer = framed.post("de-nuevo")

    assert answer["Location"] == "/asistente/marco/?language=en&theme=dark"


def test_frame_that_is_refused_sets_no_cookie(framed: Talk):
    for _time in range(11):
        answer = framed.post("seguir", folio="MA-10001", email="ana@example.com")

    assert answer.status_code == 429
    assert not answer.cookies


def test_text_typed_in_a_frame_that_has_expired_is_shown(framed: Talk):
    framed.report()
    with time_machine.travel(timezone.now() + timedelta(days=4)):
        lost = framed.post("respuesta", pregunta="title", title="Portón dañado")
        asked = framed.post("pregunta", texto="¿Cuánto cuesta el portón?")

        assert (lost.status_code, asked.status_code) == (409, 302)
        assert "Escribiste: «Portón dañado»" in unescape(lost.content.decode())
        assert asked["Location"] != f"{framed.at}#ahora"
        assert "¿Cuánto cuesta el portón?" in framed.read(asked["Location"].partition("#")[0])


def test_invented_secret_opens_no_conversation(framed: Talk):
    answer = framed.client.post("/asistente/marco/inventado/camino/", {"camino": "report"})

    assert answer["Location"] == "/asistente/marco/"
    assert not Chat.objects.exists()


def test_frame_address_opened_as_a_page_leads_to_the_own_page(framed: Talk):
    framed.details()

    answer = framed.client.get(framed.at, headers={"Sec-Fetch-Dest": "document"})

    assert answer["Location"] == "/asistente/"


def test_secret_of_a_frame_is_stored_as_a_hash(framed: Talk):
    framed.say("camino", camino="report")

    assert framed.at.split("/")[3] not in str(Chat.objects.values())


def test_own_pages_require_the_csrf_token(guest_process: Process):
    client = Client(enforce_csrf_checks=True)

    assert client.post("/asistente/camino/", {"camino": "report"}).status_code == 403


# --- Cost -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lines", [1, 60])
def test_page_query_count_is_bounded(guest_process: Process, lines: int, django_assert_max_num_queries: Any):
    talk = Talk(Client())
    talk.details()
    chat = Chat.objects.get()
    chats.go_on(chat, *[chats.line("hola")] * lines)

    with django_assert_max_num_queries(10):
        talk.read()


REVIEW_QUERIES = 18
"""Thirteen of them look for articles that may answer the report (`knowledge.suggestions.suggest`)."""


@pytest.mark.parametrize("is_long", [False, True], ids=["few", "many"])
@pytest.mark.parametrize("has_account", [False, True], ids=["guest", "account"])
def test_review_query_count_is_bounded(
    guest_process: Process,
    customer: User,
    is_long: bool,
    has_account: bool,
    django_assert_max_num_queries: Any,
):
    """Three questions, or all of a longer form with files, a long conversation and as many answers as are offered."""
    talk = Talk(signed_in(customer) if has_account else Client())
    if is_long:
        for number in range(4):
            told = {"body": DETAILS["description"], "summary": DETAILS["description"]}
            make_article(f"{DETAILS['title']} {number}", audience=Audience.PUBLIC, **told)
        talk.details()
        photos = [png(f"{number}.png") for number in range(2)]
        talk.say("respuesta", pregunta="files", files=photos)
        chats.go_on(Chat.objects.get(), *[chats.line("hola")] * 60)
    else:
        talk.report("prueba-invitados.tramite")
        talk.answer("title", "Mi factura")
        talk.answer("description", "No llegó")
        talk.answer("files")
    if not has_account:
        talk.answer("email", "ana@example.com")
        talk.answer("name", "Ana Ruiz")
    talk.answer("phone")

    with django_assert_max_num_queries(REVIEW_QUERIES):
        page = talk.read()

    assert "Esto es lo que voy a enviar" in page
    assert page.count('name="resuelto"') == (3 if is_long else 0)
