"""Every mail, to the requester and to staff, in both languages: complete, safe, and without facts that its reader may
not see."""

import re
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from html import unescape
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from accounts.tests.factories import make_agent, make_supervisor, make_user
from notifications.models import OutgoingEmail
from notifications.outgoing import composing
from notifications.outgoing.emails import CATALOGUE, NotSent
from notifications.tests.factories import make_event, make_mail, make_message, told
from tickets.definitions.responses import fill_in
from tickets.enums import DeliveryProblem, MessageKind, Purpose, Template
from tickets.models import GuestToken, Ticket
from tickets.requesters import guests
from tickets.requesters.accounts import claim_guest_tickets
from tickets.tests.factories import make_process, make_ticket
from tickets.vocabulary import TEMPLATES
from tickets.workflow import conversation
from tickets.workflow.intake import Requester, file_ticket
from tickets.workflow.publishing import publish

pytestmark = pytest.mark.django_db

SECRET_NOTE = "El cliente miente: NO decirle nada del reembolso"
STAGE_FOR = {
    Template.CLOSURE_ASKED: ("aprobacion", "closure_approval"),
    Template.CONTRIBUTION_ASKED: ("aporte", "waiting_customer"),
    Template.SURVEY: ("cerrado", "done"),
    Template.CLOSED: ("cerrado", "done"),
    Template.VERIFICATION_ASKED: ("revision", "verification"),
}
WITHOUT_WORDS = {
    Template.RECEIVED, Template.NEW_LINK, Template.NEW_TICKET, Template.SURVEY, Template.BREACHED,
}  # fmt: skip
BOTH = pytest.mark.parametrize("to", ["requester", "role:supervisor"])
EACH = pytest.mark.parametrize("template", list(Template), ids=lambda template: template.value)


def written(mail: OutgoingEmail) -> Any:
    return composing.compose(composing.load(mail.pk)).message


def html_of(message: Any) -> str:
    return message.alternatives[0].content


def headers_of(message: Any) -> str:
    return "\n".join(f"{name}: {value}" for name, value in message.message().items())


def make_world(template: Template, *, language: str = "es", **fields: Any) -> Ticket:
    """Make a ticket with an assignee, a solution, and an internal note that its requester must not read."""
    agent = make_agent(name="Marta Ruiz", email="marta.ruiz@interno.example")
    make_supervisor(name="Carla Díaz", email="carla.diaz@interno.example", language=language)
    ticket = make_ticket(
        requester=make_user(name="Lucía Gómez", language=language),
        title="Me cobraron <dos> veces",
        **fields,
    )
    stage, kind = STAGE_FOR.get(template, ("procesar", "work"))
    Ticket.objects.filter(pk=ticket.pk).update(
        assignee=agent,
        stage=stage,
        stage_kind=kind,
        solution_done="Anulamos el **segundo** cobro.",
        solution_steps="Borra la caché.",
        solution_sent_at=timezone.now(),
        severity="critical",
        difficulty=5,
    )
    conversation.add_internal_note(ticket, actor=agent, body=SECRET_NOTE)
    return Ticket.objects.get(pk=ticket.pk)


def make_written(template: Template, to: str, language: str = "es", **fields: Any) -> Any:
    ticket = make_world(template, language=language)
    data = {"clock": "resolution"} if template == Template.BREACHED else {}
    return written(make_mail(ticket, template, to=to, actor=ticket.assignee, data=data, **fields))


def test_every_template_has_function_and_three_files():
    assert set(CATALOGUE) == set(TEMPLATES)
    folder = settings.BASE_DIR / "templates" / "emails"
    missing = [
        f"{template}/{part}"
        for template in TEMPLATES
        for part in ("subject.txt", "body.txt", "body.html")
        if not (folder / template / part).is_file()
    ]
    assert missing == []


