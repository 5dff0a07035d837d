"""Writing on a ticket: three kinds of message, drafts, standard answers, files and mentions."""

import re
import uuid

import pytest
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from accounts.tests.factories import make_agent, make_department, make_supervisor, make_user
from tickets import policies
from tickets.enums import MessageKind
from tickets.models import Attachment, Draft, Message, Ticket
from tickets.tests.factories import make_process, make_ticket
from tickets.workflow import conversation, properties

from .factories import signed_in, snapshot, text_of
from .test_tickets import prepared, url

pytestmark = pytest.mark.django_db
TEXT_FILE = {"name": "registro.txt", "content": b"hora;error\n10:20;500\n", "content_type": "text/plain"}


@pytest.fixture
def agent():
    return make_agent(name="Diego Salazar")


@pytest.fixture
def ticket(agent):
    return prepared(make_ticket(requester=make_user(name="Mateo Ríos")), agent)


@pytest.fixture
def client(agent):
    return signed_in(agent)


def write(client, ticket, mode="follow_up", body="Ya lo revisamos", **data):
    given = {"mode": mode, "body": body, "version": ticket.version, "key": str(uuid.uuid4())} | data
    return client.post(url(ticket, "send"), given)


@pytest.mark.demand("S2.13", "S0.21")
def test_follow_up_is_sent(client, ticket, deliver):
    response = write(client, ticket)
    message = ticket.messages.latest("id")
    assert response["Location"] == f"{url(ticket)}#mensaje-{message.pk}"
    assert (message.kind, message.body) == (MessageKind.FOLLOW_UP, "Ya lo revisamos")
    assert "Enviamos tu seguimiento." in text_of(client.get(url(ticket)))
    deliver()
    told = [each for each in mail.outbox if "Ya lo revisamos" in each.body]
    assert [each.to for each in told] == [[ticket.requester_email]]


@pytest.mark.demand("S0.24", "S2.28")
def test_solution_stores_the_work_and_the_steps(client, ticket):
    write(client, ticket, "solution", "Devolvimos el cobro", steps="Actualiza la app y borra el caché")
    ticket.refresh_from_db()
    assert (ticket.solution_done, ticket.solution_steps) == (
        "Devolvimos el cobro",
        "Actualiza la app y borra el caché",
    )
    page = text_of(client.get(url(ticket)))
    assert "Pasos para el solicitante" in page
    assert "borra el caché" in page
    conversation.send_solution(ticket, actor=ticket.assignee, done="Devolvimos también la multa")
    page = text_of(client.get(url(ticket)))
    assert "<p>Actualiza la app y borra el caché</p>" in page, "an earlier solution stays as it was sent"


@pytest.mark.demand("S2.29")
def test_unprepared_ticket_takes_no_solution():
    ticket = make_ticket()
    client = signed_in(make_supervisor())
    assert 'value="solution"' not in text_of(client.get(url(ticket)))
    response = write(client, ticket, "solution", "Listo")
    assert response.status_code == 422
    assert ticket.messages.count() == 1
    assert "Listo" in text_of(response)


@pytest.mark.demand("S0.20")
def test_internal_note_mentions_colleagues_by_address(client, ticket):
    ana = make_agent(name="Ana", email="ana@example.com")
    write(client, ticket, "note", "@ana@example.com mira el banco")
    note = ticket.messages.latest("id")
    assert (note.kind, note.is_public) == (MessageKind.NOTE, False)
    assert [mention.user for mention in note.mentions.all()] == [ana]


@pytest.mark.demand("S2.5")
def test_follow_up_asks_for_an_open_contribution(client, ticket, agent):
    properties.set_contribution(ticket, actor=agent, is_open=True)
    ticket.refresh_from_db()
    assert "Enviar y pedir aporte" in text_of(client.get(url(ticket)))
    write(client, ticket)
    ticket.refresh_from_db()
    assert ticket.stage == "aporte"


