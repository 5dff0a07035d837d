"""Texts of people and of process files are shown as text, on every page and in every mail.

They hold an element and an attribute of htmx, which would act with the reader's session although the content security
policy forbids scripts.
"""

from collections.abc import Callable

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from accounts.models import User
from helpdesk.tests.written_world import PAGES, Page, desk_ending_in, walk
from notifications.models import OutgoingEmail
from notifications.outgoing import composing
from notifications.outgoing.emails import NotSent
from notifications.tests.factories import make_event, make_message
from tickets.definitions.definition import FieldDefinition, Text
from tickets.definitions.fields import form_field
from tickets.enums import Purpose, Template
from tickets.models import Ticket
from tickets.requesters import guests
from tickets.tests.conftest import play  # noqa: F401
from tickets.tests.playing import Play

pytestmark = [pytest.mark.slow, pytest.mark.django_db]

HOSTILE = "\"'><evil-x hx-get=/evil evil=1>"
ONE_WORD = "\"'><evil-x/evil=1>"
"""Rows and greetings show the first word of a name."""


@pytest.fixture
def hostile_desk(play: Callable[..., Play], monkeypatch: pytest.MonkeyPatch) -> Play:  # noqa: F811
    desk = desk_ending_in(HOSTILE, play, monkeypatch)
    User.objects.update(name=f"{ONE_WORD} {HOSTILE}")
    return desk


def assert_pages_are_inert(client: Client, *starts: str, at_least: int, pages: int = PAGES) -> None:
    shown = 0
    for address, html in walk(client, *starts, pages=pages):
        assert Page(html).intruders == [], address
        shown += "&lt;evil-x" in html
    assert shown >= at_least, f"only {shown} pages show a hostile text"


@pytest.mark.parametrize(("language", "pages"), [("es", PAGES), ("en", 20)])
def test_hostile_texts_are_text_on_every_page(hostile_desk: Play, language: str, pages: int):
    """In English on the first pages of each person: the same templates draw the others' texts."""
    p = hostile_desk
    User.objects.update(language=language)

    others = (
        "/agentes/preparar/",
        "/agentes/buscar/?q=otro",
        "/agentes/tickets/nuevo/",
        "/agentes/inconformidades/",
    )
    for person, starts, at_least in (
        (p.customer, ("/", "/nuevo/", f"/tickets/{p.ticket.folio}/?completa"), 10),
        (p.agent, ("/agentes/", f"/agentes/tickets/{p.ticket.folio}/?completa"), 8),
        (p.supervisor, ("/agentes/", f"/agentes/tickets/{p.ticket.folio}/", *others), 15),
    ):  # fmt: skip
        client = Client()
        client.force_login(User.objects.get(pk=person.pk))
        assert_pages_are_inert(client, *starts, at_least=min(at_least, pages // 4), pages=pages)
    assert_pages_are_inert(Client(), "/", "/nuevo/", at_least=5, pages=pages)
    guest = Client()
    ticket = Ticket.objects.filter(requester_email="ana@example.com").first()
    link = guests.issue(ticket, purpose=Purpose.FOLLOW, email="ana@example.com")
    assert_pages_are_inert(guest, f"/enlace/{link}/", at_least=2, pages=pages)


def test_hostile_texts_are_text_in_every_mail(hostile_desk: Play):
    p = hostile_desk
    for template in Template:
        message = make_message(p.ticket, author=p.agent, body=f"Seguimiento {HOSTILE}")
        make_event(p.ticket, ("requester", template), ("role:supervisor", template), message=message)

    composed = 0
    for mail in OutgoingEmail.objects.filter(state="queued"):
        try:
            message = composing.compose(composing.load(mail.pk)).message
        except NotSent:
            continue
        composed += 1
        assert Page(message.alternatives[0].content).intruders == [], mail.template
        assert "\n" not in message.subject
    assert composed >= 2 * len(Template)


def test_refused_answers_repeat_texts_of_the_process_as_text(hostile_desk: Play):
    """Messages of a process for wrong answers may hold markup and percent signs."""
    definition = FieldDefinition(
        key="codigo",
        label=Text(es=HOSTILE),
        type="text",
        pattern="[0-9]+",
        pattern_help=Text(es=f"Del 0 % al 9 % {HOSTILE}"),
    )
    with pytest.raises(ValidationError) as refused:
        form_field(definition).clean("x")
    assert refused.value.messages == [f"Del 0 % al 9 % {HOSTILE}"]