@EACH
@BOTH
@pytest.mark.parametrize("language", ["es", "en"])
def test_mail_is_complete_in_text_and_html(template, to, language):
    message = make_written(template, to, language)
    html = html_of(message)
    text = " ".join(message.body.split())
    plain_html = " ".join(
        re.sub(r"<[^>]+>", " ", re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL)).split()
    )
    folio = re.match(r"[A-Z]+-\d+ · ", message.subject)

    assert folio, message.subject
    assert len(message.subject) > len(folio[0])
    assert f'lang="{language}"' in html
    heading = message.body.partition("\n")[0]
    assert re.search(rf">\s*{re.escape(heading)}\s*</h1>", html)
    assert text.count("http://127.0.0.1:8000/") >= 1
    url = re.search(r"http://127\.0\.0\.1:8000/(?:agentes/tickets|tickets|enlace)/[\w-]+/", message.body)
    assert url
    assert f'href="{url[0]}"' in html
    assert "{{" not in message.body + html + message.subject
    assert "{%" not in message.body + html + message.subject
    assert "None" not in text + plain_html
    assert "\n\n\n" not in message.body
    assert re.search(r'mso-hide:all;">[^<]{15,}</div>', html), "a preheader"


@EACH
def test_requester_mail_contains_nothing_internal(template):
    message = make_written(template, "requester")
    everything = headers_of(message) + message.subject + message.body + html_of(message)

    for leak in (SECRET_NOTE, "reembolso", "@interno.example", "Procesar ticket", "Crítica", "/agentes/"):
        assert leak not in everything, leak


@EACH
def test_requester_mail_omits_the_event_internal_note(template):
    ticket = make_world(template)
    note = make_message(ticket, author=ticket.assignee, kind=MessageKind.NOTE, body=SECRET_NOTE)

    message = written(make_mail(ticket, template, message=note))

    assert "reembolso" not in message.body + html_of(message) + message.subject


@EACH
@BOTH
def test_event_message_is_in_text_and_html(template, to):
    ticket = make_world(template)
    words = make_message(ticket, author=ticket.assignee, body="Mándanos la *boleta* de <b>mayo</b>.")

    message = written(make_mail(ticket, template, to=to, message=words))

    if template in WITHOUT_WORDS:
        return  # these mails do not show the event's message
    assert "Mándanos la *boleta* de <b>mayo</b>." in message.body
    assert "Mándanos la <em>boleta</em> de &lt;b&gt;mayo&lt;/b&gt;." in html_of(message)


def test_staff_author_without_name_is_shown_as_desk():
    ticket = make_world(Template.REPLY)
    nameless = make_agent(name="", email="sin.nombre@interno.example")
    words = make_message(ticket, author=nameless, author_name="sin.nombre@interno.example")

    message = written(make_mail(ticket, Template.REPLY, message=words))

    assert "Mesa de ayuda escribió" in message.body
    assert "interno.example" not in headers_of(message) + html_of(message)


@BOTH
@EACH
def test_line_breaks_in_title_reach_no_header(template, to):
    ticket = make_world(template)
    Ticket.objects.filter(pk=ticket.pk).update(title="Hola\r\nBcc: todos@example.com\nX-Otra: 1\u2028fin")

    message = written(make_mail(ticket, template, to=to, actor=ticket.assignee))
    parsed = message_from_bytes(message.message().as_bytes(), policy=policy.default)

    assert "\n" not in message.subject
    assert "\r" not in message.subject
    assert parsed["Bcc"] is None
    assert parsed["X-Otra"] is None
    assert parsed.get_all("To") == [message.to[0]]


# --- Contents of single mails -----------------------------------------------------------------------------


@pytest.mark.demand("S0.15")
@pytest.mark.demand("S2.2")
def test_received_mail_has_folio_and_next_steps():
    ticket = make_world(Template.RECEIVED)

    message = written(OutgoingEmail.objects.get(template=Template.RECEIVED))

    assert message.subject == f"{ticket.folio} · Recibimos tu solicitud: Me cobraron <dos> veces"
    for part in ("Tu número de ticket: " + ticket.folio, "Me cobraron <dos> veces", str(ticket.category)):
        assert part in message.body
    assert re.search(r"Te respondemos .+ antes de las? \d", message.body)
    assert re.search(r"Esperamos resolverlo .+ antes de las? \d", message.body)
    assert "te pediremos aprobar el cierre" in message.body
    assert f"lo verá el equipo «{ticket.department}»." in message.body, (
        "the sentence must fit any department's name"
    )
    assert f"http://127.0.0.1:8000/tickets/{ticket.folio}/" in message.body
    assert "Me cobraron &lt;dos&gt; veces" in html_of(message)


WITH_DUE = (
    Template.RECEIVED,
    Template.PREPARED,
    Template.ACCEPTED,
    Template.STARTED,
    Template.PROGRESS,
    Template.STATUS_UPDATE,
)