@pytest.mark.demand("S2.18")
@pytest.mark.parametrize(
    ("posted", "stage"),
    [({"asks_shown": "1"}, "procesar"), ({"asks_shown": "1", "asks": "1"}, "aporte"), ({}, "aporte")],
)
def test_agent_chooses_whether_a_follow_up_asks(client, ticket, agent, posted, stage):
    properties.set_contribution(ticket, actor=agent, is_open=True)
    page = client.get(url(ticket))
    assert 'name="asks"' in text_of(page)
    ticket.refresh_from_db()
    write(client, ticket, **posted)
    ticket.refresh_from_db()
    assert ticket.stage == stage


def test_nothing_is_asked_without_an_open_contribution(client, ticket):
    assert 'name="asks"' not in text_of(client.get(url(ticket)))


@pytest.mark.demand("S2.18")
@pytest.mark.parametrize(("answer", "ticked"), [("R3", False), ("", True)])
def test_standard_answer_decides_whether_it_asks(client, ticket, agent, answer, ticked):
    properties.set_contribution(ticket, actor=agent, is_open=True)
    page = text_of(client.get(url(ticket), {"respuesta": answer}))
    box = re.search(r'<input class="form-check-input" type="checkbox" name="asks"[^>]*>', page)[0]
    assert ("checked" in box) is ticked
    assert re.search(r'data-asks="0"> <span class="truncate">R3', page)


def test_form_posted_twice_sends_once(client, ticket):
    key = str(uuid.uuid4())
    for _twice in range(2):
        assert write(client, ticket, key=key).status_code == 302
    assert ticket.messages.filter(kind=MessageKind.FOLLOW_UP).count() == 1


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("", "Escribe un mensaje antes de enviar."),
        ("x" * 20_001, "20000"),
        ("\x00\u202e ", "Escribe un mensaje"),
    ],
)
def test_refused_message_says_why_and_changes_nothing(client, ticket, body, said):
    before = snapshot(ticket)
    response = write(client, ticket, body=body)
    assert response.status_code == 422
    assert said in text_of(response)
    assert snapshot(ticket) == before


def test_stale_form_shows_changes_and_keeps_text(client, ticket):
    seen = ticket.version
    conversation.reply(ticket, actor=ticket.requester, body="Ya se arregló solo")
    properties.change_properties(ticket, actor=make_supervisor(name="Carolina"), severity="critical")
    response = write(client, ticket, body="Mi larga respuesta", version=seen)
    page = text_of(response)
    assert response.status_code == 409
    assert "El ticket cambió mientras escribías." in page
    assert "Ya se arregló solo" in page
    assert "<b>Carolina</b> cambió severidad <b>Crítica</b>" in page
    assert "Mi larga respuesta</textarea>" in page
    ticket.refresh_from_db()
    assert f'id="composer-version" value="{ticket.version}"' in page
    assert not ticket.messages.filter(kind=MessageKind.FOLLOW_UP).exists()
    assert write(client, ticket, body="Mi larga respuesta").status_code == 302


@pytest.mark.demand("S2.9")
def test_answer_requires_a_checked_standing(client, ticket):
    Ticket.objects.filter(pk=ticket.pk).update(standing_checked_at=None)
    response = write(client, ticket, body="Hola, Mateo")
    assert response.status_code == 422
    assert "Verifica primero el estatus administrativo del solicitante." in text_of(response)
    assert "Hola, Mateo</textarea>" in text_of(response)


def test_markup_in_a_message_is_harmless(client, ticket):
    write(client, ticket, "note", "<img src=x onerror=alert(1)> [x](javascript:alert(1))")
    page = text_of(client.get(url(ticket)))
    assert "<img src=x" not in page
    assert 'href="javascript:' not in page


# --- Drafts ---------------------------------------------------------------------------------------------


def keep(client, ticket, mode, body, **data):
    return client.post(
        url(ticket, "draft"),
        {"mode": mode, "body": body, **data},
        headers={"X-Requested-With": "XMLHttpRequest"},
    )


