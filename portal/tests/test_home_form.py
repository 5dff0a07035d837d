"""The form that a process puts on the home page: everything on one page, for guests and for people with an account."""

import re
from html import unescape
from typing import Any

import pytest
from django.conf import settings
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from tickets.models import Attachment, Process, ReportDraft, Ticket
from tickets.tests.factories import make_process
from tickets.workflow.publishing import publish, put_in_use

from . import browsing
from .factories import png, signed_in
from .guide import hidden

pytestmark = pytest.mark.django_db

TOPIC = "reparacion-de-dispositivo.dispositivo"
PHONE = {
    "answer_marca": "Samsung",
    "answer_modelo": "Galaxy A54",
    "answer_fallas": ["pantalla", "bateria"],
    "description": "Se cayó el martes y quedó con líneas verdes.",
}
MARCELA = {"name": "Marcela Duque", "phone": "+57 310 555 0176", "email": "marcela@example.com"}


@pytest.fixture
def repair(db: None) -> Process:
    return make_process("reparacion-de-dispositivo")


def html(client: Client, address: str = "/") -> str:
    return browsing.html(client, address)


class HomeForm:
    """The form as one browser draws and posts it. `send` posts what the drawn page holds."""

    def __init__(self, client: Client, address: str = "/") -> None:
        self.client = client
        self.drawn = html(client, address)
        self.action = re.search(r'action="(/nuevo/[\w-]+/formulario/)"', self.drawn)[1]
        self.code = self.action.split("/")[2]

    def send(self, values: dict[str, Any], **more: Any) -> Any:
        names = ("carry", "page", "seen", "typed_at", "tipo")
        return self.client.post(
            self.action, {name: hidden(self.drawn, name) for name in names} | values | more
        )


def complaints(answer: Any) -> set[str]:
    assert answer.status_code == 422
    return set(re.findall(r'id="id_(?:answer_)?(\w+)_error"', answer.content.decode()))


# --- What the home page shows -----------------------------------------------------------------------------


@pytest.mark.demand("S1.6", "S1.7", "S1.2")
def test_home_carries_the_form_and_other_topics_below(
    client: Client, repair: Process, guest_process: Process
):
    page = html(client)

    assert "¿Qué le pasa a tu equipo?</h1>" in page
    for name in ("answer_marca", "answer_fallas", "description", "files", "name", "phone", "email"):
        assert f'name="{name}"' in page
    assert re.findall(r'class="cat" href="([^"]+)"', page) == [
        "/nuevo/?tipo=prueba-invitados.pago", "/nuevo/?tipo=prueba-invitados.tramite",
    ]  # fmt: skip
    path = re.search(r'<ol class="kb-path">(.*?)</ol>', page, re.DOTALL)[1]
    assert re.findall(r"<strong[^>]*>([^<]+)<", path) == [
        "Lo recibimos", "Registrado", "En reparación", "Finalizado",
    ]  # fmt: skip


def test_home_without_such_a_process_stays_as_it_was(client: Client, guest_process: Process):
    page = html(client)

    assert "¿Cómo podemos ayudarte?</h1>" in page
    assert "kb-home__form" not in page


def test_process_out_of_use_leaves_the_home_page(client: Client, repair: Process):
    Process.objects.update(is_active=False)

    assert "kb-home__form" not in html(client)


def on_home(process: str, *, login: str = "guest") -> str:
    """Return the text of a small process with its form on the home page."""
    return f"""
format = 1
key = "{process}"
name = "{process.title()}"
login = "{login}"
[intake]
on_home = true
[[categories]]
key = "uno"
label = "Tema de {process}"
[[categories]]
key = "dos"
label = "Otro tema de {process}"
[[stages]]
key = "nuevo"
label = "Nuevo"
kind = "new"
[[stages]]
key = "fin"
label = "Fin"
kind = "done"
[[actions]]
key = "acabar"
label = "Acabar"
from = ["nuevo"]
to = "fin"
by = ["staff"]
"""


def test_first_process_in_the_desks_order_has_the_home_page(client: Client, repair: Process):
    late = put_in_use(on_home("tardio"), position=9)
    assert list(late.changes) == [
        (
            "La portada lleva el formulario de «Reparación de dispositivo», que va antes en el orden de los"
            " procesos; el de «Tardio» no se ve en ella."
        )
    ]
    assert f'name="tipo" value="{TOPIC}"' in html(client)

    Process.objects.filter(key=repair.key).update(position=5)
    early = put_in_use(on_home("temprano"), position=0)
    page = html(client)

    assert list(early.changes) == [
        "La portada lleva ahora el formulario de «Temprano».",
        "El formulario de «Reparación de dispositivo» deja de verse en la portada.",
    ]
    assert 'name="tipo" value="temprano.uno"' in page
    assert f"/nuevo/?tipo={TOPIC}" in page  # the other process is a topic like any
    assert "/nuevo/?tipo=temprano.dos" in page