@pytest.mark.parametrize("template", WITH_DUE, ids=lambda template: template.value)
def test_mail_that_says_a_date_leads_to_why_it_is_that_date(template):
    """Without a date to come, the mail has no such link."""
    ticket = make_world(template)
    address = f"http://127.0.0.1:8000/tickets/{ticket.folio}/fecha/"

    message = written(make_mail(ticket, template))
    assert f"¿Por qué esta fecha?\n{address}\n" in message.body
    assert f'href="{address}"' in html_of(message)

    past = timezone.now() - timedelta(hours=1)
    Ticket.objects.filter(pk=ticket.pk).update(due_at=past, first_response_due_at=past)
    message = written(make_mail(ticket, template))
    assert "fecha/" not in message.body + html_of(message)


def test_guest_opens_the_explanation_from_the_mail(guest_process, client):
    ticket = file_ticket(
        guest_process,
        actor=None,
        category=guest_process.categories.first(),
        title="No abre",
        description="Desde ayer.",
        requester=Requester(email="ana@example.com", name="Ana"),
    )
    body = written(OutgoingEmail.objects.get(ticket=ticket, template=Template.RECEIVED)).body

    [address] = re.findall(r"http://127\.0\.0\.1:8000(/enlace/\S+/fecha/)", body)
    page = client.get(address, follow=True)

    assert page.redirect_chain == [(f"/invitado/{ticket.folio}/fecha/", 302)]
    assert "Lista a más tardar" in page.content.decode()


def test_staff_are_led_to_the_explanation_in_the_back_office():
    ticket = make_world(Template.PREPARED)
    message = written(make_mail(ticket, Template.PREPARED, to="role:supervisor"))
    address = f"http://127.0.0.1:8000/agentes/tickets/{ticket.folio}/fecha/"
    assert f"Ver la cuenta completa: {address}\n" in message.body
    assert f'href="{address}"' in html_of(message)


def test_approval_mail_says_what_silence_leads_to():
    assert (
        "Si no nos dices nada en 5 días, seguiremos con el cierre."
        in make_written(Template.CLOSURE_ASKED, "requester").body
    )


@pytest.mark.demand("S2.44")
@pytest.mark.parametrize(
    ("stage", "kind", "said", "unsaid"),
    [
        ("revision", "verification", "se cierra cuando termine su revisión", "está terminado"),
        ("cerrado", "done", "el caso está terminado", "revisión"),
    ],
)
def test_approved_ticket_is_called_closed_only_when_it_is(stage, kind, said, unsaid):
    ticket = make_world(Template.CLOSURE_APPROVED)
    Ticket.objects.filter(pk=ticket.pk).update(stage=stage, stage_kind=kind)
    body = written(make_mail(ticket, Template.CLOSURE_APPROVED, to="role:supervisor")).body
    assert said in body
    assert unsaid not in body


@pytest.mark.demand("S0.24")
@pytest.mark.demand("S0.23")
@pytest.mark.parametrize("template", [Template.CLOSED, Template.RESOLVED, Template.CLOSURE_ASKED])
def test_solution_mails_show_solution_and_steps(template):
    message = make_written(template, "requester")

    assert "Qué hicimos:\n\nAnulamos el **segundo** cobro." in message.body
    assert "Qué te toca hacer:\n\nBorra la caché." in message.body
    assert "Anulamos el <strong>segundo</strong> cobro." in html_of(message)
    assert "Borra la caché." in html_of(message)


@pytest.mark.parametrize("template", [Template.RESOLVED, Template.CLOSED])
def test_late_mail_shows_the_solution_as_sent(template):
    ticket = make_world(template)
    sent = make_message(
        ticket,
        author=ticket.assignee,
        kind=MessageKind.SOLUTION,
        body="Lo reiniciamos.",
        steps="Entra de nuevo.",
    )
    mail = make_mail(ticket, template, message=sent)
    Ticket.objects.filter(pk=ticket.pk).update(solution_done="Otra cosa.", solution_sent_at=None)

    message = written(mail)

    assert "Qué hicimos:\n\nLo reiniciamos." in message.body
    assert "Qué te toca hacer:\n\nEntra de nuevo." in message.body
    assert "Otra cosa" not in message.body


