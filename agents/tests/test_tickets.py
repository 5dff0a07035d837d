"""A ticket's page: what it shows and offers, how many queries it takes, and who may not see it."""

import re
from datetime import timedelta
from urllib.parse import quote

import pytest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape

from accounts.models import User
from accounts.tests.factories import make_agent, make_department, make_supervisor, make_user
from tickets.closing.contact_log import log_contact
from tickets.enums import ContactKind, ContactOutcome, DeliveryProblem, DeliveryState, StageKind
from tickets.lists import presence
from tickets.models import Delivery, Nonconformity, Presence, Survey, Ticket
from tickets.record import deliveries
from tickets.tests.factories import make_ticket
from tickets.workflow import conversation, properties
from tickets.workflow.perform import perform

from .factories import signed_in, snapshot, text_of

pytestmark = pytest.mark.django_db


def url(ticket: Ticket, name: str = "", *args: str) -> str:
    return reverse(f"agents:ticket_{name}" if name else "agents:ticket", args=[ticket.folio, *args])


def prepared(ticket: Ticket, assignee, **changes) -> Ticket:
    """Prepare the ticket as a supervisor, with `assignee`, and return it."""
    ticket.refresh_from_db()
    data = {
        "severity": "high",
        "department": ticket.department,
        "difficulty": 3,
        "assignee": assignee,
        "due_at": timezone.now() + timedelta(days=2),
        "standing": "active",
    }
    perform(ticket, "preparar", actor=make_supervisor(name="Carolina Núñez"), data=data | changes)
    ticket.refresh_from_db()
    return ticket


@pytest.fixture
def agent():
    return make_agent(name="Diego Salazar")


@pytest.fixture
def ticket(agent):
    customer = make_user(name="Mateo Ríos", phone="+58 212 771 9011", external_account="mrios-77")
    return prepared(make_ticket(requester=customer, title="Cobro duplicado"), agent)


@pytest.mark.demand("S1.14")
def test_page_shows_everything_about_the_ticket(ticket, agent):
    conversation.add_internal_note(ticket, actor=make_agent(name="Tomás Herrera"), body="Referencia 8841-22")
    conversation.send_follow_up(ticket, actor=agent, body="Ya lo estamos revisando")
    conversation.reply(ticket, actor=ticket.requester, body="Dice «pendiente»")
    log_contact(
        ticket, actor=agent, kind=ContactKind.CALL, outcome=ContactOutcome.FAILED, note="buzón de voz"
    )
    Nonconformity.objects.create(ticket=ticket, responsible=agent, reason="No quedó resuelto")
    page = text_of(signed_in(agent).get(url(ticket)))
    for part in (
        "Cobro duplicado",
        "Me sale «Error 500» al entrar.",
        "Procesar ticket",
        "Mateo Ríos",
        "+58 212 771 9011",
        "mrios-77",
        "Referencia 8841-22",
        "Nota interna",
        "Ya lo estamos revisando",
        "Dice «pendiente»",
        "3 de 5",
        "Llamada · fallida · buzón de voz",
        "No quedó resuelto",
        "<b>Carolina Núñez</b>: Preparar",
        "responsable <b>Diego Salazar</b>",
    ):
        assert part in page, part


def test_closed_ticket_shows_its_rating(ticket, agent):
    Survey.objects.create(ticket=ticket, score=4, comment="Amables")
    Ticket.objects.filter(pk=ticket.pk).update(stage="cerrado", stage_kind=StageKind.DONE)
    page = text_of(signed_in(agent).get(url(ticket)))
    assert "4 de 5" in page
    assert "Amables" in page


def test_conversation_is_ordered_by_time(ticket, agent):
    conversation.send_follow_up(ticket, actor=agent, body="Primero")
    properties.change_properties(ticket, actor=agent, difficulty=5)
    conversation.add_internal_note(ticket, actor=agent, body="Segundo")
    page = text_of(signed_in(agent).get(url(ticket)))
    places = [page.index(part) for part in (": Preparar", "Primero", "dificultad <b>5</b>", "Segundo")]
    assert places == sorted(places)


