"""Every kind of page, as each kind of person sees it on the demo's desk, where people have typed one given text."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin, urlsplit

from django.core.cache import cache
from django.core.management import call_command
from django.db import transaction
from django.test import Client
from django.urls import Resolver404, resolve
from zeal import zeal_ignore

from accounts.models import ConnectedApp, User
from demo import example_app
from e2e.forms import read_forms
from helpdesk.tests.written_world import Page
from knowledge.models import ArticleFeedback, ArticleVersion, SolutionPattern, SynonymGroup
from tickets.enums import Purpose
from tickets.models import (
    Attachment,
    ContactEntry,
    Draft,
    IncomingEmail,
    Message,
    Nonconformity,
    SideTask,
    Survey,
    Ticket,
    TicketEvent,
)
from tickets.requesters import guests

TYPED: dict[Any, tuple[str, ...]] = {
    Ticket: ("title", "excerpt", "requester_name", "solution_done", "solution_steps"),
    Message: ("body", "steps", "author_name"),
    Draft: ("body", "steps"),
    ContactEntry: ("note",),
    Nonconformity: ("reason", "review"),
    SideTask: ("title", "details", "result"),
    Survey: ("comment",),
    TicketEvent: ("actor_name",),
    User: ("name",),
    ArticleVersion: ("title", "summary", "body", "note"),
    ArticleFeedback: ("comment",),
    ConnectedApp: ("name",),
    IncomingEmail: ("sender_name", "subject", "text", "quoted"),
    SolutionPattern: ("title", "text"),
    SynonymGroup: ("words",),
}
"""The columns that hold what people typed. Files and answers to the questions of a process are written apart."""

NOT_PAGES = re.compile(
    r"^/(?:cuenta/salir|admin/(?:logout|jsi18n)|adjuntos|ayuda/archivos|static|catalogo)\b|/(?:novedades|pulso)/$"
)
MANY = {"portal:ticket": 4, "portal:guest": 4, "agents:ticket": 6, "agents:prepare_ticket": 2, "change": 6}
"""How many pages of a kind each person opens, if more than one: a ticket looks different at each stage."""


def write_everywhere(text: str, *, long_text: str = "") -> None:
    """Load the demo, and replace all that people typed there by `text`, or where paragraphs fit by `long_text`."""
    call_command("load_demo", verbosity=0)
    for model, names in TYPED.items():
        for name in names:
            column = model._meta.get_field(name)
            value = text if column.max_length else long_text or text
            model.objects.exclude(**{name: ""}).update(**{name: value[: column.max_length]})
    for file in Attachment.objects.all():
        ending = f".{file.name.rpartition('.')[2]}"
        Attachment.objects.filter(pk=file.pk).update(name=f"{text[: 119 - len(ending)]}{ending}")
    for event in TicketEvent.objects.filter(kind__startswith="task_"):
        data = event.data | {"title": text[:120]}
        TicketEvent.objects.filter(pk=event.pk).update(data=data)
    for ticket in Ticket.objects.exclude(fields={}):
        definitions = ticket.definition
        typed = {
            key
            for key in ticket.fields
            if (asked := definitions.field(key)) and asked.type in ("text", "long_text")
        }
        fields = {key: text if key in typed else value for key, value in ticket.fields.items()}
        Ticket.objects.filter(pk=ticket.pk).update(fields=fields)


@dataclass
class Person:
    """Somebody who visits the desk: the email address of their account (none for visitors), and where they begin."""

    name: str
    starts: Sequence[str]
    email: str = ""
    only: str = "/"
    seen: Counter[Any] = field(default_factory=Counter)


@dataclass
class Seen:
    person: str
    address: str
    html: str

    def __str__(self) -> str:
        return f"{self.person} at {self.address}"


def folio_of(email: str) -> str:
    """Return the folio of a ticket that this person has filed and that is still open."""
    return Ticket.objects.open().filter(requester__email=email).values_list("folio", flat=True)[0]


def guest_links() -> Iterator[str]:
    """Yield the address of a new link of each purpose, for each of some tickets, and one that no longer works."""
    asked = Ticket.objects.filter(stage_kind="closure_approval").first()
    others = Ticket.objects.open().filter(requester=None)[:2]
    closed = Ticket.objects.filter(closed_at__isnull=False).first()
    for ticket in filter(None, (asked, *others, closed)):
        for purpose in Purpose:
            email = ticket.requester_email or "ana@example.com"
            yield f"/enlace/{guests.issue(ticket, purpose=purpose, email=email)}/"
    ticket = Ticket.objects.open().filter(requester=None)[0]
    ended = guests.issue(ticket, purpose=Purpose.CONTRIBUTE, email=ticket.requester_email)
    guests.revoke(ticket, Purpose.CONTRIBUTE)
    yield f"/enlace/{ended}/"


def people() -> list[Person]:
    """Return everybody whose pages are walked. The visitor begins at the addresses to which no link leads, too."""
    customer, supervisor = "cliente@demo.test", "supervisor@demo.test"
    asked = Ticket.objects.filter(stage_kind="closure_approval", requester__isnull=False).first()
    others = (
        "/agentes/preparar/",
        "/agentes/buscar/?q=otro",
        "/agentes/tickets/nuevo/",
        "/agentes/inconformidades/",
        "/agentes/colas/todos/?q=nada-de-esto",
        "/agentes/colas/todos/filtros/",
        f"/agentes/tickets/{Ticket.objects.first().folio}/?completa",
        f"/agentes/tickets/{Ticket.objects.open().latest('created_at').folio}/propuesta/",
    )
    visitor = (
        *("/", "/nuevo/", "/buscar/?q=clave", "/buscar/?q=nada-de-esto", "/cuenta/entrar/", "/cuenta/registro/"),
        *("/cuenta/clave/recuperar/", "/cuenta/entrar/codigo/", "/cuenta/inactiva/", "/no-existe/", "/correo/"),
        *("/enlace/nuevo/", "/enlace/nuevo/listo/", "/enlace/inventado/", "/envio-demasiado-grande/"),
        *("/ayuda/", "/asistente/", "/cuenta/clave/recuperar/lista/", "/desde/app/a.b.c/"),
    )  # fmt: skip
    account = ("/perfil/", "/cuenta/correo/", "/cuenta/clave/cambiar/", "/cuenta/dos-pasos/")
    return [
        Person("a visitor", visitor),
        Person("a guest", list(guest_links())),
        Person("a customer", ("/", "/tickets/", "/nuevo/", *account), customer),
        Person("who must approve", [f"/tickets/{asked.folio}/"], asked.requester.email, only="/tickets/"),
        Person("an inactive customer", ("/",), "inactivo@demo.test", only="/tickets/"),
        Person("an agent", ("/agentes/",), "tecnico@demo.test", only="/agentes/tickets/"),
        Person("a supervisor", ("/agentes/", *others), supervisor, only="/agentes/"),
        Person(
            "an administrator at the desk",
            (
                "/agentes/ajustes/aplicaciones/",
                "/agentes/ajustes/nueva-aplicacion/",
                "/agentes/ajustes/aplicaciones/parkiapp/",
            ),
            "admin@demo.test",
            only="/agentes/ajustes/aplicaciones/",
        ),
        Person("an administrator", ("/admin/",), "admin@demo.test", only="/admin/"),
    ]


def app_link() -> str:
    """Return the address of an app's link. In a browser its page goes on to another at once."""
    somebody = example_app.PEOPLE["nueva"] | {"locale": "", "name": "Zq"}
    return f"/desde/app/{example_app.signed(somebody)}/"