def test_drafts_are_kept_for_each_kind(client, ticket):
    assert keep(client, ticket, "follow_up", "Hola, Mat").status_code == 204
    assert keep(client, ticket, "solution", "Devolvimos", steps="Reinicia").status_code == 204
    assert keep(client, ticket, "note", "Ojo con el banco").status_code == 204
    page = text_of(client.get(url(ticket)))
    for part in ('data-body="Hola, Mat"', 'data-steps="Reinicia"', "Ojo con el banco</textarea>"):
        assert part in page
    assert "Devolvimos</textarea>" in text_of(client.get(f"{url(ticket)}?modo=solution"))


def test_draft_is_private_and_ends_when_sent(client, ticket):
    keep(client, ticket, "follow_up", "Solo mío")
    assert "Solo mío" not in text_of(signed_in(make_supervisor()).get(url(ticket)))
    write(client, ticket, body="Solo mío, enviado")
    assert not Draft.objects.exists()


def test_draft_survives_changes_by_others(client, ticket):
    keep(client, ticket, "follow_up", "A medio escribir")
    conversation.reply(ticket, actor=ticket.requester, body="Otra cosa")
    assert "A medio escribir</textarea>" in text_of(client.get(url(ticket)))


def test_refused_draft_answers_422(client, ticket, monkeypatch):
    """The ticket may move to another department after the view has found it and before the draft is saved."""
    monkeypatch.setattr(policies, "can_answer", lambda actor, ticket: False)
    assert keep(client, ticket, "note", "Algo").status_code == 422
    assert not Draft.objects.exists()


def test_emptied_draft_is_deleted_and_unknown_kind_refused(client, ticket):
    keep(client, ticket, "note", "Algo")
    assert keep(client, ticket, "note", "  ").status_code == 204
    assert keep(client, ticket, "report", "Algo").status_code == 422
    assert not Draft.objects.exists()


# --- Standard answers -----------------------------------------------------------------------------------


@pytest.mark.demand("S2.13")
def test_fitting_standard_answers_are_offered(client, ticket):
    page = text_of(client.get(url(ticket)))
    assert "Respuestas estándar" in page
    keys = [response.key for response in ticket.definition.responses]
    assert keys
    offered = [key for key in keys if f"?respuesta={key}" in page]
    assert offered
    assert "{nombre}" not in page
    assert "{saludo}" not in page
    inserted = text_of(client.get(url(ticket), {"respuesta": offered[0]}))
    assert "</textarea>" in inserted
    assert inserted.count("<textarea") == page.count("<textarea")


def test_unknown_standard_answer_inserts_nothing(client, ticket):
    assert "></textarea>" in text_of(client.get(url(ticket), {"respuesta": "R99"}))


# --- Files ----------------------------------------------------------------------------------------------


def a_file(**changes):
    return SimpleUploadedFile(**(TEXT_FILE | changes))


@pytest.mark.demand("S2.14")
def test_uploaded_files_are_sent_with_the_message(client, ticket):
    row = client.post(url(ticket, "files"), {"file": a_file()})
    assert "registro.txt" in text_of(row)
    waiting = Attachment.objects.get()
    assert waiting.ticket is None
    assert "registro.txt" in text_of(client.get(url(ticket)))
    write(client, ticket, "note", "Va el registro")
    waiting.refresh_from_db()
    assert waiting.message == ticket.messages.latest("id")


def test_files_are_sent_with_the_form_without_script(client, ticket):
    write(client, ticket, files=[a_file(), a_file(name="otro.txt")])
    assert [item.name for item in ticket.messages.latest("id").attachments.all()] == [
        "registro.txt",
        "otro.txt",
    ]


def test_refused_file_keeps_text_and_other_files(client, ticket):
    bad = a_file(name="virus.exe", content=b"MZ\x90\x00" * 20)
    response = write(client, ticket, body="Con archivos", files=[a_file(), bad])
    page = text_of(response)
    assert response.status_code == 422
    assert "virus.exe" in page
    assert "Con archivos</textarea>" in page
    assert "registro.txt" in page
    assert not ticket.messages.filter(kind=MessageKind.FOLLOW_UP).exists()
    row = client.post(url(ticket, "files"), {"file": a_file(name="virus.exe", content=b"MZ\x90\x00" * 20)})
    assert (row.status_code, 'data-state="error"' in text_of(row)) == (422, True)