def test_solution_message_appears_exactly_once():
    ticket = make_world(Template.REPLY)
    for template in (Template.REPLY, Template.RESOLVED):
        sent = make_message(ticket, author=ticket.assignee, kind=MessageKind.SOLUTION, body="Lo reiniciamos.")

        message = written(make_mail(ticket, template, message=sent))

        assert message.body.count("Lo reiniciamos.") == 1, template
        assert "Lo reiniciamos." in html_of(message)


def test_closed_mail_without_solution_shows_none():
    ticket = make_world(Template.CLOSED)
    Ticket.objects.filter(pk=ticket.pk).update(solution_sent_at=None)

    message = written(make_mail(ticket, Template.CLOSED))

    assert "Cerramos tu ticket" in message.subject
    assert "Anulamos" not in message.body + html_of(message)


def test_new_ticket_mail_shows_the_report():
    make_world(Template.NEW_TICKET)

    message = written(OutgoingEmail.objects.get(template=Template.NEW_TICKET))

    assert "Lucía Gómez reportó:\n\nMe sale «Error 500» al entrar." in message.body
    assert "Severidad: Crítica" in message.body


def test_breached_mail_names_the_clock_and_escalation():
    message = make_written(Template.BREACHED, "role:supervisor")

    assert re.search(
        r"El plazo de solución venció el .+, \d+:\d\d\. El ticket es ahora un soporte elevado", message.body
    )


@pytest.mark.parametrize("language", ["es", "en"])
def test_warning_mail_has_both_readings_of_the_time(language):
    """S2.32: the time used, and the time on the wall."""
    ticket = make_world(Template.WARNED, language=language)
    ticket.assignee.language = language
    ticket.assignee.save()
    now = timezone.now()
    ticket.clocks.filter(kind="resolution").update(
        started_at=now - timedelta(hours=30),
        target=timedelta(hours=40, minutes=1),
        due_at=now + timedelta(hours=10, minutes=1),
        stopped_at=None,
        paused_at=None,
    )
    mail = make_mail(ticket, Template.WARNED, to="assignee", data={"clock": "resolution"})
    body = written(mail).body.replace("\xa0", " ")
    used, left = (
        ("30 h de 40 h 1 min", "en 10 horas") if language == "es" else ("30 h of 40 h 1 min", "in 10 hours")
    )
    assert used in body
    assert left in body


def test_warning_of_an_answered_promise_is_not_sent():
    ticket = make_world(Template.WARNED)
    ticket.clocks.filter(kind="resolution").update(stopped_at=timezone.now())
    mail = make_mail(ticket, Template.WARNED, to="assignee", data={"clock": "resolution"})
    with pytest.raises(NotSent):
        written(mail)


def test_files_are_counted_not_named():
    ticket = make_world(Template.REPLY)
    words = make_message(ticket, author=ticket.assignee)
    for name in ("a.png", "b.png"):
        ticket.attachments.create(
            message=words, name=name, kind="image", content_type="image/png", size=1, sha256="0", file=name
        )

    message = written(make_mail(ticket, Template.REPLY, message=words))

    assert "[2 archivos]" in message.body
    assert "a.png" not in message.body + html_of(message)


# --- Readers ----------------------------------------------------------------------------------------------


def test_mail_uses_the_recipient_language():
    reader = make_user(language="en", time_zone="Europe/Madrid", name="Ann Lee")
    make_ticket(requester=reader)
    message = written(OutgoingEmail.objects.get(recipient=reader.email, template=Template.RECEIVED))

    assert "We received your request" in message.subject
    assert "Problem with the platform" in message.body
    assert 'lang="en"' in html_of(message)


@pytest.mark.parametrize("was", ["guest", "account"])
def test_late_mail_does_not_reach_a_former_requester(was, guest_process):
    """The ticket was filed under a wrong address, and staff changed the requester before the mail left (B13)."""
    ticket = file_as_guest(guest_process) if was == "guest" else make_ticket()
    mail = make_mail(ticket, Template.PROGRESS)
    owner = make_user()
    Ticket.objects.filter(pk=ticket.pk).update(requester=owner, requester_email=owner.email)

    with pytest.raises(NotSent) as refusal:
        written(mail)

    assert refusal.value.problem == DeliveryProblem.NO_ACCESS
    assert not GuestToken.objects.exists()


