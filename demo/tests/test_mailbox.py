"""The demo's mailbox shows every mail to everybody, and does not exist outside the demo."""

import re

import pytest
from django.core.mail import EmailMultiAlternatives
from django.urls import get_resolver

from accounts.tests.factories import make_supervisor
from demo.mailbox.backend import DemoMailbox
from demo.models import DemoMail
from notifications.models import OutgoingEmail
from notifications.outgoing import delivery
from notifications.tests.factories import make_event
from tickets.enums import Template
from tickets.models import Ticket
from tickets.requesters import guests
from tickets.tests.factories import make_process, make_ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def demo(settings):
    settings.DESK_DEMO = True
    settings.ROOT_URLCONF = "demo.tests.urls_demo"
    settings.EMAIL_BACKEND = "demo.mailbox.backend.DemoMailbox"


def make_mail(**fields) -> DemoMail:
    defaults = {
        "sender": "Mesa <a@b.test>",
        "recipient": "cliente@demo.test",
        "subject": "Hola",
        "text": "Mira http://127.0.0.1/enlace/abc/",
        "html": "<!doctype html><html><head></head><body><a href='http://127.0.0.1/enlace/abc/'>Ver</a></body></html>",
        "headers": {"Message-ID": "<1@x>", "Auto-Submitted": "auto-generated"},
    }
    return DemoMail.objects.create(**{**defaults, **fields})


def test_mailbox_does_not_exist_outside_the_demo(client):
    mail = make_mail()

    for path in ("/correo/", f"/correo/{mail.pk}/", f"/correo/{mail.pk}/html/"):
        response = client.get(path)
        assert response.status_code == 404
        assert b"cliente@demo.test" not in response.content
    assert "mailbox" not in get_resolver().namespace_dict


def test_mailbox_urls_without_demo_answer_404(client, demo, settings):
    settings.DESK_DEMO = False
    mail = make_mail()

    for path in ("/correo/", f"/correo/{mail.pk}/", f"/correo/{mail.pk}/html/"):
        response = client.get(path)
        assert response.status_code == 404
        assert b"cliente@demo.test" not in response.content


@pytest.mark.demand("S2.2")
def test_ticket_mail_is_in_the_mailbox(client, demo):
    make_supervisor()
    ticket = make_ticket(title="No abre la plataforma")
    delivery.drain()

    page = client.get("/correo/").content.decode()

    assert f"{ticket.folio} · Recibimos tu solicitud: No abre la plataforma" in page
    assert ticket.requester.email in page
    assert page.index("Llegó un ticket") < page.index("Recibimos tu solicitud"), "newest first"
    assert set(OutgoingEmail.objects.values_list("state", flat=True)) == {"sent"}


def test_guest_link_in_the_mailbox_works(client, demo):
    ticket = make_ticket()
    Ticket.objects.filter(pk=ticket.pk).update(
        contribution_open=True, stage="aporte", stage_kind="waiting_customer"
    )
    make_event(ticket, ("requester", Template.CONTRIBUTION_ASKED))
    delivery.drain()
    mail = DemoMail.objects.filter(subject__contains="Necesitamos")[0]

    page = client.get(f"/correo/{mail.pk}/?ver=texto").content.decode()

    url = re.search(r'<a href="http://127\.0\.0\.1:8000/enlace/([\w-]+)/"', page)
    assert url
    assert guests.redeem(url[1]).ticket == ticket


def test_detail_shows_mail_text_and_headers(client, demo):
    mail = make_mail()

    frame = client.get(f"/correo/{mail.pk}/").content.decode()
    headers = client.get(f"/correo/{mail.pk}/?ver=cabeceras").content.decode()

    assert f'src="/correo/{mail.pk}/html/"' in frame
    assert (
        'sandbox="allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation"'
        in frame
    )
    assert "allow-scripts" not in frame
    assert "allow-same-origin" not in frame
    assert "Message-ID: &lt;1@x&gt;" in headers
    assert "Auto-Submitted: auto-generated" in headers


def test_mail_without_html_opens_as_text(client, demo):
    mail = make_mail(html="")

    page = client.get(f"/correo/{mail.pk}/?ver=html").content.decode()

    assert "<iframe" not in page
    assert "enlace/abc" in page


