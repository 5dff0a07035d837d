"""The quarantine of received mails: who sees it, what is decided there, originals and headers (S0.7)."""

import pytest
from django.urls import reverse

from accounts.tests.factories import make_agent, make_department, make_supervisor, make_user
from tickets import reply_address
from tickets.enums import MailDecision, MailReason, MailVerdict
from tickets.models import BlockedSender, DeskAddress, IncomingEmail, MailOriginal, Ticket
from tickets.tests.factories import make_process, make_ticket
from tickets.tests.test_mails import make_mail
from tickets.workflow import mails

from ..pages.mails import checks_of
from .factories import signed_in, text_of

pytestmark = pytest.mark.django_db
LIST = "/agentes/correo/"
LINK = "Paga en https://malo.example/pago?x=1 o en [tu banco](http://otro.example/a) ya."


def url(name: str, mail: IncomingEmail) -> str:
    return reverse(f"agents:{name}", args=[mail.pk])


@pytest.fixture
def own():
    return make_department("soporte-tecnico")


@pytest.fixture
def foreign_mail():
    """A mail on a ticket of another department."""
    ticket = make_ticket(make_process("incidencia-tecnica"))
    Ticket.objects.filter(pk=ticket.pk).update(department=make_department("academico"), assignee=None)
    return make_mail(ticket, subject="Ajeno y secreto")


def test_agents_see_the_held_mails_of_their_tickets_only(own, foreign_mail):
    make_mail(subject="Sin ticket")
    make_mail(subject="Ya decidido", decision=MailDecision.DISCARDED)

    page = text_of(signed_in(make_agent(own)).get(LIST))

    assert "Sin ticket" in page
    assert "Ajeno y secreto" not in page
    assert "Ya decidido" not in page
    assert "Ajeno y secreto" in text_of(signed_in(make_supervisor()).get(LIST))


def test_queues_lead_to_the_held_mails_and_count_them(own, foreign_mail):
    queue = "/agentes/colas/todos/"
    link = f'<a class="side__link" href="{LIST}">'
    agent, supervisor = signed_in(make_agent(own)), signed_in(make_supervisor())
    assert link not in agent.get(queue).text
    make_mail(subject="Sin ticket")

    for person, count in ((agent, 1), (supervisor, 2)):
        row = person.get(queue).text.partition(link)[2].partition("</a>")[0]
        assert f'<span class="n">{count}</span>' in row


@pytest.mark.parametrize("name", ["mail", "mail_original", "mail_headers"])
def test_strangers_find_nothing(own, foreign_mail, name):
    for person in (make_agent(own), make_user(), foreign_mail.ticket.requester):
        assert signed_in(person).get(url(name, foreign_mail)).status_code == 404
    for action in ("mail_decide", "mail_take_back"):
        answer = signed_in(make_agent(own)).post(url(action, foreign_mail), {"decision": "descartar"})
        assert answer.status_code == 404
    foreign_mail.refresh_from_db()
    assert foreign_mail.is_held


def test_text_is_shown_without_links_and_markup(own):
    mail = make_mail(
        text=LINK + " <b>hola</b>", reason=MailReason.FORGED, details={"checks": {"spf": "fail"}}
    )

    page = text_of(signed_in(make_agent(own)).get(url("mail", mail)))

    assert "enlace oculto: malo.example" in page
    assert "enlace oculto: otro.example" in page
    assert "https://malo.example" not in page
    assert 'href="http://otro.example' not in page
    assert "&lt;b&gt;hola" in page
    assert "El servidor que lo envió no es el de esa dirección" in page
    assert "SPF" in page