@pytest.mark.parametrize("count", [1, 50])
def test_page_query_count_is_bounded(ticket, agent, count, django_assert_max_num_queries):
    people = [make_agent(name=f"Colega {number}") for number in range(3)]
    for number in range(count):
        conversation.add_internal_note(ticket, actor=people[number % 3], body=f"Nota {number}")
        properties.assign(ticket, actor=people[0], assignee=people[number % 3])
    properties.assign(ticket, actor=agent, assignee=agent)
    client = signed_in(agent)
    client.get(url(ticket))
    with django_assert_max_num_queries(20):
        page = client.get(url(ticket))
    assert len(re.findall(r'data-kind="note"', page.content.decode())) == count


def test_long_conversation_shows_only_newest_messages(ticket, agent, monkeypatch):
    monkeypatch.setattr("agents.pages.timeline.RECENT", 3)
    for number in range(5):
        conversation.add_internal_note(ticket, actor=agent, body=f"Nota número {number}.")
    client = signed_in(agent)
    page = text_of(client.get(url(ticket)))
    assert "Nota número 1." not in page
    assert "Nota número 4." in page
    assert "Ver la conversación desde el principio" in page
    assert "Nota número 1." in text_of(client.get(f"{url(ticket)}?completa"))


@pytest.mark.demand("S2.9", "S2.10")
def test_inactive_requester_is_shown_above_the_composer(ticket, agent):
    ticket.requester.standing = "inactive"
    ticket.requester.standing_since = timezone.localdate() - timedelta(days=19)
    ticket.requester.save()
    page = text_of(signed_in(agent).get(url(ticket)))
    assert "Estatus inactivo desde el" in page
    assert page.index("Estatus inactivo desde el") < page.index('id="composer"')
    way = url(ticket, "action", "responder_inactivo")
    assert page.index(way) < page.index('id="composer"')
    # It is the main action, because any other would be refused.
    assert f'class="btn btn-primary btn-sm" href="{way}"' in page


@pytest.mark.demand("S2.9")
def test_standing_can_be_checked_on_the_page(ticket, agent):
    Ticket.objects.filter(pk=ticket.pk).update(standing_checked_at=None)
    client = signed_in(agent)
    assert "Verifica su estatus antes de responder" in text_of(client.get(url(ticket)))
    response = client.post(url(ticket, "standing"), {"standing": "inactive"}, follow=True)
    assert "Estatus verificado: Inactivo." in text_of(response)
    ticket.refresh_from_db()
    assert ticket.standing_checked_at is not None
    ticket.requester.refresh_from_db()
    assert ticket.requester.standing == "inactive"


def test_guest_ticket_links_to_the_account_page(agent):
    ticket = make_ticket()
    Ticket.objects.filter(pk=ticket.pk).update(requester=None, requester_email="ines@example.com")
    page = text_of(signed_in(agent).get(url(ticket)))
    assert f'href="{url(ticket, "account")}"' in page


def test_page_counts_only_visible_other_tickets(ticket, agent):
    make_ticket(requester=ticket.requester)
    hidden = make_ticket(requester=ticket.requester)
    Ticket.objects.filter(pk=hidden.pk).update(department=make_department("cca"))
    assert "1 ticket más" in text_of(signed_in(agent).get(url(ticket)))
    assert "2 tickets más" in text_of(signed_in(make_supervisor()).get(url(ticket)))


# --- What is offered ------------------------------------------------------------------------------------


def test_page_offers_only_available_actions(ticket, agent):
    page = text_of(signed_in(agent).get(url(ticket)))
    assert url(ticket, "action", "pedir_aprobacion") in page
    assert url(ticket, "action", "aprobar") not in page
    colleague = make_agent()
    assert url(ticket, "action", "pedir_aprobacion") not in text_of(signed_in(colleague).get(url(ticket)))


def test_preparing_links_to_its_own_page():
    ticket = make_ticket()
    page = text_of(signed_in(make_supervisor()).get(url(ticket)))
    assert f'href="{reverse("agents:prepare_ticket", args=[ticket.folio])}"' in page


def test_closed_ticket_can_only_be_read(ticket, agent):
    Ticket.objects.filter(pk=ticket.pk).update(stage="cerrado", stage_kind=StageKind.DONE)
    page = text_of(signed_in(agent).get(url(ticket)))
    assert "Cobro duplicado" in page
    assert url(ticket, "property", "severity") not in page


# --- Mails ----------------------------------------------------------------------------------------------