def test_html_is_sandboxed_and_opens_links_outside(client, demo):
    response = client.get(f"/correo/{make_mail().pk}/html/")

    policy = response["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "frame-ancestors 'self'" in policy
    assert "sandbox allow-popups" in policy
    assert "allow-scripts" not in policy
    assert response["X-Frame-Options"] == "SAMEORIGIN"
    assert b'<head><base target="_top">' in response.content
    assert "no-store" in response["Cache-Control"]


def test_mail_text_is_escaped(client, demo):
    mail = make_mail(
        subject="<script>1</script>", recipient="<b>x</b>@y.z", text="<img src=x>", headers={"X": "<i>"}
    )

    for path in ("/correo/", f"/correo/{mail.pk}/?ver=texto", f"/correo/{mail.pk}/?ver=cabeceras"):
        page = client.get(path).content.decode()
        assert "<script>1" not in page
        assert "<b>x" not in page
        assert "<img src=x" not in page


def test_search_finds_by_recipient_and_subject(client, demo):
    make_mail(recipient="ana@demo.test", subject="Uno")
    make_mail(recipient="luis@demo.test", subject="Dos")

    assert "Dos" not in client.get("/correo/?q=ana").content.decode()
    assert "Uno" not in client.get("/correo/?q=dos").content.decode()
    assert "Ningún correo coincide" in client.get("/correo/?q=nada").content.decode()


@pytest.mark.parametrize(
    "query", ["antes=abc", "antes=-1", "antes=99999999999999999999", "antes=%00", "q=%00", "q=%E2%80%AE"]
)
def test_bad_queries_show_the_list(client, demo, query):
    make_mail(subject="Sigue aquí")

    assert "Sigue aquí" in client.get(f"/correo/?{query}").content.decode()


@pytest.mark.parametrize("count", [3, 70])
def test_list_query_count_is_constant(client, demo, count, django_assert_max_num_queries):
    DemoMail.objects.bulk_create(DemoMail(sender="a", recipient="b", subject=f"n{i}") for i in range(count))

    with django_assert_max_num_queries(1):
        page = client.get("/correo/").content.decode()

    assert page.count('class="tcard"') == min(count, 30)


def test_paging_reaches_every_mail(client, demo):
    DemoMail.objects.bulk_create(DemoMail(sender="a", recipient="b", subject=f"n{i:02}") for i in range(65))
    seen: list[str] = []
    query = ""
    while True:
        page = client.get(f"/correo/{query}").content.decode()
        seen += re.findall(r">(n\d\d)<", page)
        older = re.search(r'href="(\?antes=\d+)"', page)
        if not older:
            break
        query = older[1]

    assert seen == [f"n{i:02}" for i in reversed(range(65))]


def test_mailbox_is_read_only(client, demo):
    mail = make_mail()

    assert client.post(f"/correo/{mail.pk}/").status_code == 405
    assert client.delete("/correo/").status_code == 405
    assert DemoMail.objects.filter(pk=mail.pk).exists()


def test_backend_stores_every_part():
    message = EmailMultiAlternatives(
        "Asunto", "texto", "Mesa <a@b.test>", ["c@d.test"], bcc=["e@f.test"], headers={"X-Desk-Id": "<9@x>"}
    )
    message.attach_alternative("<p>html</p>", "text/html")

    assert DemoMailbox().send_messages([message]) == 1

    mail = DemoMail.objects.get()
    assert (mail.subject, mail.text, mail.html) == ("Asunto", "texto", "<p>html</p>")
    assert mail.recipient == "c@d.test, e@f.test"
    assert mail.headers["X-Desk-Id"] == "<9@x>"
    assert "Subject" not in mail.headers


# --- Writing to the desk ----------------------------------------------------------------------------------


def write(client, **fields):
    defaults = {
        "sender": "ana@correo.test",
        "name": "Ana",
        "to": "soporte@mesadeayuda.test",
        "subject": "No abre",
    }
    return client.post("/correo/escribir/", {**defaults, "text": "La barrera no abre.", **fields})


@pytest.mark.demand("S0.7")
def test_written_mail_becomes_a_ticket(client, demo):
    make_process("incidencia-tecnica")

    page = write(client).content.decode()

    ticket = Ticket.objects.get()
    assert (ticket.title, ticket.requester_email) == ("No abre", "ana@correo.test")
    assert ticket.folio in page


def test_answer_to_a_mail_is_prefilled_and_reaches_its_ticket(client, demo, settings):
    settings.DESK_REPLY_DOMAIN = "responder.demo.test"
    make_process("incidencia-tecnica")
    write(client)
    delivery.drain()
    received = DemoMail.objects.filter(recipient="ana@correo.test").latest("pk")

    form = client.get("/correo/escribir/", {"a": received.pk}).context["form"]
    assert form.initial["to"].startswith("respuesta+")
    answer = {**form.initial, "text": f"Sigue igual.{form.initial['text']}"}
    client.post(f"/correo/escribir/?a={received.pk}", answer)

    assert list(Ticket.objects.get().messages.values_list("body", flat=True)) == [
        "La barrera no abre.",
        "Sigue igual.",
    ]


def test_writing_without_an_address_says_so_and_keeps_the_text(client, demo):
    response = write(client, to="nadie")

    assert response.status_code == 422
    assert "La barrera no abre." in response.content.decode()


def test_nobody_writes_outside_the_demo(client, demo, settings):
    settings.DESK_DEMO = False

    assert client.get("/correo/escribir/").status_code == 404
    assert write(client).status_code == 404
