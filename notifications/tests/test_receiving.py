# ruff: noqa: E501  (mails have lines as long as they have)
"""What becomes of received mails: tickets, messages, deliveries, quarantine, refusals (S0.7, S3.3)."""

import pytest
from django.core import mail as outbox

from accounts.tests.factories import make_agent, make_department, make_user
from notifications.incoming import receiving
from notifications.models import OutgoingEmail
from notifications.outgoing import delivery
from notifications.tests.factories import told
from notifications.tests.mails import make_raw, picture, token_of
from tickets import policies, reply_address
from tickets.enums import Channel, DeliveryState, MailReason, MailVerdict, MessageKind, Template
from tickets.exceptions import GuardFailed, NotAllowed
from tickets.models import BlockedSender, Category, Delivery, DeskAddress, IncomingEmail, Message, Ticket
from tickets.tests.factories import make_process, make_ticket
from tickets.workflow import mails

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def reply_domain(settings):
    settings.DESK_REPLY_DOMAIN = "responde.mesadeayuda.test"


@pytest.fixture
def address():
    process = make_process("incidencia-tecnica")
    category = process.categories.first()
    return DeskAddress.objects.create(email="soporte@mesadeayuda.test", process=process, category=category)


def make_guest_ticket():
    return make_ticket(make_process("incidencia-tecnica"), guest_email="ana@cliente.test")


def receive(raw: bytes) -> IncomingEmail:
    mail = receiving.receive(raw, mailbox="soporte@mesadeayuda.test").mail
    mail.refresh_from_db()
    return mail


@pytest.mark.demand("S0.7")
def test_mail_becomes_a_ticket_of_its_address(address):
    mail = receive(make_raw("No abre la barrera.\n", subject="Re: RV: Barrera cerrada"))

    assert (mail.verdict, mail.reason) == (MailVerdict.TICKET, "")
    ticket = mail.ticket
    assert (ticket.title, ticket.channel, ticket.category) == (
        "Barrera cerrada",
        Channel.EMAIL,
        address.category,
    )
    assert (ticket.requester_email, ticket.requester_name) == ("ana@cliente.test", "Ana Pérez")
    assert mail.message.body == "No abre la barrera."
    assert told(Template.RECEIVED) == ["ana@cliente.test"]


@pytest.mark.demand("S0.7")
def test_mail_of_a_customer_with_an_account_is_their_ticket(address):
    customer = make_user(email="ana@cliente.test")

    mail = receive(make_raw())

    assert mail.ticket.requester == customer


def test_process_questions_stay_open_in_a_mail(address):
    """A mail answers no questions of the form: they must not keep the customer out."""
    mail = receive(make_raw())

    assert mail.verdict == MailVerdict.TICKET
    assert mail.ticket.fields == {}


@pytest.mark.demand("S3.3")
def test_answer_to_our_address_is_a_message_on_the_ticket():
    ticket = make_guest_ticket()

    mail = receive(make_raw("Ya probé y sigue igual.", to=token_of(ticket)))

    assert (mail.verdict, mail.ticket) == (MailVerdict.MESSAGE, ticket)
    assert mail.message.kind == MessageKind.REPLY
    assert mail.message.channel == Channel.EMAIL
    assert mail.message.from_requester


@pytest.mark.demand("S3.3")
def test_answer_with_our_quoted_mail_shows_the_new_words_alone(address):
    receive(make_raw("No abre la barrera."))
    delivery.drain()
    ours = OutgoingEmail.objects.get(template=Template.RECEIVED)
    ticket = Ticket.objects.get()
    text = sent_text()
    quoted = "Kirjoitti joku jotain\n\n" + "\n".join(text.splitlines())  # no rule knows this language

    mail = receive(
        make_raw(
            f"Sigue cerrada.\n\n{quoted}",
            to="soporte@mesadeayuda.test",
            subject="Re: Barrera",
            In_Reply_To=ours.message_id,
        )
    )

    assert mail.ticket == ticket
    assert "Sigue cerrada." in mail.message.body
    assert "Recibimos tu" not in mail.message.body
    assert "Recibimos tu" in mail.quoted


