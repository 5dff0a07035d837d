"""A refused action shows the way: its form asks for what a guard lacks, or links to the place that satisfies it."""

import re
import uuid

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from accounts.models import User
from accounts.tests.factories import make_agent, make_department, make_supervisor, make_user
from tickets import policies
from tickets.enums import Channel
from tickets.exceptions import GuardFailed
from tickets.models import Attachment, ContactEntry, FormDraft, Message, Ticket
from tickets.tests.factories import make_process, make_ticket
from tickets.workflow import side_tasks
from tickets.workflow.guards import ARGUMENTS, GUARDS, refusals
from tickets.workflow.perform import perform
from tickets.workflow.publishing import publish
from tickets.workflow.step import Step

from .factories import picture, signed_in, text_of
from .test_tickets import prepared, url

pytestmark = pytest.mark.django_db

PROCESS = """
format = 1
key = "guardado"
name = {{ es = "Guardado" }}
login = "guest"
department = "soporte-tecnico"
[answers]
solution_from = ["new"]
[closing]
checklist = [{{ key = "revisar", label = {{ es = "Revisar la respuesta" }} }}]
[[fields]]
key = "diagnostico"
label = {{ es = "Diagnóstico" }}
type = "long_text"
filled_by = "staff"
[[fields]]
key = "clase"
label = {{ es = "Clase" }}
type = "choice"
options = [{{ key = "a", label = {{ es = "A" }} }}, {{ key = "b", label = {{ es = "B" }} }}]
[[fields]]
key = "causa"
label = {{ es = "Causa de B" }}
help = {{ es = "Qué la provocó." }}
shown_when = {{ clase = "b" }}
[[stages]]
key = "entrada"
label = {{ es = "Entrada" }}
kind = "new"
[[stages]]
key = "salida"
label = {{ es = "Salida" }}
kind = "done"
[[actions]]
key = "terminar"
label = {{ es = "Terminar" }}
from = ["entrada"]
to = "salida"
by = [{by}]
guards = [{guard}, "checklist_complete"]
[[responses]]
key = "X1"
label = {{ es = "X1 · Saludo" }}
body = {{ es = "Hola, te atendemos." }}
"""


@pytest.fixture
def agent() -> User:
    return make_agent(name="Diego Salazar")


@pytest.fixture
def requester() -> User:
    return make_user(name="Mateo Ríos")


def guarded(*guards: str, by: str = "staff", **values) -> Ticket:
    """Return a ticket of a process whose action «terminar» has these guards, its checklist complete."""
    make_process()
    quoted = ", ".join(f'"{name}"' for name in guards)
    process = publish(PROCESS.format(by=f'"{by}"', guard=quoted)).process
    ticket = make_ticket(process, guest_email="ana@example.com", **values)
    ticket.checklist_entries.create(item="revisar", done_by=make_agent())
    return ticket


def names() -> list[str]:
    arguments = {"field": ":diagnostico", "contact": ":whatsapp", "response": ":X1"}
    return sorted(f"{name}{arguments.get(ARGUMENTS.get(name, ''), '')}" for name in GUARDS)


def refuse(ticket: Ticket, guard: str, agent: User) -> None:
    """Make `guard` refuse on the ticket."""
    if guard == "requester_active":
        ticket.requester = make_user(standing="inactive")
    if guard == "standing_checked":
        ticket.requester = make_user()
    if guard == "whatsapp_documented":
        ticket.channel = Channel.WHATSAPP
    if guard == "checklist_complete":
        ticket.checklist_entries.all().delete()
    if guard == "side_tasks_done":
        department = make_department("desarrollo")
        make_agent(department)
        side_tasks.ask(ticket, actor=agent, department=department, title="Revisar los registros")
        ticket.refresh_from_db()
    if guard == "checklist_by_another":
        ticket.assignee = agent
        ticket.checklist_entries.update(done_by=agent)
    ticket.save()


@pytest.mark.parametrize("guard", names())
def test_form_asks_for_what_a_guard_lacks_or_links_to_it(guard):
    ticket, supervisor = guarded(guard), make_supervisor()
    refuse(ticket, guard, supervisor)
    client, action = signed_in(supervisor), ticket.definition.action("terminar")
    with pytest.raises(GuardFailed) as refused:
        perform(ticket, "terminar", actor=supervisor)
    assert refused.value.guard == guard.partition(":")[0]

    page = text_of(client.get(url(ticket, "action", "terminar")))
    failures = list(refusals(Step(ticket, ticket.definition, action, supervisor, {}, ticket.created_at)))
    assert failures
    for failure in failures:
        assert str(failure) in page
        if failure.asks:
            for name in failure.asks:
                assert re.search(rf'<(input|select|textarea)[^>]* name="{name}"', page), name
        else:
            links = re.findall(r'<li[^>]*>\s*([^<]+?)\s*<a href="([^"]+)"', page)
            href = next(href for text, href in links if text == str(failure))
            target = client.get(href.replace("&amp;", "&"))
            assert target.status_code == 200
            fragment = href.partition("#")[2]
            assert not fragment or f'id="{fragment}"' in text_of(target)


