"""The requester's replies and their files."""

import re
import uuid
from html import unescape

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import User
from content.tests import hostile_files
from tickets.models import Attachment, Process, Ticket
from tickets.tests.factories import make_ticket
from tickets.workflow import conversation
from tickets.workflow.perform import perform

from .browsing import html, url
from .factories import png, signed_in

pytestmark = pytest.mark.django_db


# --- Replying ---------------------------------------------------------------------------------------------


@pytest.mark.demand("S1.5", "S3.18")
def test_reply_is_saved_with_its_files(in_work: Ticket, customer_client: Client):
    answer = customer_client.post(
        url(in_work, "responder/"), {"body": "Así se ve.", "files": [png("uno.png"), png("dos.png")]}
    )

    message = in_work.messages.last()
    assert answer["Location"] == url(in_work, f"#mensaje-{message.pk}")
    assert (message.body, message.from_requester) == ("Así se ve.", True)
    assert [file.name for file in message.attachments.all()] == ["uno.png", "dos.png"]


@pytest.mark.demand("S3.18")
def test_reply_is_possible_after_closing(to_approve: Ticket, customer: User, customer_client: Client):
    perform(to_approve, "aprobar", actor=customer)

    customer_client.post(url(to_approve, "responder/"), {"body": "Gracias, quedó bien."})

    assert "Gracias, quedó bien." in html(customer_client, url(to_approve))


@pytest.mark.demand("S2.7")
def test_reply_to_a_question_returns_to_work(in_work: Ticket, agent: User, customer_client: Client):
    conversation.send_follow_up(in_work, actor=agent, body="¿Qué versión usas?")

    customer_client.post(url(in_work, "responder/"), {"body": "La 4.1."})

    in_work.refresh_from_db()
    assert in_work.stage == "procesar"
    assert "Tu solicitud pasó a <b>En proceso</b>" in html(customer_client, url(in_work))


def test_a_double_click_replies_once(in_work: Ticket, customer_client: Client):
    form = {"body": "Una vez.", "key": str(uuid.uuid4())}

    first = customer_client.post(url(in_work, "responder/"), form)
    second = customer_client.post(url(in_work, "responder/"), form)

    assert first["Location"] == second["Location"]
    assert in_work.messages.filter(body="Una vez.").count() == 1


def test_key_of_another_person_is_independent(
    in_work: Ticket, customer_client: Client, stranger: User, process: Process
):
    key = str(uuid.uuid4())
    customer_client.post(url(in_work, "responder/"), {"body": "Mío.", "key": key})
    theirs = make_ticket(process, requester=stranger)

    answer = signed_in(stranger).post(url(theirs, "responder/"), {"body": "Suyo.", "key": key}, follow=True)

    assert "Mío." not in answer.content.decode()
    assert not in_work.messages.filter(body="Suyo.").exists()
    assert theirs.messages.filter(body="Suyo.").count() == 1


def test_refused_reply_leads_back_to_its_form(in_work: Ticket, customer_client: Client):
    """Without script, only the anchor leads down the page to the text and its errors."""
    page = customer_client.post(url(in_work, "responder/"), {"body": ""}).content.decode()

    assert f'action="{url(in_work, "responder/")}#responder-aqui"' in page
    assert 'id="responder-aqui"' in page


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("", "Escribe un mensaje antes de enviar."),
        ("\x00\u202e", "Escribe un mensaje"),
        ("x" * 1_000_000, "1000000"),
    ],
)
def test_refused_reply_keeps_its_text_and_files(
    in_work: Ticket, customer_client: Client, body: str, message: str
):
    answer = customer_client.post(url(in_work, "responder/"), {"body": body, "files": [png("foto.png")]})

    page = answer.content.decode()
    assert answer.status_code == 422
    assert message in page.replace(".", "").replace("\xa0", "") or message in page
    assert body.replace("\x00", "").replace("\u202e", "") in page
    assert "foto.png" in page
    assert in_work.messages.count() == 1