def sent_text() -> str:
    return str(outbox.outbox[-1].body)


def test_answer_of_nothing_but_our_mail_is_refused_as_empty(address):
    receive(make_raw("No abre la barrera."))
    delivery.drain()
    ours = OutgoingEmail.objects.get(template=Template.RECEIVED)
    quoted = "\n".join(f"> {line}" for line in sent_text().splitlines())

    mail = receive(make_raw(quoted, In_Reply_To=ours.message_id))

    assert (mail.verdict, mail.reason) == (MailVerdict.REFUSED, MailReason.EMPTY)
    assert Message.objects.count() == 1


def test_same_mail_twice_is_one_message(address):
    raw = make_raw(message_id="<uno@cliente.test>")

    first = receiving.receive(raw, mailbox="soporte@mesadeayuda.test")
    second = receiving.receive(raw, mailbox="soporte@mesadeayuda.test")

    assert (first.is_repeat, second.is_repeat) == (False, True)
    assert Ticket.objects.count() == 1


def test_other_mail_under_the_same_id_waits_in_quarantine(address):
    receive(make_raw(message_id="<uno@cliente.test>"))

    mail = receive(make_raw(message_id="<uno@cliente.test>", sender="otro@cliente.test"))

    assert (mail.verdict, mail.reason) == (MailVerdict.QUARANTINE, MailReason.ID_REUSED)


def test_answer_of_the_requester_to_their_own_mail_is_on_its_ticket(address):
    first = receive(make_raw(message_id="<uno@cliente.test>"))

    mail = receive(make_raw("Otra cosa.", In_Reply_To="<uno@cliente.test>"))

    assert (mail.verdict, mail.ticket) == (MailVerdict.MESSAGE, first.ticket)


@pytest.mark.parametrize("by", ["token", "reference", "copied"])
def test_stranger_neither_writes_nor_is_told(address, by):
    """Who is in copy of a mail has its addresses and ids (B13)."""
    first = receive(make_raw(message_id="<uno@cliente.test>", Cc="extra@otra.test"))
    before = OutgoingEmail.objects.count()
    to = {"token": token_of(first.ticket)}.get(by, "soporte@mesadeayuda.test")
    sender = "extra@otra.test" if by == "copied" else "mallory@otra.test"

    mail = receive(make_raw("¿Y mi dinero?", sender=sender, to=to, In_Reply_To="<uno@cliente.test>"))

    assert mail.verdict == MailVerdict.QUARANTINE
    assert mail.reason == (MailReason.STRANGER if by == "copied" else MailReason.OTHER_ADDRESS)
    assert Message.objects.count() == 1
    new = OutgoingEmail.objects.order_by("pk")[before:]
    assert {row.recipient for row in new} <= {"ana@cliente.test"}
    assert mails.ASKS.isdisjoint({mail.reason}) or told(Template.PROOF_ASKED) == ["ana@cliente.test"]


def test_requester_is_asked_once_for_each_other_address():
    ticket = make_guest_ticket()

    for _count in range(3):
        receive(make_raw(sender="ana@casa.test", to=token_of(ticket)))

    assert told(Template.PROOF_ASKED) == ["ana@cliente.test"]


def test_forged_staff_sender_waits_in_quarantine(address):
    """A guessed Message-ID and a forged From are no permission (B12)."""
    agent = make_agent(email="ana@mesadeayuda.test")
    first = receive(make_raw(message_id="<uno@cliente.test>"))

    mail = receive(make_raw("Paga aquí.", sender=agent.email, In_Reply_To="<uno@cliente.test>"))

    assert (mail.verdict, mail.reason) == (MailVerdict.QUARANTINE, MailReason.STAFF_UNPROVEN)
    assert first.ticket.messages.count() == 1