def test_original_is_a_download_and_headers_are_escaped(own):
    mail = make_mail()
    mail.originals.all().delete()
    mail = IncomingEmail.objects.get(pk=mail.pk)
    raw = b"Subject: <script>alert(1)</script>\r\nX-Otra: si\r\n\r\nCuerpo secreto\r\n"
    MailOriginal.keep(mail, raw)
    client = signed_in(make_agent(own))

    answer = client.get(url("mail_original", mail))
    page = text_of(client.get(url("mail_headers", mail)))

    assert answer.content == raw
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "&lt;script&gt;alert(1)" in page
    assert "Cuerpo secreto" not in page


def test_discarding_shows_the_next_one_and_can_be_undone(own):
    below, mail = make_mail(subject="Más viejo"), make_mail()
    agent = make_agent(own)
    client = signed_in(agent)

    answer = client.post(url("mail_decide", mail), {"decision": "descartar"})

    assert answer.url == f"{url('mail', below)}?descartado={mail.pk}"
    assert "Deshacer" in text_of(client.get(answer.url))
    other = signed_in(make_agent(own)).get(answer.url)
    assert "Descartaste" not in text_of(other)
    mail.refresh_from_db()
    assert (mail.decision, mail.decided_by) == (MailDecision.DISCARDED, agent)
    client.post(url("mail_take_back", mail))
    mail.refresh_from_db()
    assert mail.is_held


def test_deciding_the_oldest_shows_the_one_above(own):
    oldest, above = make_mail(), make_mail()

    answer = signed_in(make_agent(own)).post(url("mail_decide", oldest), {"decision": "descartar"})

    assert answer.url == f"{url('mail', above)}?descartado={oldest.pk}"


def test_nothing_is_decided_by_reading(own):
    mail = make_mail()
    client = signed_in(make_agent(own))

    assert client.get(url("mail_decide", mail), {"decision": "descartar"}).status_code == 405
    assert client.post(url("mail_decide", mail), {}).status_code == 422
    assert client.post(url("mail_decide", mail), {"decision": "quemar"}).status_code == 422
    mail.refresh_from_db()
    assert mail.is_held


def test_second_decision_says_who_was_first(own):
    mail = make_mail()
    mails.discard(mail, actor=make_agent(own, name="Carla Ruiz"))

    answer = signed_in(make_agent(own)).post(url("mail_decide", mail), {"decision": "bloquear"})

    assert answer.status_code == 422
    assert "Descartado, por Carla Ruiz" in text_of(answer)
    assert not BlockedSender.objects.exists()


def test_agents_block_an_address_and_supervisors_a_domain(own):
    first, second = make_mail(), make_mail()
    agent, supervisor = signed_in(make_agent(own)), signed_in(make_supervisor())

    assert agent.post(url("mail_decide", first), {"decision": "bloquear-dominio"}).status_code == 422
    agent.post(url("mail_decide", first), {"decision": "bloquear"})
    supervisor.post(url("mail_decide", second), {"decision": "bloquear-dominio"})

    assert set(BlockedSender.objects.values_list("sender", flat=True)) == {"otra@casa.test", "@casa.test"}
    blocked = BlockedSender.objects.first()
    unblock = reverse("agents:blocked_sender_remove", args=[blocked.pk])
    assert "Desbloquear" not in text_of(agent.get(reverse("agents:blocked_senders")))
    assert agent.post(unblock).status_code == 404
    assert supervisor.post(unblock).status_code == 302
    assert supervisor.post(unblock).status_code == 302
    assert BlockedSender.objects.count() == 1


def test_separate_ticket_needs_an_address(own):
    mail = make_mail()

    answer = signed_in(make_agent(own)).post(url("mail_decide", mail), {"decision": "aparte"})

    assert answer.status_code == 422
    assert "Elige con qué dirección" in text_of(answer)