def test_publishing_says_that_the_form_leaves_the_home_page(repair: Process):
    source = repair.current.source.replace("on_home = true", "on_home = false")
    source = re.sub(r"home_t\w+ = .*\n", "", source)

    assert list(put_in_use(source).changes) == [
        "La portada ya no lleva el formulario de «Reparación de dispositivo»."
    ]


def test_process_with_accounts_shows_its_form_to_people_with_one(client: Client, customer: User):
    publish(on_home("interno", login="required"))

    assert "kb-home__form" not in html(client)
    assert "kb-home__form" in html(signed_in(customer))


# --- Filing -----------------------------------------------------------------------------------------------


@pytest.mark.demand("S1.6", "S1.7", "S1.8", "S1.9")
def test_guest_files_from_the_home_page(client: Client, repair: Process, deliver: Any):
    form = HomeForm(client)

    answer = form.send(PHONE | MARCELA, files=[png("pantalla.png")])

    ticket = Ticket.objects.get()
    assert answer["Location"] == f"/nuevo/{form.code}/listo/"
    page = html(client, answer["Location"])
    assert ticket.folio in page
    assert f'dinos el folio en <a href="mailto:{settings.DESK_SUPPORT_EMAIL}">' in page
    assert ticket.title == "Pantalla rota, Batería · Samsung · Galaxy A54"
    assert ticket.fields == {"marca": "Samsung", "modelo": "Galaxy A54", "fallas": ["pantalla", "bateria"]}
    assert (ticket.requester_name, ticket.requester_phone) == ("Marcela Duque", "+57 310 555 0176")
    assert ticket.department.key == "reparaciones"
    assert ticket.messages.get().attachments.get().name == "pantalla.png"
    deliver()
    received = next(letter for letter in mail.outbox if letter.to == ["marcela@example.com"])
    assert ticket.folio in received.subject


def test_same_form_sent_twice_files_once(client: Client, repair: Process):
    form = HomeForm(client)

    first, second = form.send(PHONE | MARCELA), form.send(PHONE | MARCELA)

    assert Ticket.objects.count() == 1
    assert first["Location"] == second["Location"]


@pytest.mark.demand("S2.1")
def test_person_with_an_account_files_for_themselves(repair: Process, customer: User, stranger: User):
    form = HomeForm(signed_in(customer))
    assert 'name="name"' not in form.drawn

    form.send(PHONE | MARCELA, email=stranger.email)

    ticket = Ticket.objects.get()
    assert (ticket.requester, ticket.requester_email) == (customer, customer.email)
    assert not ticket.notify_requester  # the box for mails was shown and left empty


def test_refused_form_keeps_all_that_was_typed_and_the_files(client: Client, repair: Process):
    form = HomeForm(client)

    answer = form.send(PHONE | MARCELA | {"phone": "no", "answer_marca": ""}, files=[png("una.png")])

    assert complaints(answer) == {"phone", "marca"}
    page = unescape(answer.content.decode())
    for text in ("Galaxy A54", PHONE["description"], "Marcela Duque", "marcela@example.com", "una.png"):
        assert text in page
    assert page.count("checked") == 2
    assert not Ticket.objects.exists()
    form.send(PHONE | MARCELA)
    assert Ticket.objects.get().messages.get().attachments.get().name == "una.png"


def test_refused_file_does_not_stop_the_others(client: Client, repair: Process):
    answer = HomeForm(client).send(PHONE | MARCELA, files=[png("buena.png"), png("mala.exe")])

    assert complaints(answer) == {"files"}
    assert [file.name for file in Attachment.objects.all()] == ["buena.png"]
    assert not Ticket.objects.exists()


def test_file_is_removed_without_script(client: Client, repair: Process):
    form = HomeForm(client)
    form.send(PHONE | MARCELA | {"phone": ""}, files=[png("una.png")])
    kept = Attachment.objects.get()

    answer = form.send(PHONE | MARCELA | {"phone": ""}, quitar=str(kept.uuid))

    assert not Attachment.objects.exists()
    assert PHONE["description"] in html(client, answer["Location"].partition("#")[0])


def test_address_with_a_known_misspelling_is_asked_once(client: Client, repair: Process):
    form = HomeForm(client)
    wrong = PHONE | MARCELA | {"email": "marcela@gmial.com"}

    answer = form.send(wrong)

    assert complaints(answer) == {"email"}
    page = answer.content.decode()
    assert "¿Quisiste decir marcela@gmail.com?" in page
    assert hidden(page, "address_ok") == "marcela@gmial.com"
    assert form.send(wrong, address_ok="otra@gmial.com").status_code == 422
    form.send(wrong, address_ok="marcela@gmial.com")
    assert Ticket.objects.get().requester_email == "marcela@gmial.com"


