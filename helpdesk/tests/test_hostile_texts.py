"""Texts of people and of process files are shown as text, on every page and in every mail.

They hold an element and an attribute of htmx, which would act with the reader's session although the content security
policy forbids scripts.
"""

import io
import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.test import Client

from accounts.models import CustomerKind, Department, User
from notifications.models import OutgoingEmail
from notifications.outgoing import composing
from notifications.outgoing.emails import NotSent
from notifications.tests.factories import make_event, make_message
from tickets.attachments import keep_draft
from tickets.definitions.definition import Definition, FieldDefinition, Text
from tickets.definitions.fields import form_field
from tickets.definitions.loading import library
from tickets.enums import ContactKind, MessageKind, Purpose, Template
from tickets.models import Ticket
from tickets.requesters import guests
from tickets.tests.conftest import play  # noqa: F401
from tickets.tests.factories import make_process
from tickets.tests.playing import Play, prepared
from tickets.workflow import conversation
from tickets.workflow.intake import Requester, file_ticket

pytestmark = pytest.mark.django_db

HOSTILE = "\"'><evil-x hx-get=/evil evil=1>"
PAGES = 90  # per person
SKIPPED = re.compile(r"/(?:admin|cuenta/salir|adjuntos|archivos|static|catalogo|correo)\b|/miniatura")


class Page(HTMLParser):
    """The links of a page, and the elements and attributes that a hostile text has added to it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.intruders: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if "evil" in name or (name.startswith("hx-") and value == "/evil"):
                self.intruders.append(f"<{tag} {name}={value}>")
            if name in ("href", "hx-get", "action") and value and not value.startswith("#"):
                self.links.append(value)
        if "evil" in tag:
            self.intruders.append(f"<{tag}>")


def hostile_source(source: str) -> str:
    """Return the process file with a hostile end on every text that people read."""
    end = HOSTILE.replace('"', '\\"')
    source = re.sub(r'((?:\bes|\ben) = """)', rf"\1{end} ", source)
    source = re.sub(r'((?:\bes|\ben) = "(?!"")(?:[^"\\\n]|\\.)*)"', lambda found: f'{found[1]}{end}"', source)
    return source.replace('login = "required"', 'login = "guest"')


ANSWERS = {"choice": lambda item: item.options[0].key, "multi_choice": lambda item: [item.options[0].key]}
PLAIN = {"number": "7", "date": "2026-03-01", "phone": "+58 212 771 9011", "yes_no": True}


def answers_to(definition: Definition, category: str) -> dict[str, Any]:
    """Return an answer to each question of the process. Those with a pattern or a short limit get a plain one."""
    answers: dict[str, Any] = {}
    for item in definition.intake_fields(category):
        if item.type in ANSWERS:
            answers[item.key] = ANSWERS[item.type](item)
        elif item.pattern or (item.max_length or 99) < 60:
            answers[item.key] = "12345"
        else:
            answers[item.key] = PLAIN.get(item.type, f"Dato {HOSTILE}")
    return answers


@pytest.fixture
def hostile_desk(play: Callable[..., Play], monkeypatch: pytest.MonkeyPatch) -> Play:  # noqa: F811
    """A ticket of each process, and everything that people can write on them, all of it hostile."""
    sources = {key: hostile_source(source) for key, source in library().items()}
    monkeypatch.setattr("tickets.tests.factories.library", lambda: sources)
    p: Play = play("soporte-con-aprobacion", title=f"Título {HOSTILE}", description=f"Informe {HOSTILE}")
    p.careful = False
    kind = CustomerKind.objects.create(key="hostil", name=f"Tipo {HOSTILE}", name_en=f"Kind {HOSTILE}")
    User.objects.update(name=f"Persona {HOSTILE}", phone=HOSTILE[:32], kind=kind)
    for person in (p.supervisor, p.agent, p.customer):
        person.refresh_from_db()
    for key in sources:
        process = make_process(key)
        category = process.categories.first()
        for requester in (p.customer, None):
            file_ticket(
                process,
                actor=requester,
                category=category,
                title=f"De {key} {HOSTILE}",
                description=f"Informe {HOSTILE}",
                phone="+58 212 771 9011",
                requester=None if requester else Requester(email="ana@example.com", name=f"Ana {HOSTILE}"),
                fields=answers_to(process.definition, category.key),
            )
    Department.objects.update(name=f"Departamento {HOSTILE}", name_en=f"Department {HOSTILE}")
    p.do(p.supervisor, "preparar", **prepared(p))
    conversation.add_internal_note(p.ticket, actor=p.agent, body=f"Nota {HOSTILE} @{p.supervisor.email}")
    p.contact(ContactKind.CALL)
    file = io.BytesIO(b"hola")
    keep_draft(
        file, name=f"captura {HOSTILE}.txt", draft_key="r", actor=p.customer, limits=p.definition.files
    )
    conversation.reply(p.ticket, actor=p.customer, body=f"Respuesta {HOSTILE}", draft_key="r")
    p.follow_up(f"Seguimiento {HOSTILE}")
    conversation.save_draft(p.ticket, actor=p.agent, mode=MessageKind.FOLLOW_UP, body=f"Borrador {HOSTILE}")
    return p


def walk(client: Client, *starts: str) -> Iterator[tuple[str, str]]:
    """Yield the pages that links lead to from `starts`, at most `PAGES`: one for each path, and one for each category of
    a report."""
    waiting, seen = list(starts), set[tuple[str, str]]()
    while waiting and len(seen) < PAGES:
        address = waiting.pop(0)
        path, query = urlsplit(address).path, urlsplit(address).query
        page = (path, query if "tipo=" in query else "")
        if page in seen or SKIPPED.search(path):
            continue
        seen.add(page)
        cache.clear()
        response = client.get(address, follow=True)
        if "text/html" not in response.get("Content-Type", ""):
            continue
        html = response.content.decode()
        yield address, html
        here = response.request["PATH_INFO"]
        waiting += [
            link for link in (urljoin(here, href) for href in Page(html).links) if link.startswith("/")
        ]


def assert_pages_are_inert(client: Client, *starts: str, at_least: int) -> None:
    shown = 0
    for address, html in walk(client, *starts):
        assert Page(html).intruders == [], address
        shown += "&lt;evil-x" in html
    assert shown >= at_least, f"only {shown} pages show a hostile text"


@pytest.mark.parametrize("language", ["es", "en"])
def test_hostile_texts_are_text_on_every_page(hostile_desk: Play, language: str):
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
        assert_pages_are_inert(client, *starts, at_least=at_least)
    assert_pages_are_inert(Client(), "/", "/nuevo/", at_least=5)
    guest = Client()
    ticket = Ticket.objects.filter(requester_email="ana@example.com").first()
    link = guests.issue(ticket, purpose=Purpose.FOLLOW, email="ana@example.com")
    assert_pages_are_inert(guest, f"/enlace/{link}/", at_least=2)


@pytest.mark.parametrize("template", list(Template), ids=lambda template: template.value)
def test_hostile_texts_are_text_in_every_mail(hostile_desk: Play, template: Template):
    p = hostile_desk
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
    assert composed >= 10


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