def test_refused_file_keeps_text_and_other_files(in_work: Ticket, customer_client: Client):
    answer = customer_client.post(
        url(in_work, "responder/"),
        {"body": "Mira:", "files": [SimpleUploadedFile("x.exe", b"MZ"), png("buena.png")]},
    )

    page = answer.content.decode()
    assert answer.status_code == 422
    assert "x.exe: " in page
    assert ">Mira:</textarea>" in page
    assert "buena.png" in page
    assert in_work.messages.count() == 1


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("bomba.png", hostile_files.huge_png()),
        ("bomba.zip", hostile_files.zip_bomb()),
        ("mentira.zip", hostile_files.lying_zip_bomb()),
        ("dos-cosas.gif", hostile_files.script_in_gif()),
        ("pagina.html", b"<script>alert(1)</script>"),
        ("foto.png.exe", b"MZ"),
        ("foto\u202egnp.exe", b"MZ"),
    ],
)
def test_hostile_files_are_refused(in_work: Ticket, customer_client: Client, name: str, content: bytes):
    plain = customer_client.post(
        url(in_work, "responder/"), {"body": "Mira:", "files": [SimpleUploadedFile(name, content)]}
    )
    script = customer_client.post(url(in_work, "archivos/"), {"file": SimpleUploadedFile(name, content)})

    harmless = Attachment.objects.all()  # a GIF may be kept, because re-encoding removes the script
    if name.endswith(".gif") and harmless:
        assert all(b"<script" not in file.file.read() for file in harmless)
        return
    assert (plain.status_code, script.status_code) == (422, 422)
    assert ">Mira:</textarea>" in plain.content.decode()
    assert 'data-state="error"' in script.content.decode()
    assert not harmless
    assert in_work.messages.count() == 1


def test_script_uploads_and_removes_reply_files(in_work: Ticket, customer_client: Client):
    row = customer_client.post(url(in_work, "archivos/"), {"file": png("una.png")})
    assert "una.png" in row.content.decode()
    assert "una.png" in html(customer_client, url(in_work))
    remove = unescape(re.search(r'data-remove="([^"]+)"', row.content.decode())[1])

    assert customer_client.post(remove).status_code == 204

    assert "una.png" not in html(customer_client, url(in_work))
    assert not Attachment.objects.exists()


def test_removing_a_file_without_script_keeps_text(in_work: Ticket, customer_client: Client):
    customer_client.post(url(in_work, "archivos/"), {"file": png("una.png")})
    file = Attachment.objects.get()

    answer = customer_client.post(
        url(in_work, "responder/"), {"body": "A medio escribir", "quitar": str(file.uuid)}
    )

    assert ">A medio escribir</textarea>" in answer.content.decode()
    assert not Attachment.objects.exists()
    assert in_work.messages.count() == 1


def test_reply_on_a_stale_page_shows_changes(in_work: Ticket, agent: User, customer_client: Client):
    in_work.refresh_from_db()
    seen = in_work.public_version
    conversation.send_follow_up(in_work, actor=agent, body="¿Sigue pasando?")

    answer = customer_client.post(url(in_work, "responder/"), {"body": "No contestan.", "version": seen})

    page = unescape(answer.content.decode())
    assert answer.status_code == 409
    assert "El ticket cambió mientras escribías." in page
    assert "mensaje de Diego Salazar" in page
    assert ">No contestan.</textarea>" in page
    assert not in_work.messages.filter(body="No contestan.").exists()
    fresh = re.search(r'name="version" value="(\d+)" form="responder"', page)[1]
    customer_client.post(url(in_work, "responder/"), {"body": "No contestan.", "version": fresh})
    assert in_work.messages.filter(body="No contestan.").exists()


def test_unreadable_hidden_fields_are_ignored(in_work: Ticket, customer_client: Client):
    answer = customer_client.post(
        url(in_work, "responder/"), {"body": "Hola", "version": "nada", "key": "x__y"}
    )

    assert answer.status_code == 302
    assert in_work.messages.last().body == "Hola"


def test_replies_to_two_tickets_without_session_are_both_kept(
    in_work: Ticket, customer: User, client: Client, process: Process
):
    other = make_ticket(process, requester=customer)
    client.post(url(in_work, "responder/"), {"body": "Sobre la cámara"})
    client.post(url(other, "responder/"), {"body": "Sobre la puerta"})
    client.force_login(customer)

    assert "Sobre la cámara" in html(client, url(in_work))
    client.post(url(in_work, "responder/"), {"body": "Sobre la cámara"})

    assert "Sobre la puerta" in html(client, url(other))


def test_reply_without_session_is_kept_for_signing_in(in_work: Ticket, customer: User, client: Client):
    answer = client.post(url(in_work, "responder/"), {"body": "Lo que escribí"})
    assert answer["Location"] == f"/cuenta/entrar/?next={url(in_work)}"
    assert in_work.messages.count() == 1

    client.force_login(customer)

    assert ">Lo que escribí</textarea>" in html(client, url(in_work))
    client.post(url(in_work, "responder/"), {"body": "Lo que escribí"})
    assert ">Lo que escribí</textarea>" not in html(client, url(in_work))


def test_rejection_without_session_is_kept_for_signing_in(to_approve: Ticket, customer: User, client: Client):
    answer = client.post(
        url(to_approve, "acciones/rechazar/"), {"rechazar-message": "Sigue sin abrir"}, follow=True
    )

    assert "tu respuesta te espera en el ticket" in answer.content.decode()
    client.force_login(customer)
    assert ">Sigue sin abrir</textarea>" in html(client, url(to_approve))