def test_supervisors_map_addresses(own):
    process, other = make_process("incidencia-tecnica"), make_process("soporte-con-aprobacion")
    client, new = signed_in(make_supervisor()), reverse("agents:new_address")
    given = {"email": "Ayuda@Mesadeayuda.test", "process": process.pk, "is_active": "on"}

    foreign = other.categories.first() or process.categories.first()
    wrong = client.post(new, {**given, "process": other.pk, "category": process.categories.first().pk})
    assert (wrong.status_code, foreign is not None) == (422, True)
    assert "Esa categoría no es de ese proceso" in text_of(wrong)
    assert client.post(new, given).status_code == 302
    assert DeskAddress.objects.get().email == "ayuda@mesadeayuda.test"
    assert "ayuda@mesadeayuda.test" in text_of(client.get(reverse("agents:addresses")))
    assert signed_in(make_agent(own)).get(reverse("agents:addresses")).status_code == 404


@pytest.mark.parametrize("count", [1, 6])
def test_page_costs_the_same_however_many_wait(own, count, django_assert_max_num_queries):
    for _number in range(count):
        mail = make_mail(make_ticket(make_process("incidencia-tecnica")))
    client = signed_in(make_supervisor())
    client.get(url("mail", mail))

    with django_assert_max_num_queries(11):
        client.get(url("mail", mail))
    with django_assert_max_num_queries(8):
        client.get(LIST)


def test_agents_see_their_own_forwarding_address(own, settings):
    agent = make_agent(own)
    assert "Reenvía su correo" not in text_of(signed_in(agent).get(LIST))  # mail does not come in here

    settings.DESK_REPLY_DOMAIN = "responder.example.test"
    page = signed_in(agent).get(LIST).text

    assert reply_address.make_forwarding(agent) in page
    assert reply_address.make_forwarding(make_supervisor()) not in page


def test_addresses_say_where_guests_have_to_wait():
    DeskAddress.objects.create(email="estudios@example.test", process=make_process("reporte-de-incidentes"))
    DeskAddress.objects.create(email="soporte@example.test", process=make_process("incidencia-tecnica"))

    page = signed_in(make_supervisor()).get(reverse("agents:addresses")).text
    for_studies, _for_faults, rest = page.partition("soporte@example.test")

    assert "Pide una cuenta" in for_studies
    assert "Pide una cuenta" not in rest


def test_refused_mails_are_no_part_of_the_quarantine(own):
    refused = make_mail(verdict=MailVerdict.REFUSED, reason=MailReason.BLOCKED)

    assert signed_in(make_agent(own)).get(url("mail_original", refused)).status_code == 404


def test_reply_address_of_somebody_else_proves_nothing():
    mail = make_mail(reason=MailReason.STAFF_UNPROVEN, details={"token": True})

    assert [check.look for check in checks_of(mail)] == ["bad"]


def test_mail_for_a_new_ticket_needs_no_reply_address():
    assert checks_of(make_mail(reason=MailReason.BULK)) == []


def test_undo_names_the_domain_that_was_blocked(own):
    client = signed_in(make_supervisor())

    answer = client.post(url("mail_decide", make_mail()), {"decision": "bloquear-dominio"})

    assert "bloqueaste @casa.test" in text_of(client.get(answer.url))


def test_forged_mail_offers_no_blocking(own):
    client, mail = signed_in(make_supervisor()), make_mail(reason=MailReason.FORGED)

    assert "Descartar y bloquear" not in text_of(client.get(url("mail", mail)))
    answer = client.post(url("mail_decide", mail), {"decision": "bloquear-dominio"})
    assert answer.status_code == 422
    assert "la dirección de otra persona" in text_of(answer)


def test_headers_lead_back_to_their_message(own):
    ticket = make_ticket(make_process("incidencia-tecnica"))
    message = ticket.messages.get()
    mail = make_mail(ticket, verdict=MailVerdict.MESSAGE, reason="", message=message)
    client = signed_in(make_supervisor())

    assert (
        f"/agentes/tickets/{ticket.folio}/#mensaje-{message.pk}" in client.get(url("mail_headers", mail)).text
    )
    held = make_mail(ticket)
    assert f'href="{url("mail", held)}"' in client.get(url("mail_headers", held)).text
