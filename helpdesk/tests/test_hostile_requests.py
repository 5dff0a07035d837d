"""What a stranger may write into a request, on every address of the program: path, query, form, body, headers, cookies
and method. No answer is a 500. `Client` raises what a view raises, so a failure shows its traceback."""

import re
import uuid
from collections.abc import Iterator

import pytest
from django.http import HttpResponseBase
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from accounts.tests.factories import make_administrator, make_supervisor, make_user
from tickets.enums import Purpose
from tickets.models import Ticket
from tickets.requesters import guests
from tickets.tests.factories import make_process, make_ticket

pytestmark = [pytest.mark.slow, pytest.mark.django_db]

NUL, BIDI, LONG, ESCAPE = "a\0b", "\u202e\u2066", "x" * 3000, "\x1b[2J"
VALUES = [
    NUL,
    "9" * 40,
    BIDI,
    "-1",
    LONG,
    "",
    ESCAPE,
    "٣",
    "NaN",
    "[]",
    '{"a": 1}',
    "%",
    "'\"<>",
    "../..",
    "//",
]
PARAMETERS = [
    "q",
    "p",
    "antes",
    "ver",
    "tipo",
    "next",
    "folio",
    "orden",
    "o",
    "e",
    "all",
    "desde",
    "severidad",
]


def routes(found: list[URLPattern | URLResolver], prefix: str = "/") -> Iterator[str]:
    """Yield the route of every URL pattern, such as «/tickets/<str:folio>/»."""
    for pattern in found:
        here = prefix + str(pattern.pattern).removeprefix("^").removesuffix("$").removesuffix(r"\Z")
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, here)
        elif "(?P" not in here:
            yield here


ROUTES = sorted(
    set(routes(get_resolver().url_patterns)) - {"/cuenta/salir/", "/admin/logout/"}
)  # these sign out
SOME = ROUTES[::8]  # for what is read before a view is called


def address(route: str, folio: str, text: str = "") -> str:
    """Return an address of the route. Its text arguments are `text`, or else the ticket's folio and known words."""
    known = {"folio": folio, "action": "preparar"}

    def fill(found: re.Match[str]) -> str:
        kind, _colon, name = found[1].rpartition(":")
        return {"int": "1", "uuid": str(uuid.UUID(int=1))}.get(kind) or text or known.get(name, "x")

    return re.sub(r"<([^>]+)>", fill, route)


@pytest.fixture
def ticket() -> Ticket:
    return make_ticket(make_process(), requester=make_user(email="lucia@example.com"))


@pytest.fixture
def guest(ticket: Ticket) -> Client:
    client = Client()
    for purpose in Purpose:
        client.get(f"/enlace/{guests.issue(ticket, purpose=purpose, email=ticket.requester_email)}/")
    return client