def test_agent_answers_by_mail_with_the_address_we_gave_them():
    ticket = make_guest_ticket()
    agent = make_agent()

    mail = receive(make_raw("Ya lo estamos viendo.", sender=agent.email, to=token_of(ticket, agent)))

    assert mail.verdict == MailVerdict.MESSAGE, mail.reason
    assert (mail.message.kind, mail.message.author) == (MessageKind.FOLLOW_UP, agent)


def test_agent_without_permission_any_more_does_not_answer():
    ticket = make_guest_ticket()
    agent = make_agent(make_department("academico"))

    mail = receive(make_raw("Ya lo estamos viendo.", sender=agent.email, to=token_of(ticket, agent)))

    assert (mail.verdict, mail.reason) == (MailVerdict.QUARANTINE, MailReason.NOT_ALLOWED)


def test_automatic_answer_is_kept_and_wakes_nobody():
    ticket = make_guest_ticket()
    before = OutgoingEmail.objects.count()

    mail = receive(make_raw("Estoy de vacaciones.", to=token_of(ticket), Auto_Submitted="auto-replied"))

    assert (mail.verdict, mail.reason, mail.ticket) == (MailVerdict.MESSAGE, MailReason.AUTO_REPLY, ticket)
    assert mail.message is None
    assert mail.text == "Estoy de vacaciones."
    assert OutgoingEmail.objects.count() == before


def test_bounce_is_noted_on_the_delivery():
    make_guest_ticket()
    delivery.drain()
    ours = OutgoingEmail.objects.get(template=Template.RECEIVED)

    mail = receive(bounce_of(ours.message_id, "ana@cliente.test"))

    assert mail.verdict == MailVerdict.DELIVERY
    row = Delivery.objects.get(pk=ours.delivery_id)
    assert (row.state, row.detail) == (DeliveryState.BOUNCED, "5.2.2 · 552 5.2.2 Mailbox full")
    assert row.can_retry


def bounce_of(message_id: str, recipient: str) -> bytes:
    return (
        "From: MAILER-DAEMON@mx.test\nTo: soporte@mesadeayuda.test\nSubject: Undelivered Mail Returned to Sender\n"
        "Message-ID: <dsn@mx.test>\nMIME-Version: 1.0\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\n\n'
        "--b\nContent-Type: text/plain\n\nSorry.\n\n--b\nContent-Type: message/delivery-status\n\n"
        f"Reporting-MTA: dns; mx.test\n\nFinal-Recipient: rfc822; {recipient}\nAction: failed\nStatus: 5.2.2\n"
        f"Diagnostic-Code: smtp; 552 5.2.2 Mailbox full\n\n--b\nContent-Type: text/rfc822-headers\n\n"
        f"Message-ID: {message_id}\nSubject: x\n\n--b--\n"
    ).encode()


def test_bounce_of_a_foreign_mail_is_refused(address):
    mail = receive(bounce_of("<123@otro.test>", "x@otro.test"))

    assert (mail.verdict, mail.reason) == (MailVerdict.REFUSED, MailReason.UNKNOWN_BOUNCE)


def test_blocked_sender_is_refused(address):
    BlockedSender.objects.create(sender="@cliente.test")

    assert receive(make_raw()).reason == MailReason.BLOCKED


def test_files_are_inspected_and_refused_ones_are_named(address):
    files = [
        ("foto.png", "image/png", picture()),
        ("visor.exe", "application/octet-stream", b"MZ" + bytes(200)),
    ]

    mail = receive(make_raw(files=files))

    assert [file.name for file in mail.message.attachments.all()] == ["foto.png"]
    [refused] = mail.details["refused"]
    assert refused["name"] == "visor.exe"
    assert refused["reason"]["es"].startswith("Aquí no se pueden adjuntar archivos .exe.")
    assert refused["reason"]["en"].startswith(".exe files cannot be attached here.")