def test_only_its_uploader_removes_an_unsent_file(client, ticket):
    client.post(url(ticket, "files"), {"file": a_file()})
    waiting = Attachment.objects.get()
    signed_in(make_supervisor()).post(url(ticket, "file_remove", str(waiting.uuid)))
    assert Attachment.objects.count() == 1
    response = client.post(url(ticket, "send"), {"mode": "note", "body": "Sigo", "quitar": str(waiting.uuid)})
    assert "Sigo</textarea>" in text_of(response)
    assert Attachment.objects.count() == 0


@pytest.mark.parametrize("mode", ["follow_up", "solution", "note"])
def test_removing_a_file_from_an_empty_message_shows_no_error(client, ticket, mode):
    client.post(url(ticket, "files"), {"file": a_file()})
    file = Attachment.objects.get()

    page = text_of(client.post(url(ticket, "send"), {"mode": mode, "body": "", "quitar": str(file.uuid)}))

    assert not Attachment.objects.exists()
    assert "Escribe un mensaje" not in page
    assert "Escribe un mensaje" in text_of(client.post(url(ticket, "send"), {"mode": mode, "body": ""}))


@pytest.mark.parametrize(
    ("scan", "note", "other"),
    [
        ("pending", "en revisión", "el antivirus lo detuvo"),
        ("infected", "el antivirus lo detuvo", "en revisión"),
    ],
)
def test_row_of_a_held_file_says_why(client, ticket, scan, note, other):
    write(client, ticket, files=[a_file(name="enviado.txt")])
    client.post(url(ticket, "files"), {"file": a_file(name="esperando.txt")})
    Attachment.objects.update(scan=scan)

    page = text_of(client.get(url(ticket)))

    for name in ("enviado.txt", "esperando.txt"):
        row = page.split(f'truncate">{name}</span>')[1].split("</li>")[0]
        assert note in row
        assert other not in row


def test_unsent_files_of_others_are_not_attached(client, ticket):
    signed_in(make_supervisor()).post(url(ticket, "files"), {"file": a_file(name="ajeno.txt")})
    assert "ajeno.txt" not in text_of(client.get(url(ticket)))
    write(client, ticket)
    assert not Message.objects.latest("id").attachments.exists()


# --- Mentions -------------------------------------------------------------------------------------------


def test_mentions_offer_only_colleagues_with_access(client, ticket):
    make_agent(ticket.department, name="Ana Beltrán", email="ana@example.com")
    make_agent(make_department("cca"), name="Ana Oculta")
    make_user(name="Ana Cliente")
    page = text_of(client.get(url(ticket, "mentions"), {"q": "an"}))
    assert 'data-email="ana@example.com"' in page
    assert "Oculta" not in page
    assert "Cliente" not in page
    assert "Ana Beltrán" in text_of(client.get(url(ticket, "mentions"), {"q": "belt"}))
    nobody = text_of(client.get(url(ticket, "mentions"), {"q": "zz\x00"}))
    assert "Nadie con ese nombre ve este ticket." in nobody
    assert "data-email" not in nobody


def test_old_message_shows_its_year(client, ticket):
    message = ticket.messages.first()
    Message.objects.filter(pk=message.pk).update(created_at=timezone.now() - timezone.timedelta(days=400))
    assert str(timezone.localdate().year - 1) in text_of(client.get(url(ticket)))


def test_composer_focuses_errors_and_hints_at_answers(client, ticket):
    page = text_of(write(client, ticket, body=" "))
    assert re.search(r'<textarea[^>]*name="body"[^>]* aria-invalid="true"[^>]* autofocus', page)
    assert "Usa / para insertar una respuesta estándar" in page
    early = make_ticket(make_process("incidencia-tecnica"), requester=make_user(name="Sara Niño"))
    page = text_of(signed_in(make_supervisor()).get(url(early)))
    assert "Escribe a Sara…" in page
    assert "Usa /" not in page


def test_open_contribution_renames_the_send_button(client, ticket):
    page = client.post(url(ticket, "contribution"), {"is_open": "1"}, headers={"HX-Request": "true"})
    assert 'data-follow-up="Enviar y pedir aporte"' in text_of(page)