def post(client: Client, ticket: Ticket, key: str, **answers):
    ticket.refresh_from_db()
    stamp = {"version": ticket.version, "key": str(uuid.uuid4())}
    return client.post(url(ticket, "action", key), {**stamp, **answers})


@pytest.mark.demand("S4.17")
def test_diagnosis_is_asked_for_where_it_is_required():
    """S0's main button refused with «Completa «Diagnóstico»», and no form had the field."""
    ticket, client = guarded("assigned", "field_filled:diagnostico"), signed_in(make_supervisor())
    page = text_of(client.get(url(ticket, "action", "terminar")))
    assert 'name="diagnostico"' in page
    assert 'name="assignee"' in page
    refused = post(client, ticket, "terminar", assignee="", diagnostico="El sensor no lee.")
    assert refused.status_code == 422
    assert "El sensor no lee.</textarea>" in text_of(refused)
    assert 'id="id_assignee_error"' in text_of(refused)
    agent = make_agent()
    assert (
        post(client, ticket, "terminar", assignee=agent.pk, diagnostico="El sensor no lee.").status_code
        == 302
    )
    ticket.refresh_from_db()
    assert (ticket.stage, ticket.assignee, ticket.fields["diagnostico"]) == (
        "salida",
        agent,
        "El sensor no lee.",
    )


def test_guard_asks_even_for_a_question_that_the_answers_hide():
    ticket, client = guarded("field_filled:causa", fields={"clase": "a"}), signed_in(make_supervisor())
    page = text_of(client.get(url(ticket, "action", "terminar")))
    assert 'name="causa"' in page
    assert "Qué la provocó." in page, "the field keeps its own help"
    assert post(client, ticket, "terminar", causa="").status_code == 422
    assert post(client, ticket, "terminar", causa="El cable").status_code == 302


def test_form_asks_for_nothing_that_is_there():
    ticket = guarded("assigned", "solution_written")
    Ticket.objects.filter(pk=ticket.pk).update(assignee=make_agent(), solution_done="Listo.")
    page = text_of(signed_in(make_supervisor()).get(url(ticket, "action", "terminar")))
    assert 'name="assignee"' not in page
    assert 'name="solution_done"' not in page
    assert "Antes de seguir" not in page


def test_requester_is_not_asked_for_what_the_team_fills_in(client: Client):
    ticket = guarded("field_filled:clase", by="requester")
    requester = make_user()
    Ticket.objects.filter(pk=ticket.pk).update(requester=requester)
    client.force_login(requester)
    page = text_of(client.get(reverse("portal:ticket", args=[ticket.folio])))
    assert "Terminar" in page
    assert 'name="terminar-clase"' not in page
    with pytest.raises(GuardFailed):
        perform(ticket, "terminar", actor=requester, data={"clase": "a"})


# --- The requester's standing ----------------------------------------------------------------------------


@pytest.mark.demand("S2.9", "S2.10")
def test_standing_is_asked_for_and_an_inactive_requester_refused_with_a_way(agent: User, requester: User):
    """Find out in the form that the requester is inactive: the page says how to answer them, and keeps the text."""
    ticket = prepared(make_ticket(requester=requester), agent)
    Ticket.objects.filter(pk=ticket.pk).update(standing_checked_at=None)
    client = signed_in(agent)
    page = text_of(client.get(url(ticket, "action", "pedir_aprobacion")))
    assert re.search(r'<select name="standing"[^>]*>\s*<option value="" selected>', page)
    assert "Verifica primero el estatus administrativo" in page
    refused = post(
        client, ticket, "pedir_aprobacion", standing="inactive", solution_done="Repusimos el acceso."
    )
    text = text_of(refused)
    assert refused.status_code == 422
    assert "El solicitante está inactivo" in text
    assert f'href="{url(ticket)}#sec-solicitante"' in text
    assert "Repusimos el acceso.</textarea>" in text
    ticket.refresh_from_db()
    assert (ticket.stage, ticket.standing_checked_at) == ("procesar", None)

    client.post(url(ticket, "standing"), {"standing": "inactive"})
    page = text_of(client.get(url(ticket, "action", "pedir_aprobacion")))
    assert f'href="{url(ticket, "action", "responder_inactivo")}"' in page