def failed_mail(ticket):
    event = ticket.events.filter(message__isnull=False).last()
    return Delivery.objects.create(
        event=event,
        template="reply",
        to_requester=True,
        email="mateo@example.com",
        state=DeliveryState.FAILED,
        problem=DeliveryProblem.REFUSED,
    )


def test_message_shows_the_state_of_its_mail(ticket, agent):
    conversation.send_follow_up(ticket, actor=agent, body="Hola")
    Delivery.objects.all().delete()
    mail = failed_mail(ticket)
    page = text_of(signed_in(agent).get(url(ticket)))
    assert "Falló: el servidor del destinatario lo rechazó" in page
    assert url(ticket, "retry", str(mail.pk)) not in page
    deliveries.report(mail.pk, DeliveryState.SENT)
    assert "Enviado por correo" in text_of(signed_in(agent).get(url(ticket)))


def test_supervisor_resends_a_failed_mail(ticket, agent):
    conversation.send_follow_up(ticket, actor=agent, body="Hola")
    Delivery.objects.all().delete()
    mail = failed_mail(ticket)
    client = signed_in(make_supervisor())
    assert "Reenviar a mateo@example.com" in text_of(client.get(url(ticket)))
    answer = text_of(client.post(url(ticket, "retry", str(mail.pk)), headers={"HX-Request": "true"}))
    mail.refresh_from_db()
    assert mail.state == DeliveryState.WAITING
    assert "Correo en cola" in answer
    assert "Reenviar a" not in answer
    other = make_ticket()
    assert client.post(url(other, "retry", str(mail.pk))).status_code == 404


# --- Who else is here, and what is new ------------------------------------------------------------------


def pulse(client, ticket, v, **data):
    return client.post(url(ticket, "pulse"), {"v": v, **data}, headers={"HX-Request": "true"})


def seen_in(response) -> str:
    return re.search(r'id="pulse-v" value="([^"]+)"', response.content.decode())[1]


def test_two_people_on_one_ticket_see_each_other(ticket, agent):
    ana = make_agent(name="Ana Beltrán")
    diego = signed_in(agent)
    seen = seen_in(pulse(diego, ticket, f"{ticket.version}-"))
    assert pulse(diego, ticket, seen).status_code == 204
    pulse(signed_in(ana), ticket, "", writing="1")
    answer = pulse(diego, ticket, seen)
    assert "Ana Beltrán está viendo este ticket" in text_of(answer)
    assert "y escribe…" in text_of(answer)
    assert answer["HX-Reswap"] == "none"
    Presence.objects.filter(user=ana).update(
        seen_at=timezone.now() - timedelta(seconds=presence.PRESENCE_SECONDS + 1)
    )
    assert "Ana Beltrán" not in text_of(pulse(diego, ticket, seen_in(answer)))


def test_open_page_says_once_that_its_ticket_is_out_of_sight(ticket, agent):
    """The same for a ticket that does not exist; a page of its own never begins so."""
    diego = signed_in(agent)
    seen = seen_in(pulse(diego, ticket, f"{ticket.version}-"))
    Ticket.objects.filter(pk=ticket.pk).update(department=make_department("juridica"), assignee=None)

    answer = pulse(diego, ticket, seen)
    assert "Ya no puedes ver este ticket." in text_of(answer)
    assert answer["HX-Reswap"] == "none", "what was typed stays on the page"
    assert ticket.title not in text_of(answer)
    assert pulse(diego, ticket, seen_in(answer)).status_code == 204
    assert pulse(diego, ticket, "").status_code == 404
    never = diego.post("/agentes/tickets/MA-99999/pulso/", {"v": seen}, headers={"HX-Request": "true"})
    assert text_of(never) == text_of(answer)

    Ticket.objects.filter(pk=ticket.pk).update(assignee=agent)
    assert ticket.title in text_of(diego.get(url(ticket)))
    assert "Ya no puedes ver este ticket." not in text_of(pulse(diego, ticket, seen_in(answer)))