@pytest.mark.usefixtures("one_instant")
def test_strangers_cannot_fill_a_mailbox_with_receipts(repair: Process):
    """B14, B34: as in the guide, ten reports an hour go to one address."""
    answers = [HomeForm(Client()).send(PHONE | MARCELA).status_code for _turn in range(11)]

    assert answers == [302] * 10 + [429]
    assert Ticket.objects.count() == 10


def test_forged_topic_files_nothing_into_other_processes(client: Client, repair: Process, process: Process):
    """B18: the form takes any topic that is offered, by that topic's own rules."""
    form = HomeForm(client)

    for topic in ("no-existe", f"{process.key}.plataforma"):
        form.send(PHONE | MARCELA | {"title": "Hola"}, tipo=topic)

    assert not Ticket.objects.exists()


# --- Drafts -----------------------------------------------------------------------------------------------


def test_home_page_goes_on_with_what_was_typed(client: Client, repair: Process):
    form = HomeForm(client)
    autosaved = client.post(
        f"/nuevo/{form.code}/borrador/",
        {"carry": hidden(form.drawn, "carry"), "tipo": TOPIC} | PHONE | MARCELA,
    )
    assert autosaved.status_code == 204

    again = HomeForm(client)

    assert again.code == form.code
    assert PHONE["description"] in again.drawn
    assert 'value="marcela@example.com"' in again.drawn
    assert "Continúa tu reporte" not in again.drawn
    assert "Empezar de nuevo" in again.drawn


def test_unfinished_report_is_seen_by_its_browser_alone(client: Client, repair: Process, stranger: User):
    form = HomeForm(client)
    form.send(PHONE | MARCELA | {"phone": ""})

    for other in (Client(), signed_in(stranger)):
        assert PHONE["description"] not in html(other)
        assert other.get(form.action)["Location"] == "/nuevo/"


def test_report_of_an_account_is_not_shown_after_signing_out(repair: Process, customer: User, stranger: User):
    client = signed_in(customer)
    form = HomeForm(client)
    form.send(PHONE | {"phone": ""})
    client.cookies.pop("desk_session")

    assert PHONE["description"] not in html(client)
    answer = form.send(PHONE | MARCELA)
    assert answer["Location"].startswith("/cuenta/entrar/")
    assert not Ticket.objects.exists()
    assert PHONE["description"] in html(signed_in(customer))
    assert PHONE["description"] not in html(signed_in(stranger))


def test_signing_in_keeps_what_was_typed(client: Client, repair: Process, customer: User):
    form = HomeForm(client)

    answer = form.send(PHONE | MARCELA, ir="entrar")

    assert answer["Location"] == f"/cuenta/entrar/?next={form.action}"
    client.force_login(customer)
    page = html(client, form.action)
    assert PHONE["description"] in page
    assert customer.email in page


def test_starting_over_can_be_undone(client: Client, repair: Process):
    form = HomeForm(client)
    form.send(PHONE | MARCELA | {"phone": ""})

    discarded = client.post(f"/nuevo/{form.code}/descartar/")

    page = html(client, discarded["Location"])
    assert HomeForm(client).code != form.code
    assert f'action="/nuevo/{form.code}/recuperar/"' in page


def test_report_begun_on_the_home_page_goes_on_in_the_guide(client: Client, repair: Process):
    form = HomeForm(client)
    form.send(PHONE | MARCELA | {"phone": ""})

    details = html(client, f"/nuevo/{form.code}/detalles/")

    assert PHONE["description"] in details
    assert 'name="title"' not in details


# --- Costs ------------------------------------------------------------------------------------------------


def test_opening_the_home_page_writes_nothing(client: Client, repair: Process):
    with CaptureQueriesContext(connection) as queries:
        html(client)

    assert not ReportDraft.objects.exists()
    assert not [q["sql"] for q in queries if q["sql"].startswith(("INSERT", "UPDATE", "DELETE"))]


@pytest.mark.parametrize("begun", [0, 3])
def test_query_count_of_the_form_is_bounded(
    client: Client, repair: Process, guest_process: Process, begun: int, django_assert_max_num_queries: Any
):
    for number in range(begun):
        form = HomeForm(client, "/")
        form.send(PHONE | MARCELA | {"phone": "", "description": f"Reporte {number}"})
        ReportDraft.objects.update(topic="prueba-invitados.pago")
    html(client)

    with django_assert_max_num_queries(10):
        html(client)
