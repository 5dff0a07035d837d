"""What staff see on a ticket of the mails that made its messages (S3.3)."""

import pytest

from accounts.tests.factories import make_supervisor
from content.text import picture_mark
from tickets import attachments, reply_address
from tickets.enums import Channel, DeliveryState, MailDecision, MailReason, MailVerdict, Template
from tickets.models import Delivery, IncomingEmail
from tickets.tests.factories import make_process, make_ticket
from tickets.tests.test_mails import make_mail
from tickets.tests.test_retention import picture
from tickets.workflow import mails
from tickets.workflow.conversation import add_internal_note, reply

from .factories import signed_in, text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def ticket():
    return make_ticket(make_process("incidencia-tecnica"))


def mailed(ticket, body="Sigue igual.", *, draft_key="", **fields):
    message = reply(ticket, body=body, actor=ticket.requester, draft_key=draft_key, channel=Channel.EMAIL)
    return make_mail(ticket, verdict=MailVerdict.MESSAGE, reason="", message=message, text="", **fields)


def page_of(ticket, **data):
    return signed_in(make_supervisor()).get(f"/agentes/tickets/{ticket.folio}/", data)


def test_message_shows_its_mail(ticket):
    mailed(
        ticket,
        quoted="El vie escribió:\n> Hola <b>x</b>\n\nAna",
        details={
            "copies": ["luis@otra.test", "soporte@mesadeayuda.test"],
            "refused": [{"name": "visor.exe", "size": 9, "reason": "tipo no permitido"}],
        },
    )

    page = text_of(page_of(ticket))

    assert "por correo, con copia a luis@otra.test<" in page
    assert "Texto citado y firma, 3 líneas" in page
    assert "&lt;b&gt;x" in page
    for fact in ("Ver original", "Cabeceras", "visor.exe", "No lo guardamos: tipo no permitido"):
        assert fact in page


def test_reply_and_forwarding_addresses_are_no_copies(ticket, settings):
    settings.DESK_REPLY_DOMAIN = "responder.example.com"
    keys = [
        reply_address.make(ticket, user=None, email=ticket.requester_email, mail=9),
        reply_address.make_forwarding(make_supervisor()),
    ]
    mailed(ticket, details={"copies": [*keys, "luis@otra.test"]})

    page = text_of(page_of(ticket))

    assert "por correo, con copia a luis@otra.test<" in page
    assert not [key for key in keys if key in page]


def test_reason_of_a_refused_file_is_in_the_readers_language(ticket):
    reason = {"es": "tipo no permitido", "en": "type not allowed"}
    mailed(ticket, details={"refused": [{"name": "visor.exe", "size": 9, "reason": reason}]})
    english = make_supervisor(language="en")

    assert "No lo guardamos: tipo no permitido" in text_of(page_of(ticket))
    page = text_of(signed_in(english).get(f"/agentes/tickets/{ticket.folio}/"))
    assert "type not allowed" in page
    assert "tipo no permitido" not in page


def keep_picture(ticket, key="k"):
    limits = attachments.widest_limits(ticket)
    return attachments.keep_draft(
        picture(), name="foto.png", draft_key=key, actor=ticket.requester, limits=limits
    )


def test_pictures_stand_in_their_places_and_once(ticket):
    file = keep_picture(ticket)
    mailed(ticket, f"Mira:\n\n{picture_mark('la foto', str(file.uuid))}\n\nGracias.", draft_key="k")

    page = text_of(page_of(ticket))

    assert f'<img class="ml-img" src="/adjuntos/{file.uuid}/?en-texto" alt="la foto"' in page
    assert '<span class="file__name truncate">foto.png' not in page


def test_picture_of_another_message_shows_its_name_alone(ticket):
    other = make_ticket(make_process("incidencia-tecnica"))
    file = keep_picture(other)
    mailed(other, "Con foto.", draft_key="k")
    mark = picture_mark("ajena", str(file.uuid))
    mailed(ticket, f'{mark} y [aquí](http://x.example/{mark}) " onerror="x')

    page = text_of(page_of(ticket))

    assert str(file.uuid) not in page
    assert "[ajena]" in page