def test_late_mail_reaches_guest_who_opened_an_account(guest_process):
    ticket = file_as_guest(guest_process)
    mail = make_mail(ticket, Template.PROGRESS)
    claim_guest_tickets(make_user(email="victima@example.com"), verified_email="victima@example.com")

    assert written(mail).to == ["victima@example.com"]


@pytest.mark.parametrize("change", ["left", "moved"])
def test_staff_without_access_get_no_late_mail(change):
    agent = make_agent()
    ticket = make_ticket()
    mail = make_mail(ticket, Template.PROGRESS, to="department")
    if change == "left":
        agent.is_active = False
        agent.save()
    else:
        agent.memberships.all().delete()

    with pytest.raises(NotSent) as refusal:
        written(mail)

    assert refusal.value.problem == DeliveryProblem.NO_ACCESS


def test_requester_who_opted_out_gets_no_late_mail():
    ticket = make_ticket()
    mail = make_mail(ticket, Template.PROGRESS)
    Ticket.objects.filter(pk=ticket.pk).update(notify_requester=False)

    with pytest.raises(NotSent) as refusal:
        written(mail)

    assert refusal.value.problem == DeliveryProblem.OPTED_OUT


@pytest.mark.parametrize("template", [Template.CLOSURE_ASKED, Template.SURVEY, Template.VERIFICATION_ASKED])
def test_question_no_longer_open_is_not_mailed(template):
    ticket = make_world(template)
    mail = make_mail(ticket, template)
    Ticket.objects.filter(pk=ticket.pk).update(stage="procesar", stage_kind="work")

    with pytest.raises(NotSent) as refusal:
        written(mail)

    assert refusal.value.problem == DeliveryProblem.OUTDATED
    assert not GuestToken.objects.exists()


# --- Guests -----------------------------------------------------------------------------------------------

SPAM = "COMPRA YA en spam.example"


@pytest.fixture
def guest_process():
    """A process that lets guests file tickets without signing in."""
    source = make_process().current.source
    return publish(source.replace('login = "required"', 'login = "guest"')).process


def file_as_guest(process, *, actor=None) -> Ticket:
    return file_ticket(
        process,
        actor=actor,
        category=process.categories.first(),
        title=SPAM,
        description=SPAM,
        requester=Requester(email="victima@example.com", name=SPAM),
    )


@EACH
def test_guest_text_is_not_mailed_to_unverified_address(template, guest_process):
    """Otherwise anybody could use the public form to send their own text to a third person (B14)."""
    ticket = file_as_guest(guest_process)
    stage, kind = STAGE_FOR.get(template, ("procesar", "work"))
    Ticket.objects.filter(pk=ticket.pk).update(stage=stage, stage_kind=kind)

    event = make_event(ticket, ("requester", template))
    message = written(OutgoingEmail.objects.get(event=event))

    everything = message.subject + message.body + html_of(message) + headers_of(message)
    assert "spam.example" not in everything
    assert "COMPRA" not in everything
    assert ticket.folio in message.subject
    assert "Hola." in message.body


HOSTILE_NAME = "[Pague aquí](http://malo.test) <b hx-post='/x'> %(folio)s {folio} www.malo.test"


def test_name_in_a_standard_answer_is_no_link_in_the_mail(guest_process):
    ticket = file_ticket(
        guest_process,
        actor=None,
        category=guest_process.categories.first(),
        title="No abre",
        description="No abre",
        requester=Requester(email="victima@example.com", name=HOSTILE_NAME),
    )
    body = fill_in("{saludo}, {nombre}: ya está.", ticket)
    message = make_message(ticket, author=make_agent(), body=body)

    mail = written(make_mail(ticket, Template.REPLY, message=message))

    html = html_of(mail)
    assert f"{HOSTILE_NAME}: ya está." in mail.body
    assert "malo.test" not in "".join(re.findall(r"<[^>]*>", html))
    assert "hx-post" not in "".join(re.findall(r"<[^>]*>", html))
    assert HOSTILE_NAME in unescape(html)


def test_subject_shows_names_and_titles_as_text(guest_process):
    ticket = make_ticket(requester=make_user(name=HOSTILE_NAME), title=f"Título {HOSTILE_NAME}")
    make_supervisor()

    subject = written(make_mail(ticket, Template.REQUESTER_REPLIED, to="role:supervisor")).subject

    assert subject == f"{ticket.folio} · {HOSTILE_NAME} respondió: Título {HOSTILE_NAME}"