def test_text_sent_to_a_ticket_out_of_sight_is_shown_to_its_writer(ticket, agent):
    diego, typed = signed_in(agent), "Revisé el lector <b>dos</b> veces."
    Ticket.objects.filter(pk=ticket.pk).update(department=make_department("juridica"), assignee=None)
    before = snapshot(ticket)
    action = reverse("agents:ticket_action", args=[ticket.folio, "descartar"])
    for address in (url(ticket, "send"), action, "/agentes/tickets/MA-99999/mensajes/"):
        answer = diego.post(address, {"body": typed, "version": "1"}, headers={"Origin": "http://testserver"})
        assert answer.status_code == 404
        assert escape(typed) in answer.content.decode()
        assert "haya pasado a otras manos" in text_of(answer)
        assert ticket.title not in text_of(answer)
        foreign = diego.post(address, {"body": typed}, headers={"Origin": "https://malo.example"})
        assert escape(typed) not in foreign.content.decode()
    assert snapshot(ticket) == before


def test_pulse_without_news_takes_few_queries(ticket, agent, django_assert_max_num_queries):
    diego = signed_in(agent)
    deliver_all(ticket)
    seen = seen_in(pulse(diego, ticket, ""))
    with django_assert_max_num_queries(6):
        assert pulse(diego, ticket, seen).status_code == 204


def deliver_all(ticket):
    Delivery.objects.filter(event__ticket=ticket).update(state=DeliveryState.SENT)


def test_pulse_tells_when_mails_are_sent(ticket, agent):
    diego = signed_in(agent)
    conversation.send_follow_up(ticket, actor=agent, body="Ya lo revisamos")
    page = text_of(diego.get(url(ticket)))
    assert "Correo en cola" in page
    seen = seen_in(pulse(diego, ticket, re.search(r'id="pulse-v" value="([^"]*)"', page)[1]))
    assert pulse(diego, ticket, seen).status_code == 204
    deliver_all(ticket)
    answer = pulse(diego, ticket, seen)
    assert "Enviado por correo" in text_of(answer)
    assert "Correo en cola" not in text_of(answer)
    assert pulse(diego, ticket, seen_in(answer)).status_code == 204


def test_pulse_returns_new_messages_and_version(ticket, agent):
    diego = signed_in(agent)
    seen = seen_in(pulse(diego, ticket, ""))
    conversation.reply(ticket, actor=ticket.requester, body="¿Hay novedades?")
    answer = pulse(diego, ticket, seen)
    ticket.refresh_from_db()
    assert "¿Hay novedades?" in text_of(answer)
    assert f'id="composer-version" value="{ticket.version}"' in text_of(answer)
    assert answer["HX-Trigger-After-Settle"] == "desk:changed"
    assert pulse(diego, ticket, seen_in(answer)).status_code == 204


@pytest.mark.parametrize(
    ("target", "part"), [("propiedades", "Clasificación"), ("ticket-head", "Cobro duplicado")]
)
def test_parts_of_the_page_load_alone(ticket, agent, target, part):
    answer = signed_in(agent).get(url(ticket), headers={"HX-Request": "true", "HX-Target": target})
    assert part in text_of(answer)
    assert "<html" not in text_of(answer)


def test_get_changes_nothing_not_even_presence(ticket, agent):
    client, before = signed_in(agent), snapshot(ticket)
    pages = ["", "due", "contact"]
    for name in pages:
        assert client.get(url(ticket, name)).status_code == 200
    for name in ("severity", "due_at", "assignee"):
        assert client.get(url(ticket, "property", name)).status_code == 200
    client.get(url(ticket, "mentions"), {"q": "a"})
    client.get(url(ticket, "action", "pedir_aprobacion"))
    assert snapshot(ticket) == before
    assert not Presence.objects.exists()
    for name in ("pulse", "draft", "files", "contribution", "standing"):
        assert client.get(url(ticket, name)).status_code == 405


# --- Access ---------------------------------------------------------------------------------------------

READ = [("", []), ("due", []), ("contact", []), ("mentions", []), ("account", []), ("property", ["severity"])]
WRITE = [
    ("pulse", []),
    ("send", []),
    ("draft", []),
    ("files", []),
    ("contribution", []),
    ("standing", []),
    ("contact", []),
    ("account", []),
    ("property", ["severity"]),
    ("action", ["pedir_aprobacion"]),
    ("checklist", ["llamada"]),
    ("retry", ["1"]),
    ("file_remove", ["00000000-0000-0000-0000-000000000000"]),
]
EVERYTHING = {
    "body": "Hola",
    "mode": "note",
    "value": "critical",
    "standing": "inactive",
    "is_open": "1",
    "done": "1",
    "kind": "call",
    "outcome": "failed",
    "solution_done": "x",
    "create": "",
    "email": "x@example.com",
    "name": "X",
}