def test_sender_who_floods_waits_and_is_refused_at_last(address, monkeypatch):
    monkeypatch.setattr("notifications.incoming.routing.MOST_MAILS_OF_A_SENDER", 2)

    reasons = [receive(make_raw()).reason for _number in range(21)]

    assert reasons[:2] == ["", ""]
    assert reasons[2] == MailReason.FLOOD
    rows = IncomingEmail.objects.order_by("pk")
    assert rows[2].verdict == MailVerdict.QUARANTINE
    assert rows[20].verdict == MailVerdict.REFUSED


# --- Letting in what waits --------------------------------------------------------------------------------


def test_held_mail_is_let_into_its_ticket_with_its_address_shown():
    """Nobody proved whose it is, so the message says from where it came."""
    ticket = make_guest_ticket()
    files = [("foto.png", "image/png", picture())]
    held = receive(make_raw("Soy yo.", sender="Ana <ana@casa.test>", to=token_of(ticket), files=files))

    mails.let_in(held, actor=make_agent(), to_ticket=True)

    held.refresh_from_db()
    assert (held.decision, held.message.ticket) == ("let_in", ticket)
    assert (held.message.body, held.message.author_name) == ("Soy yo.", "Ana (ana@casa.test)")
    assert held.message.attachments.count() == 1


def test_held_mail_becomes_a_ticket_of_its_sender(address):
    held = receive(make_raw(sender="avisos@tienda.test", Precedence="bulk"))

    mails.let_in(held, actor=make_agent(), to_ticket=False, address=address)

    held.refresh_from_db()
    assert held.ticket.requester_email == "avisos@tienda.test"


@pytest.mark.parametrize("decide", [mails.confirm, mails.deny])
def test_requester_says_whether_a_mail_from_another_address_is_theirs(decide):
    ticket = make_ticket(make_process("incidencia-tecnica"), requester=make_user(email="ana@cliente.test"))
    held = receive(make_raw("Soy yo.", sender="ana@casa.test", to=token_of(ticket)))

    decide(held, actor=ticket.requester)

    held.refresh_from_db()
    assert (held.message is not None) == (decide is mails.confirm)
    with pytest.raises(GuardFailed):
        decide(held, actor=ticket.requester)


def test_somebody_else_confirms_nothing():
    ticket = make_guest_ticket()
    held = receive(make_raw("Soy yo.", sender="mallory@casa.test", to=token_of(ticket)))

    with pytest.raises(NotAllowed):
        mails.confirm(held, actor=make_user(email="mallory@casa.test"))


# --- Whose text goes where --------------------------------------------------------------------------------


def test_confirmation_of_an_unproven_mail_repeats_none_of_its_words(address):
    """Otherwise anybody could send their own text to a third person in our name (B14)."""
    make_user(email="ana@cliente.test")
    receive(make_raw("COMPRA en http://spam.example", subject="GANASTE"))
    delivery.drain()

    sent = outbox.outbox[-1]
    assert sent.to == ["ana@cliente.test"]
    assert "GANASTE" not in sent.subject + sent.body
    assert "spam.example" not in sent.body


@pytest.mark.parametrize(("result", "verdict"), [("pass", "ticket"), ("fail", "quarantine")])
def test_checks_of_our_own_server_count(address, settings, result, verdict):
    settings.DESK_MAIL_AUTH_SERVER = "mx.mesa.test"

    mail = receive(make_raw(Authentication_Results=f"mx.mesa.test; dmarc={result} header.from=cliente.test"))

    assert mail.verdict == verdict


def test_forged_sender_with_a_copied_token_writes_nothing(settings):
    """Who was in copy has the address at which the requester answers (B13)."""
    settings.DESK_MAIL_AUTH_SERVER = "mx.mesa.test"
    ticket = make_guest_ticket()

    mail = receive(make_raw(to=token_of(ticket), Authentication_Results="mx.mesa.test; dmarc=fail"))

    assert (mail.verdict, mail.reason) == (MailVerdict.QUARANTINE, MailReason.FORGED)
    assert ticket.messages.count() == 1