def test_mail_keeps_indentation_and_tabs_of_a_message():
    ticket = make_ticket()
    log = 'Traceback:\n\tat a.B\n    File "x"\n\n```\na\tb\n```'
    message = make_message(ticket, author=make_agent(), body=log)

    mail = written(make_mail(ticket, Template.REPLY, message=message))

    assert log in mail.body
    assert (
        '<div style="white-space:pre-wrap;"><p style="margin:8px 0 0;">Traceback:<br>\tat a.B<br>'
        in html_of(mail)
    )


def act_with_a_link(ticket: Ticket, email: str) -> None:
    guests.record_use(guests.redeem(guests.issue(ticket, purpose=Purpose.FOLLOW, email=email)))


def test_opening_a_link_does_not_verify_the_address(guest_process):
    ticket = file_as_guest(guest_process)
    guests.redeem(guests.issue(ticket, purpose=Purpose.FOLLOW, email="victima@example.com"))

    message = written(make_mail(ticket, Template.PROGRESS))

    assert SPAM not in message.subject


def test_using_a_link_verifies_the_address(guest_process):
    ticket = file_as_guest(guest_process)
    act_with_a_link(ticket, "victima@example.com")

    message = written(make_mail(ticket, Template.PROGRESS))

    assert SPAM in message.subject


def test_link_of_another_address_does_not_verify(guest_process):
    ticket = file_as_guest(guest_process)
    act_with_a_link(ticket, "otra@example.com")

    message = written(make_mail(ticket, Template.PROGRESS))

    assert SPAM not in message.subject


def test_ticket_filed_by_staff_counts_as_verified(guest_process):
    ticket = file_as_guest(guest_process, actor=make_supervisor())

    message = written(OutgoingEmail.objects.get(ticket=ticket, template=Template.RECEIVED))

    assert SPAM in message.subject


def test_new_link_is_sent_despite_opting_out(guest_process):
    ticket = file_as_guest(guest_process)
    Ticket.objects.filter(pk=ticket.pk).update(notify_requester=False)
    OutgoingEmail.objects.all().delete()

    guests.send_again(folio=ticket.folio, email="Victima@example.com")
    message = written(OutgoingEmail.objects.get(state="queued"))

    assert message.subject == f"{ticket.folio} · Tu enlace para seguir el ticket"
    assert "Pediste un enlace nuevo" in message.body
    assert re.search(r"Seguir mi ticket:\n\S+/enlace/", message.body)
    assert "Recibimos tu solicitud" not in message.body
    assert message.to == ["victima@example.com"]


def test_guest_mail_uses_the_language_of_filing(guest_process):
    ticket = file_ticket(
        guest_process,
        actor=None,
        category=guest_process.categories.first(),
        title="Broken",
        description="It does not work.",
        requester=Requester(email="ann@example.com", name="Ann", language="en"),
    )

    assert OutgoingEmail.objects.get(ticket=ticket, template=Template.RECEIVED).language == "en"
    assert told(Template.RECEIVED) == ["ann@example.com"]


def test_staff_markdown_is_escaped_in_html():
    ticket = make_world(Template.REPLY)
    words = make_message(
        ticket,
        author=ticket.assignee,
        body="<script>alert(1)</script> [x](javascript:alert(1)) ![i](http://t.test/p.png)",
    )

    html = html_of(written(make_mail(ticket, Template.REPLY, message=words)))

    assert "<script" not in html
    assert 'href="javascript' not in html
    assert "<img" not in html
    assert "&lt;script&gt;" in html


def test_staff_read_when_a_closed_ticket_was_closed():
    """Not when it was due."""
    ticket = make_world(Template.REQUESTER_REPLIED)
    assert (
        "Fecha de cierre" in written(make_mail(ticket, Template.REQUESTER_REPLIED, to="role:supervisor")).body
    )

    Ticket.objects.filter(pk=ticket.pk).update(
        stage="cerrado", stage_kind="done", closed_at=datetime(2026, 10, 25, 19, 40, tzinfo=UTC)
    )
    body = written(make_mail(ticket, Template.REQUESTER_REPLIED, to="role:supervisor")).body
    assert re.search(r"Cerrado: domingo 25 de octubre, 15:40", body)
    assert "Fecha de cierre" not in body
