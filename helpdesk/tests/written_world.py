"""A desk on which one text stands at the end of everything that people can write, and a walk through its pages."""

import io
import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from django.core.cache import cache
from django.test import Client

from accounts.models import CustomerKind, Department, User
from tickets.attachments import keep_draft
from tickets.definitions.definition import Definition
from tickets.definitions.loading import library
from tickets.enums import ContactKind, MessageKind
from tickets.tests.factories import make_process
from tickets.tests.playing import Play, prepared
from tickets.workflow import conversation
from tickets.workflow.intake import Requester, file_ticket

PAGES = 90  # per person
SKIPPED = re.compile(r"/(?:admin|cuenta/salir|adjuntos|archivos|static|catalogo|correo)\b|/miniatura")


class Page(HTMLParser):
    """The links of a page, and the elements and attributes that a hostile text with «evil» has added to it."""

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


def source_ending_in(text: str, source: str) -> str:
    """Return the process file with `text` at the end of every text that people read. Guests may file it."""
    end = text.replace('"', '\\"')
    source = re.sub(r'((?:\bes|\ben) = """)', rf"\1{end} ", source)
    source = re.sub(r'((?:\bes|\ben) = "(?!"")(?:[^"\\\n]|\\.)*)"', lambda found: f'{found[1]}{end}"', source)
    return source.replace('login = "required"', 'login = "guest"')


ANSWERS = {"choice": lambda item: item.options[0].key, "multi_choice": lambda item: [item.options[0].key]}
PLAIN = {"number": "7", "date": "2026-03-01", "phone": "+58 212 771 9011", "yes_no": True}


def answers_to(definition: Definition, category: str, text: str) -> dict[str, Any]:
    """Return an answer to each question of the process. Those with a pattern or a short limit get a plain one."""
    answers: dict[str, Any] = {}
    for item in definition.intake_fields(category):
        if item.type in ANSWERS:
            answers[item.key] = ANSWERS[item.type](item)
        elif item.pattern or (item.max_length or 200) < len(text) + 5:
            answers[item.key] = "12345"
        else:
            answers[item.key] = PLAIN.get(item.type, f"Dato {text}")
    return answers


def desk_ending_in(text: str, play: Callable[..., Play], monkeypatch: pytest.MonkeyPatch) -> Play:
    """Return a play with a ticket of each process, and messages, files, notes and drafts that end in `text`."""
    sources = {key: source_ending_in(text, source) for key, source in library().items()}
    monkeypatch.setattr("tickets.tests.factories.library", lambda: sources)
    p = play("soporte-con-aprobacion", title=f"Título {text}", description=f"Informe {text}")
    p.careful = False
    kind = CustomerKind.objects.create(key="otro", name=f"Tipo {text}", name_en=f"Kind {text}")
    User.objects.update(name=f"Persona {text}", phone=text[:32], kind=kind)
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
                title=f"De {key} {text}",
                description=f"Informe {text}",
                phone="+58 212 771 9011",
                requester=None if requester else Requester(email="ana@example.com", name=f"Ana {text}"),
                fields=answers_to(process.definition, category.key, text),
            )
    Department.objects.update(name=f"Departamento {text}", name_en=f"Department {text}")
    p.do(p.supervisor, "preparar", **prepared(p))
    conversation.add_internal_note(p.ticket, actor=p.agent, body=f"Nota {text} @{p.supervisor.email}")
    p.contact(ContactKind.CALL)
    keep_draft(
        io.BytesIO(b"hola"), name=f"{text}.txt", draft_key="r", actor=p.customer, limits=p.definition.files
    )
    conversation.reply(p.ticket, actor=p.customer, body=f"Respuesta {text}", draft_key="r")
    p.follow_up(f"Seguimiento {text}")
    conversation.save_draft(p.ticket, actor=p.agent, mode=MessageKind.FOLLOW_UP, body=f"Borrador {text}")
    return p


def walk(client: Client, *starts: str, pages: int = PAGES) -> Iterator[tuple[str, str]]:
    """Yield the pages that links lead to from `starts`, at most `pages`: one for each path, and one for each category
    of a report."""
    waiting, seen = list(starts), set[tuple[str, str]]()
    while waiting and len(seen) < pages:
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
