"""The guide's first two steps: the topic and the details."""

import re
from html import unescape

import pytest
from django.test import Client
from django.urls import reverse

from portal.pages import topics
from tickets.models import Category, Process, Ticket

from .factories import DETAILS
from .guide import PAGO, Guide

pytestmark = pytest.mark.django_db


# --- The first step ---------------------------------------------------------------------------------------


@pytest.mark.demand("S0.2")
def test_type_step_offers_topics_of_every_process(client: Client, process: Process, guest_process: Process):
    page = client.get(reverse("portal:report")).content.decode()

    offered = re.findall(r'class="rcard" href="\?tipo=([^"]+)"', page)
    assert offered == [
        *(f"{process.key}.{category.key}" for category in process.categories.all()),
        "prueba-invitados.pago",
        "prueba-invitados.tramite",
    ]
    assert "Problema con la plataforma" in page
    assert "Factura o trámite" in page


def test_inactive_topics_are_not_offered(client: Client, process: Process, guest_process: Process):
    Category.objects.filter(key="tramite").update(is_active=False)
    Process.objects.filter(pk=process.pk).update(is_active=False)

    page = client.get(reverse("portal:report")).content.decode()

    assert "Falla en el pago" in page
    assert "Factura o trámite" not in page
    assert "Problema con la plataforma" not in page


def test_choosing_a_topic_leads_to_the_details(client: Client, guest_process: Process):
    page = client.get(reverse("portal:report")).content.decode()
    assert f'href="?tipo={PAGO}"' in page
    assert "Continuar" not in page, "no button at the end of a long list"

    answer = client.get(reverse("portal:report"), {"tipo": PAGO})
    assert re.fullmatch(rf"/nuevo/[\w-]+/detalles/\?tipo={PAGO}", answer["Location"])


def test_changing_the_topic_keeps_the_draft(client: Client, guest_process: Process):
    guide = Guide(client, PAGO)
    answer = guide.fill(DETAILS, ir="tipo")
    page = guide.page(answer["Location"])
    assert re.findall(r'href="\?tipo=([^"]+)"\s+aria-current="true"', page) == [PAGO]

    answer = client.get(answer["Location"], {"tipo": "prueba-invitados.tramite"})
    assert answer["Location"] == f"{guide.details}?tipo=prueba-invitados.tramite"
    assert DETAILS["title"] in guide.page(answer["Location"])


def test_unknown_topic_shows_a_message(client: Client, guest_process: Process):
    page = client.get(reverse("portal:report"), {"tipo": "no-existe.nada"}).content.decode()

    assert "Ese tipo de solicitud ya no está disponible" in page
    assert f'href="?tipo={PAGO}"' in page


def test_details_show_the_notice_of_the_topic(client: Client, guest_process: Process):
    assert "no repitas el pago" in Guide(client, PAGO).drawn


# --- Details ----------------------------------------------------------------------------------------------


def test_details_show_questions_and_help_of_process(client: Client, guest_process: Process):
    guide = Guide(client, PAGO)

    assert "los pasos que seguiste y el mensaje de error" in guide.drawn
    for question in ("Código de la reserva", "Medio de pago", "Últimos 4 dígitos"):
        assert question in guide.drawn
    assert "shown-when" in guide.drawn
    assert "{&quot;answer_medio&quot;: [&quot;tarjeta&quot;]}" in guide.drawn


def test_details_with_errors_keep_all_input(client: Client, guest_process: Process):
    guide = Guide(client, PAGO)

    page = guide.fill(DETAILS | {"title": "", "answer_reserva": "RS-44", "answer_ultimos": ""})

    text = page.content.decode()
    assert page.status_code == 422
    assert "Escribe un título" in text
    assert "El código tiene 8 caracteres, como RS-441720." in text
    assert DETAILS["description"] in unescape(text)
    assert 'value="RS-44"' in text
    assert 'id="id_answer_ultimos_error"' in text or "Últimos 4 dígitos</a>" in text
    assert not Ticket.objects.exists()


def test_hidden_question_is_not_required(client: Client, guest_process: Process):
    guide = Guide(client, PAGO)

    guide.fill(DETAILS | {"answer_medio": "efectivo", "answer_ultimos": ""})
    guide.send(email="ana@example.com")

    assert Ticket.objects.get().fields == {"reserva": "RS-441720", "medio": "efectivo"}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"description": "x" * 1_000_000}, "1000000"),
        ({"title": "x" * 500}, "160"),
        ({"title": "\x00\u202e\u200b"}, "Escribe un título"),
        ({"description": " \n\t "}, "Cuéntanos qué pasó"),
    ],
)
def test_refused_text_is_shown_with_the_reason(
    client: Client, guest_process: Process, values: dict[str, str], message: str
):
    guide = Guide(client, PAGO)

    page = guide.fill(DETAILS | values)

    text = page.content.decode()
    assert page.status_code == 422
    assert message in text.replace(".", "").replace("\xa0", "") or message in text
    assert len(text) > len(next(iter(values.values())))
    assert not Ticket.objects.exists()


def test_control_characters_are_removed_and_emoji_kept(client: Client, guest_process: Process):
    guide = Guide(client, PAGO)

    guide.fill(
        DETAILS | {"title": "Pago\r\nBcc: x@y.com \u202egpj.exe", "description": "Se cae 🤷🏽‍♀️\x00 ñandú"}
    )
    guide.send(email="ana@example.com", name="Ana\r\nBcc: todos@example.com")

    ticket = Ticket.objects.get()
    assert ticket.title == "Pago Bcc: x@y.com gpj.exe"
    assert ticket.messages.get().body == "Se cae 🤷🏽‍♀️ ñandú"
    assert ticket.requester_name == "Ana Bcc: todos@example.com"


@pytest.mark.parametrize(
    "key", ["", ".", "a.b.c", "soporte\0", "ñandú.plataforma", "soporte-con-aprobacion.", "%s.x"]
)
def test_topic_that_nobody_offers_leads_to_the_choice(client: Client, process: Process, key: str):
    page = client.get(reverse("portal:report_details", args=["borrador"]), {"tipo": key}, follow=True)
    assert page.status_code == 200
    assert page.redirect_chain[0][0].startswith(reverse("portal:report"))
    assert topics.find(key) is None


def test_finding_a_topic_reads_one_process(
    process: Process, guest_process: Process, django_assert_num_queries
):
    for topic in topics.all_topics():
        with django_assert_num_queries(2):
            assert topics.find(topic.key) == topic