@pytest.fixture
def secret(ticket):
    conversation.add_internal_note(ticket, actor=ticket.assignee, body="El cliente miente sobre el reembolso")
    return ticket


@pytest.mark.parametrize("who", ["customer", "requester", "other department"])
def test_strangers_get_404_at_every_address(secret, who):
    user = {
        "customer": make_user,
        "requester": lambda: secret.requester,
        "other department": lambda: make_agent(make_department("cca")),
    }[who]()
    client, before = signed_in(user), snapshot(secret)
    answers = [client.get(url(secret, name, *args)) for name, args in READ]
    answers += [client.post(url(secret, name, *args), EVERYTHING) for name, args in WRITE]
    answers.append(client.get(reverse("agents:prepare_ticket", args=[secret.folio])))
    assert {answer.status_code for answer in answers} == {404}
    assert not any("reembolso" in text_of(answer) or secret.title in text_of(answer) for answer in answers)
    assert snapshot(secret) == before
    assert not Presence.objects.exists()
    assert not secret.drafts.exists()


@pytest.mark.parametrize(
    "name", ["queue", "prepare", "palette", "new_ticket", "nonconformities", "queue_of", "customer"]
)
def test_customers_get_404_in_the_back_office(name):
    customer = make_user()
    args = {"queue_of": ["todos"], "customer": [customer.pk]}.get(name, [])
    assert signed_in(customer).get(reverse(f"agents:{name}", args=args)).status_code == 404


def test_no_session_redirects_people_and_refuses_scripts(client, ticket):
    response = client.get(url(ticket))
    assert response.status_code == 302
    assert response["Location"].startswith("/cuenta/entrar/?next=/agentes/tickets/")
    for headers in ({"HX-Request": "true"}, {"X-Requested-With": "XMLHttpRequest"}):
        assert (
            client.post(url(ticket, "draft"), {"mode": "note", "body": "x"}, headers=headers).status_code
            == 401
        )


def test_unknown_folio_is_not_found(agent):
    assert signed_in(agent).get("/agentes/tickets/MA-99999999/").status_code == 404


def test_back_link_keeps_only_queue_and_filters(ticket, agent):
    client = signed_in(agent)
    page = text_of(client.get(f"{url(ticket)}?cola=mios&severidad=high"))
    assert 'href="/agentes/colas/mios/?severidad=high"' in page
    evil = text_of(client.get(f"{url(ticket)}?cola=//evil.example"))
    assert not re.search(r'(href|action|hx-get|hx-post)="[^"]*evil', evil)


def test_default_queue_holds_the_ticket(ticket, agent):
    def beside(user) -> str:
        page = text_of(signed_in(user).get(url(ticket)))
        key = re.search(r'hx-get="/agentes/colas/([a-z-]+)/lista/\?actual=MA-[0-9]+"', page)[1]
        assert f'href="/agentes/colas/{key}/"' in page  # the way back leads to the same queue
        items = signed_in(user).get(reverse("agents:queue_items", args=[key]), {"actual": ticket.folio})
        assert 'aria-current="true"' in text_of(items)
        return key

    supervisor = make_supervisor()
    assert beside(agent) == "mios"
    assert beside(supervisor) == f"departamento-{ticket.department.key}"
    ticket.department.is_active = False
    ticket.department.save()
    assert beside(supervisor) == "todos"
    Ticket.objects.filter(pk=ticket.pk).update(stage="recibido", stage_kind=StageKind.NEW)
    assert beside(supervisor) == "por-preparar"
    Ticket.objects.filter(pk=ticket.pk).update(stage="cerrado", stage_kind=StageKind.DONE)
    assert beside(supervisor) == "cerrados"


def test_signing_in_returns_to_the_forms_page(client, ticket):
    page = f"{url(ticket)}?cola=mios"

    def asked(**headers) -> str:
        return client.post(url(ticket, "send"), {"body": ""}, headers=headers)["Location"]

    assert asked(referer=f"http://testserver{page}").endswith(f"?next={quote(page)}")
    assert asked(referer="https://evil.example/x").endswith("?next=/agentes/")
    assert asked(referer="http://[").endswith("?next=/agentes/")
    assert asked().endswith("?next=/agentes/")