def test_checks_that_the_sender_wrote_do_not_count(address, settings):
    settings.DESK_MAIL_AUTH_SERVER = "mx.mesa.test"

    mail = receive(make_raw(Authentication_Results="mx.mesa.test.evil.test; dmarc=fail"))

    assert (mail.verdict, mail.details.get("checks")) == (MailVerdict.TICKET, None)


@pytest.mark.parametrize("sees_it", [True, False])
def test_mail_forwarded_by_staff_is_filed_for_its_author(address, sees_it):
    agent = make_agent()
    team = None if sees_it else make_department("administracion")
    Category.objects.filter(pk=address.category_id).update(department=team)
    text = "Me llegó esto.\n\n---------- Forwarded message ---------\nDe: Luis Ortega <luis@cliente.test>\nAsunto: Cobro\n\nMe cobraron dos veces."

    mail = receive(
        make_raw(
            text,
            sender=agent.email,
            to=reply_address.make_forwarding(agent),
            subject="Fwd: Cobro",
            Cc=address.email,
        )
    )

    assert mail.verdict == MailVerdict.TICKET, mail.reason
    assert (mail.ticket.requester_email, mail.ticket.title) == ("luis@cliente.test", "Cobro")
    assert mail.ticket.events.get(kind="filed").actor == agent
    said, note = mail.ticket.messages.order_by("pk")
    assert (said.body, said.from_requester) == ("Me cobraron dos veces.", True)
    assert (note.kind, note.author, note.body) == ("note", agent, "Me llegó esto.")
    assert policies.can_view(agent, mail.ticket) is sees_it


def test_forwarding_address_of_somebody_else_files_nothing(address):
    agent, other = make_agent(), make_agent()

    mail = receive(make_raw(sender=other.email, to=reply_address.make_forwarding(agent)))

    assert (mail.verdict, mail.reason) == (MailVerdict.QUARANTINE, MailReason.STAFF_UNPROVEN)


def test_picture_stands_in_its_place_and_remote_ones_are_only_noted(address):
    html = "<p>Mira:</p><img src='cid:uno'><p>Gracias</p><img src='https://espia.test/x.png' width='400'>"
    raw = make_raw("x", html=html, files=[("foto.png", "image/png", picture())])
    raw = raw.replace(
        b'Content-Disposition: attachment; filename="foto.png"',
        b'Content-ID: <uno>\nContent-Disposition: inline; filename="foto.png"',
    )

    mail = receive(raw)

    file = mail.message.attachments.get()
    assert mail.message.body == f"Mira:\n\n![foto.png](archivo:{file.uuid})\nGracias"
    assert mail.details["remote"] == ["https://espia.test/x.png"]


def test_original_of_several_pieces_is_kept_whole(address):
    raw = make_raw(files=[("registro.txt", "text/plain", b"0123456789abcdef\n" * 300_000)])

    mail = receive(raw)

    assert mail.originals.count() == 4
    assert mail.raw == raw


@pytest.mark.parametrize("count", [1, 8])
def test_mail_takes_as_many_queries_however_many_addresses_and_agents_there_are(
    address, count, django_assert_max_num_queries
):
    for number in range(count):
        make_agent(make_department())
        DeskAddress.objects.create(
            email=f"area{number}@mesadeayuda.test",
            process=address.process,
            category=address.process.categories.last(),
        )
    raw = make_raw("No abre la barrera.\n", to="area0@mesadeayuda.test", subject="Barrera")
    receiving.receive(make_raw("Antes.\n", subject="Lo que se lee una vez"), mailbox="")

    with django_assert_max_num_queries(26):
        receiving.receive(raw, mailbox="soporte@mesadeayuda.test")