def signed_in(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture(params=["stranger", "customer", "guest", "supervisor", "administrator"])
def visit(request, ticket: Ticket) -> tuple[Client, list[str]]:
    """A person, and the routes that are theirs."""
    admin = request.param == "administrator"
    theirs = [route for route in ROUTES if route.startswith("/admin/") is admin]
    if request.param == "guest":
        theirs = [route for route in theirs if route.startswith(("/invitado/", "/enlace/", "/adjuntos/"))]
        return request.getfixturevalue("guest"), theirs
    people = {
        "customer": lambda: ticket.requester,
        "supervisor": make_supervisor,
        "administrator": make_administrator,
    }
    if request.param == "stranger":
        return Client(), theirs
    if request.param in ("customer", "supervisor"):
        staff = request.param == "supervisor"
        theirs = [route for route in theirs if route.startswith("/agentes/") is staff]
    return signed_in(people[request.param]()), theirs


def survived(answer: HttpResponseBase) -> None:
    assert answer.status_code < 500
    if answer.streaming:
        list(answer)  # a file that is not read to its end stays open


def test_every_route_is_tried():
    assert len(ROUTES) > 100
    assert {"/", "/nuevo/", "/agentes/", "/tickets/", "/cuenta/entrar/"} <= set(ROUTES)


def test_hostile_paths(visit, ticket):
    client, theirs = visit
    for route in theirs:
        if "<" in route:
            for text in (NUL, LONG + BIDI + ESCAPE):
                survived(client.get(address(route, ticket.folio, text)))


def test_hostile_queries(visit, ticket):
    """Each parameter with several of the values, given twice, and among thousands."""
    client, theirs = visit
    for route in theirs:
        here = address(route, ticket.folio)
        for shift in (0, 5):
            mixed = {name: VALUES[(place + shift) % len(VALUES)] for place, name in enumerate(PARAMETERS)}
            survived(client.get(here, mixed))
        survived(client.get(here, {name: ["1", NUL] for name in PARAMETERS}))
    for route in SOME:
        here = address(route, ticket.folio)
        survived(client.get(here, QUERY_STRING="&".join(f"n{number}=1" for number in range(3000))))
        survived(client.get(here, QUERY_STRING="%ff=%fe&%=&=&&;%00=%00&q=%c3%28"))


def test_hostile_forms(visit, ticket):
    """Every field that a page shows gets every kind of value."""
    client, theirs = visit
    for route in theirs:
        if route.startswith(("/admin/account/", "/admin/auth/")):
            continue  # Django's and allauth's own models; a number beyond all rows fails there on SQLite
        here = address(route, ticket.folio)
        page = client.get(here)
        text = "" if page.streaming else page.content.decode(errors="replace")
        names = set(re.findall(r'name="([a-z_0-9-]+)"', text)) | {
            "body",
            "title",
            "email",
            "next",
            "key",
            "version",
        }
        for value in (NUL, "9" * 40):
            survived(client.post(here, dict.fromkeys(names, value)))
        survived(client.post(here, {name: [LONG + BIDI, NUL] for name in names}))


PART = b'--x\r\nContent-Disposition: form-data; name="a"'
BODIES = [
    ("application/x-www-form-urlencoded", "&".join(f"n{number}=1" for number in range(5000)).encode()),
    ("application/x-www-form-urlencoded", b"%ff=%fe&a=%00&\xff\xfe=\x00"),
    ("application/x-www-form-urlencoded; charset=rot13", b"a=b"),
    ("multipart/form-data", b"x"),
    ("multipart/form-data; boundary=", b"--\r\n\r\n"),
    ("multipart/form-data; boundary=\xff", b"--x"),
    ("multipart/form-data; boundary=x; charset=utf-7", b"--x--"),
    ("multipart/form-data; boundary=x", PART.replace(b"a", b"a\0b") + b"\r\n\r\n\0\r\n--x--\r\n"),
    ("multipart/form-data; boundary=x", PART + b'; filename="../\0"\r\n\r\n\0\r\n--x--\r\n'),
    (
        "multipart/form-data; boundary=x",
        PART + b"\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!\r\n--x--\r\n",
    ),
    ("multipart/form-data; boundary=x", (PART + b"\r\n\r\n1\r\n") * 3000 + b"--x--\r\n"),
    ("multipart/form-data; boundary=x", PART + b"\r\n"),
    ("application/json", b"[" * 5000),
    ("", b"\0"),
]


@pytest.mark.parametrize("kind", range(len(BODIES)))
def test_hostile_bodies(ticket, kind):
    content_type, body = BODIES[kind]
    some = (
        SOME[::4] if len(body) > 100_000 else SOME
    )  # the same code refuses it everywhere, after reading it slowly
    for client in (signed_in(ticket.requester), Client(enforce_csrf_checks=True)):
        for route in some:
            survived(client.generic("POST", address(route, ticket.folio), body, content_type=content_type))


HEADERS = [
    {
        "Accept-Language": "x" * 5000,
        "Range": "bytes=" + "0-0," * 500,
        "Referer": "http://[",
        "Origin": "null",
    },
    {
        "Accept-Language": "es;q=9e999,*;q=x",
        "Range": "bytes=" + "9" * 5000 + "-",
        "Referer": f"http://x/{ESCAPE}",
    },
    {"Accept-Language": ",".join(["es"] * 2000), "Range": "bytes=9-1", "Origin": "http://["},
    {"HX-Request": "true", "HX-Target": NUL, "HX-Current-URL": "http://["},
    {"HX-Request": "true", "HX-Target": "side-queues", "HX-Current-URL": "http://["},
    {
        "X-Requested-With": LONG,
        "X-HTTP-Method-Override": "DELETE",
        "User-Agent": f"{NUL}{BIDI}{ESCAPE}{LONG}",
    },
    {
        "If-None-Match": "x",
        "If-Modified-Since": "9" * 5000,
        "If-Match": "x",
        "Expect": "x",
        "Authorization": "x",
    },
    {
        "X-Forwarded-For": f"{NUL}, " * 500,
        "X-Forwarded-Proto": NUL,
        "Forwarded": "for=x",
        "X-Request-ID": NUL,
    },
    {"Cookie": f"desk_session={NUL}; desk_csrf=é; desk_messages=[["},
    {"Cookie": "desk_guest=%00; desk_language=\x1b; desk_theme=\xff; =;=;;"},
    {"Cookie": f"desk_session={LONG}; desk_language={LONG}"},
]


@pytest.mark.parametrize("number", range(len(HEADERS)))
def test_hostile_headers(ticket, settings, number):
    settings.DESK_TRUSTED_PROXIES = ["127.0.0.0/8"]
    headers = HEADERS[number]
    some = ROUTES if "HX-Request" in headers else ROUTES[number % 3 :: 6]
    for client in (Client(), signed_in(make_supervisor())):
        if "Cookie" in headers:
            client.cookies.clear()
        for route in some:
            survived(client.get(address(route, ticket.folio), headers=headers))
            survived(client.post(address(route, ticket.folio), headers=headers))


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "TRACE", "PUT", "PATCH", "DELETE", "PROPFIND"])
def test_other_methods(ticket, method):
    for client in (Client(), signed_in(make_supervisor())):
        for route in ROUTES if method == "HEAD" else ROUTES[::6]:
            answer = client.generic(method, address(route, ticket.folio), headers={"X-Secret": "sésamo"})
            survived(answer)
            if method == "HEAD" and not answer.streaming:
                assert answer.content == b""
            if method == "TRACE" and not answer.streaming:
                assert "sésamo" not in answer.content.decode()