def test_remote_pictures_are_blocked_until_asked_for(ticket):
    remote = ["https://img.pardo.example/a.png", "http://img.pardo.example/b.png", "https://x; script-src *"]
    mail = mailed(ticket, details={"remote": remote})
    client = signed_in(make_supervisor())
    address = f"/agentes/tickets/{ticket.folio}/"

    blocked = client.get(address)
    shown = client.get(address, {"imagenes": mail.pk})
    again = client.get(address)

    assert "Bloqueamos 1 imagen remota de img.pardo.example" in text_of(blocked)
    assert 'src="https://img.pardo.example/a.png"' not in text_of(blocked)
    assert "img.pardo.example" not in blocked["Content-Security-Policy"]
    assert 'referrerpolicy="no-referrer"' in text_of(shown)
    assert "https://img.pardo.example" in shown["Content-Security-Policy"]
    assert "script-src *" not in shown["Content-Security-Policy"]
    assert "img.pardo.example" not in again["Content-Security-Policy"]


def test_mail_of_another_ticket_relaxes_nothing(ticket):
    other = mailed(
        make_ticket(make_process("incidencia-tecnica")), details={"remote": ["https://a.example/x.png"]}
    )

    for value in (other.pk, "x", "9" * 30):
        assert "a.example" not in page_of(ticket, imagenes=value)["Content-Security-Policy"]


def test_automatic_answer_is_a_line(ticket):
    make_mail(
        ticket, verdict=MailVerdict.MESSAGE, reason=MailReason.AUTO_REPLY, subject="Fuera de la oficina"
    )
    make_mail(ticket, subject="Correo retenido y secreto")

    page = text_of(page_of(ticket))

    assert (
        "Respuesta automática de <b>Ana Pérez</b> guardada: «Fuera de la oficina». No avisa a nadie" in page
    )
    assert "Correo retenido y secreto" not in page


def test_requester_sees_pictures_and_refused_files_and_nothing_else(ticket):
    file = keep_picture(ticket)
    mailed(
        ticket,
        f"Mira: {picture_mark('la foto', str(file.uuid))}",
        draft_key="k",
        quoted="Cita secreta",
        details={
            "refused": [{"name": "visor.exe", "reason": "tipo no permitido"}],
            "server": "mx.secreto.example",
            "copies": ["luis@otra.test"],
            "remote": ["https://a.example/x.png"],
        },
    )

    page = text_of(signed_in(ticket.requester).get(f"/tickets/{ticket.folio}/"))

    assert f'<img class="ml-img" src="/adjuntos/{file.uuid}/?en-texto"' in page
    assert "No lo guardamos: tipo no permitido" in page
    for hidden in ("Cita secreta", "Ver original", "Cabeceras", "secreto.example", "luis@otra", "a.example"):
        assert hidden not in page


def test_each_recipient_has_a_state(ticket):
    message = add_internal_note(ticket, actor=make_supervisor(), body="Mírenlo.")
    event = ticket.events.get(message=message)
    for email, state in (
        ("ana@desk.test", DeliveryState.DELIVERED),
        ("luis@desk.test", DeliveryState.BOUNCED),
    ):
        Delivery.objects.create(event=event, template=Template.MENTIONED, email=email, state=state)

    page = text_of(page_of(ticket))

    assert "ana@desk.test: entregado" in page
    assert "luis@desk.test: rebotó" in page
    assert "Reenviar a luis@desk.test" in page
    assert "Reenviar a ana@desk.test" not in page


def test_held_mail_is_a_link_until_it_is_decided(ticket):
    mail = make_mail(ticket)
    mails.hold(ticket, mail)
    link = f'<a href="/agentes/correo/{mail.pk}/">Decidir</a>'

    assert link in page_of(ticket).text
    mails.discard(mail, actor=make_supervisor())
    assert link not in page_of(ticket).text


def test_writer_whom_staff_let_in_is_no_requester(ticket):
    mail = make_mail(ticket, sender_name="Otra persona")
    IncomingEmail.objects.filter(pk=mail.pk).update(
        message=ticket.messages.get(), decision=MailDecision.LET_IN, decided_by=make_supervisor()
    )

    assert "Remitente no probado" in text_of(page_of(ticket))