def test_opening_the_send_address_redirects_to_ticket(ticket, agent):
    response = signed_in(agent).get(f"{url(ticket, 'send')}?cola=mios")
    assert response["Location"] == f"{url(ticket)}?cola=mios"


def test_back_link_drops_parameters_of_other_pages(ticket, agent):
    page = text_of(signed_in(agent).get(f"{url(ticket)}?cola=mios&medio=call&punto=llamada&volver=preparar"))
    assert 'href="/agentes/colas/mios/"' in page
    assert "cola=mios&amp;punto" not in page, "a later contact would tick that item"


def test_report_shows_that_its_acknowledgement_was_sent(ticket, agent):
    deliver_all(ticket)
    page = text_of(signed_in(agent).get(url(ticket)))
    assert "Acuse de recibo: enviado por correo" in page


# --- What refreshes around the composer -------------------------------------------------------------------


def part(html: str, name: str) -> str:
    """Return the part of the answer that replaces the content of the element `name`."""
    found = re.search(rf'<(\w+) id="{name}" hx-swap-oob="innerHTML">(.*?)</\1>', html, re.DOTALL)
    assert found, name
    return found[2]


def ask_for_data(ticket: Ticket, agent: User) -> None:
    """Move the ticket to a stage that waits for the requester, where no solution can be sent."""
    properties.set_contribution(ticket, actor=agent, is_open=True)
    conversation.send_follow_up(ticket, actor=agent, body="¿Qué cámara es?")


def test_pulse_refreshes_kinds_of_message_and_standard_answers(ticket, agent):
    diego = signed_in(agent)
    seen = seen_in(pulse(diego, ticket, ""))
    assert 'value="solution"' in text_of(diego.get(url(ticket)))
    ask_for_data(ticket, agent)

    answer = pulse(diego, ticket, seen).content.decode()

    assert 'value="solution"' not in part(answer, "composer-modes")
    assert 'value="follow_up"' in part(answer, "composer-modes")
    ticket.refresh_from_db()
    page = diego.get(url(ticket)).content.decode()
    answers = set(re.findall(r'data-insert="([^"]*)"', page))
    assert set(re.findall(r'data-insert="([^"]*)"', part(answer, "composer-answers"))) == answers
    assert "<textarea" not in answer.replace("</textarea>", "")


def test_written_solution_stays_and_says_that_it_cannot_be_sent(ticket, agent):
    diego = signed_in(agent)
    conversation.save_draft(ticket, actor=agent, mode="solution", body="Cambiamos el lector", steps="")
    seen = seen_in(pulse(diego, ticket, ""))
    ask_for_data(ticket, agent)

    answer = pulse(diego, ticket, seen).content.decode()
    page = text_of(diego.get(url(ticket)))

    assert "data-blocked=" in part(answer, "composer-modes")
    assert "Cambiamos el lector" in page
    assert "El ticket ya no está en una etapa que admita una solución." in page
    refused = diego.post(url(ticket, "send"), {"mode": "solution", "body": "Cambiamos el lector"})
    assert refused.status_code == 422
    assert "Cambiamos el lector" in text_of(refused)


def test_own_change_refreshes_the_notice_above_the_composer(agent):
    ticket = make_ticket(requester=make_user(name="Mateo Ríos"))
    client = signed_in(make_supervisor(name="Ana Beltrán"))
    assert "Verifica su estatus antes de responder" in text_of(client.get(url(ticket)))

    answer = client.post(url(ticket, "standing"), {"standing": "active"}, headers={"HX-Request": "true"})

    assert "Verifica su estatus antes de responder" not in answer.content.decode().split("answer-notes")[1]
    assert answer["HX-Trigger-After-Settle"] == "desk:listed"


def test_late_draft_of_a_sent_message_is_not_saved(ticket, agent):
    diego = signed_in(agent)
    message = {"mode": "note", "body": "Ojo con esto", "key": "b7c2f3de-2f0f-4a51-9a0c-54d35b6a1b11"}
    assert diego.post(url(ticket, "send"), message).status_code == 302

    assert diego.post(url(ticket, "draft"), message).status_code == 204

    assert not agent.drafts.exists()