# --- Screenshots of WhatsApp (S2.14) ---------------------------------------------------------------------


@pytest.fixture
def by_whatsapp(agent: User, requester: User) -> Ticket:
    ticket = prepared(make_ticket(requester=requester), agent)
    ContactEntry.objects.create(
        ticket=ticket, kind="whatsapp", outcome="successful", url="https://wa.me/1", by=agent
    )
    ticket.refresh_from_db()
    return ticket


SOLVED = {"solution_done": "Repusimos el acceso."}


@pytest.mark.demand("S2.14")
def test_screenshots_are_attached_in_the_form_of_the_action(
    by_whatsapp: Ticket, agent: User, requester: User
):
    ticket, client = by_whatsapp, signed_in(agent)
    page = text_of(client.get(url(ticket, "action", "pedir_aprobacion")))
    assert 'type="file"' in page
    assert 'enctype="multipart/form-data"' in page
    assert "Adjunta las capturas de la conversación de WhatsApp" in page
    refused = post(client, ticket, "pedir_aprobacion", **SOLVED)
    assert refused.status_code == 422
    assert "Adjunta al menos una captura." in text_of(refused)
    assert (
        post(client, ticket, "pedir_aprobacion", screenshots=picture("chat.png"), **SOLVED).status_code == 302
    )
    ticket.refresh_from_db()
    assert ticket.stage == "aprobacion"
    [file] = Attachment.objects.filter(ticket=ticket)
    assert (file.name, file.message.kind, file.message.author) == ("chat.png", "note", agent)
    assert not policies.can_download(requester, file)
    assert "chat.png" in text_of(client.get(url(ticket)))


@pytest.mark.demand("S2.14")
def test_screenshots_uploaded_one_by_one_wait_for_the_form(by_whatsapp: Ticket, agent: User):
    ticket, client = by_whatsapp, signed_in(agent)
    row = client.post(url(ticket, "screenshots"), {"file": picture("uno.png")})
    assert row.status_code == 200
    client.post(url(ticket, "screenshots"), {"file": picture("dos.png")})
    page = text_of(client.get(url(ticket, "action", "pedir_aprobacion")))
    assert "uno.png" in page
    assert "dos.png" in page
    assert "uno.png" not in text_of(client.get(url(ticket))), "the composer has files of its own"
    first = Attachment.objects.get(name="uno.png")
    assert client.post(url(ticket, "screenshot_remove", first.uuid)).status_code == 204
    assert post(client, ticket, "pedir_aprobacion", **SOLVED).status_code == 302
    assert [file.name for file in Attachment.objects.filter(ticket=ticket)] == ["dos.png"]


@pytest.mark.demand("S2.14")
def test_only_own_pictures_count_as_screenshots(by_whatsapp: Ticket, agent: User):
    ticket, client = by_whatsapp, signed_in(agent)
    other = signed_in(make_supervisor())
    other.post(url(ticket, "screenshots"), {"file": picture("ajena.png")})
    assert post(client, ticket, "pedir_aprobacion", **SOLVED).status_code == 422
    text_file = SimpleUploadedFile("chat.txt", b"hola", "text/plain")
    refused = post(client, ticket, "pedir_aprobacion", screenshots=text_file, **SOLVED)
    assert refused.status_code == 422
    assert "chat.txt" in text_of(refused)
    stranger = signed_in(make_agent(make_department("legal")))
    assert stranger.post(url(ticket, "screenshots"), {"file": picture()}).status_code == 404
    assert not Attachment.objects.filter(ticket=ticket).exists()


def test_file_is_removed_without_losing_the_text(by_whatsapp: Ticket, agent: User):
    """Without a script, the button of a waiting file sends the form."""
    ticket, client = by_whatsapp, signed_in(agent)
    client.post(url(ticket, "screenshots"), {"file": picture("uno.png")})
    file = Attachment.objects.get(name="uno.png")
    response = client.post(
        url(ticket, "action", "pedir_aprobacion"), {"quitar": str(file.uuid), "solution_done": "A medias"}
    )
    assert response.status_code == 302
    assert not Attachment.objects.filter(pk=file.pk).exists()
    assert FormDraft.objects.get(user=agent, ticket=ticket).values["solution_done"] == ["A medias"]
    assert not Message.objects.filter(ticket=ticket, kind="solution").exists()