def kind_of(address: str) -> tuple[Any, str]:
    """Return what pages have in common that look alike, such as the view and the action, and the view's name."""
    parts = urlsplit(address)
    try:
        match = resolve(parts.path)
    except Resolver404:
        return parts.path, ""
    if match.app_name == "admin":
        kind = match.url_name.rpartition("_")[2]  # the pages of all models are made of the same templates
        return (kind,), kind
    words = {
        key: value for key, value in match.kwargs.items() if key in ("action", "key", "name", "item", "form")
    }
    topic = parts.query if "tipo=" in parts.query else ""
    return (match.view_name, *sorted(words.items()), topic), match.view_name


def is_new(person: Person, address: str) -> bool:
    """Whether few pages of this address's kind have been opened so far. Counts it."""
    kind, name = kind_of(address)
    person.seen[kind] += 1
    person.seen[address.partition("#")[0]] += 1
    return person.seen[kind] <= MANY.get(name, 1) and person.seen[address.partition("#")[0]] == 1


def is_whole_page(text: str) -> bool:
    return text.lstrip()[:14].lower() == "<!doctype html"


def walk(person: Person, open_page: Callable[[str], tuple[str, str] | None]) -> Iterator[tuple[str, str]]:
    """Yield address and HTML of each page that links lead to from where the person begins. `open_page` returns them
    after redirects, or None where there is no page."""
    waiting = list(person.starts)
    while waiting:
        address = waiting.pop(0)
        path = urlsplit(address).path
        if NOT_PAGES.search(path) or not is_new(person, address):
            continue
        opened = open_page(address)
        if opened is None:
            continue
        here, html = opened
        yield here, html
        links = (urljoin(here, href) for href in Page(html).links)
        waiting += [link for link in links if link.startswith(person.only)]


def every_page(language: str) -> Iterator[Seen]:
    """Yield every page in this language, and each again as it answers a form that was sent without answers."""
    User.objects.update(language=language)
    everybody = people()
    everybody[0].starts = [*everybody[0].starts, app_link()]
    for person in everybody:
        client = Client(raise_request_exception=True, headers={"accept-language": language})
        if person.email:
            client.force_login(User.objects.get(email=person.email))

        def open_page(address: str, client: Client = client) -> tuple[str, str] | None:
            cache.clear()
            with zeal_ignore():  # the budgets of queries are tested elsewhere, and Django's admin has none
                response = client.get(address, follow=True)
            html = response.getvalue().decode(errors="replace")
            return (response.request["PATH_INFO"], html) if is_whole_page(html) else None

        for address, html in walk(person, open_page):
            yield Seen(person.name, address, html)
            if person.name != "an administrator":
                yield from refused_forms(person, client, address, html)


def refused_forms(person: Person, client: Client, here: str, html: str) -> Iterator[Seen]:
    """Yield the pages that answer the forms of `html`, sent without answers. All that they change is rolled back."""
    for form in read_forms(html):
        action = form.action or here
        if form.method != "post" or person.seen["sent", kind_of(action)[0]]:
            continue
        person.seen["sent", kind_of(action)[0]] += 1
        if NOT_PAGES.search(action) or "/idioma/" in action or "/tema/" in action:
            continue
        kept = {name: form.fields.get(name, "") for name in ("version", "key", "stamp", "asks_shown")}
        cookies = {name: morsel.value for name, morsel in client.cookies.items()}
        cache.clear()
        with transaction.atomic(), zeal_ignore():
            response = client.post(urljoin(here, action), kept)
            transaction.set_rollback(True)
        for name, value in cookies.items():
            client.cookies[name] = value
        if response.status_code >= 400 and is_whole_page(response.content.decode()):
            yield Seen(person.name, f"{action} sent without answers", response.content.decode())
