"""The pages to measure, the people who ask for them, and what is promised of each page.

`bench.prepare` computes them in the process that has the database, and sends them to the bench as JSON.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from accounts.models import User
    from tickets.models.querysets import TicketQuerySet

FLOOR = "floor"
EXAMPLES, CUSTOMERS = 200, 24
SPELLINGS = 512
OWN_TICKETS = (3, 60)  # customers with so many are measured


@dataclass(frozen=True)
class Step:
    """One request: for `path`; or, without a path, for the place to which the last answer leads; or sending the form of
    the last page that has a field called `form`."""

    path: str = ""
    form: str = ""
    data: dict[str, str] = field(default_factory=dict)
    status: int = 200
    contains: str = ""
    is_htmx: bool = False


@dataclass(frozen=True)
class Promise:
    times_floor: float | None = None
    """p50 at most this many times that of the floor page, with the same number of clients."""
    growth: float | None = None
    """p50 at the largest size at most this many times that at the smallest, beyond the floor page's own growth."""
    share_of_floor: float | None = None
    """With several clients, requests per second at least this share of the floor page's."""


@dataclass(frozen=True)
class Page:
    key: str
    label: str
    who: list[str]
    """People who ask in turn. An empty list stands for new guests."""
    steps: list[Step]
    values: list[dict[str, str]] = field(default_factory=lambda: [{}])
    """Values for the steps' paths, used in turn. `n` is a number that no other journey has."""
    before: list[Step] = field(default_factory=list)
    """Steps that are not measured, such as getting the form."""
    writes: bool = False
    promise: Promise = Promise()


QUEUE = Promise(times_floor=4, growth=1.1)
FOLIO = Promise(times_floor=3, growth=1.1)
PROMISES = {
    "all": QUEUE,
    "all_agent": QUEUE,
    "filtered": QUEUE,
    "mine": QUEUE,
    "small": QUEUE,
    "staff": QUEUE,
    "ticket": Promise(times_floor=3.5),
    "prepare": Promise(times_floor=5, growth=1.1),
    "panel": FOLIO,
    "panel_list": FOLIO,
    "map": FOLIO,
    "history": FOLIO,
    "history_filter": FOLIO,
    "common": FOLIO,
    "rare": FOLIO,
    "palette": FOLIO,
    "folio": FOLIO,
    "elsewhere": FOLIO,
    "help_common": Promise(times_floor=3),
    "help_rare": Promise(times_floor=3),
    "help_wrong": Promise(times_floor=3),
    "help_missing": Promise(times_floor=3),
    # django-helpdesk files 0.28 times as many reports as the same floor page answers requests, on the same server
    "filing": Promise(times_floor=4, share_of_floor=0.28),
    "reply": Promise(times_floor=6),
}


def page_from(given: dict[str, Any]) -> Page:
    """Return the page that was sent as JSON."""
    steps = {name: [Step(**step) for step in given[name]] for name in ("steps", "before")}
    return Page(**{**given, **steps, "promise": Promise(**given["promise"])})


def cast_of() -> "dict[str, User]":
    """Return the people who sign in, by name: all staff, and customers with some tickets."""
    from django.db.models import Count

    from accounts.enums import Role
    from accounts.models import User

    agents = User.objects.filter(role=Role.AGENT).order_by("pk")
    supervisors = User.objects.filter(role=Role.SUPERVISOR).order_by("pk")
    least, most = OWN_TICKETS
    customers = User.objects.filter(role=Role.CUSTOMER).annotate(n=Count("requested_tickets")).order_by("pk")
    return {
        **{f"agent{number}": user for number, user in enumerate(agents)},
        **{f"supervisor{number}": user for number, user in enumerate(supervisors)},
        **{
            f"customer{number}": user
            for number, user in enumerate(customers.filter(n__gte=least, n__lte=most)[:CUSTOMERS])
        },
    }


def pages(cast: "dict[str, User]", size: int) -> Iterator[Page]:
    """Yield the pages, first those that change nothing."""
    yield Page(FLOOR, "Floor", ["supervisor0"], [Step("/bench/floor/", contains="</table>")])
    for page in (*_queues(cast), *_tickets(size), *_searches(size), *_portal(cast), *_writing(cast)):
        yield _promised(page)


def _promised(page: Page) -> Page:
    return replace(page, promise=PROMISES.get(page.key, Promise()))


def _queues(cast: "dict[str, User]") -> Iterator[Page]:
    from django.urls import reverse
    from django.utils import timezone

    from accounts.models import Department
    from bench.people import ARCHIVE
    from tickets.lists.queues import ALL

    staff = [name for name in cast if not name.startswith("customer")]
    small = [name for name in staff if name.startswith("agent")][-1]
    everything = reverse("agents:queue_of", args=[ALL.key])
    open_page = [Step(everything, contains="</main>")]
    departments = Department.objects.exclude(key=ARCHIVE).order_by("key").values_list("key", flat=True)
    by_department = [{"department": key} for key in departments]
    filtered = [Step(f"{everything}?departamento={{department}}&etapa=work", contains="</main>")]
    yield Page("all", "Queue: all open, supervisor", ["supervisor0"], open_page)
    yield Page("all_agent", "Queue: all open, agent", ["agent0"], open_page)
    yield Page("filtered", "Queue: department and stage", ["supervisor0"], filtered, by_department)
    yield Page("mine", "Queue: mine", ["agent0"], [Step(reverse("agents:queue"), contains="</main>")])
    yield Page("small", "Queue: agent who sees 20 tickets", [small], open_page)
    yield Page("staff", "Queue: the 40 in turn", staff, open_page)
    prepare = [Step(reverse("agents:prepare"), status=302), Step(contains="</main>")]
    panel, listed, process = (
        reverse(f"agents:{name}") for name in ("panel", "panel_tickets", "process_times")
    )
    yield Page("panel", "Panel: 30 days", ["supervisor0"], [Step(panel, contains="</main>")])
    yield Page("map", "Map of a process: 30 days", ["supervisor0"], [Step(process, contains="</main>")])
    days = [timezone.localdate() - timedelta(days=number) for number in range(120)]
    ranges = [{"first": f"{first}", "last": f"{last}"} for first, last in zip(days[29:], days, strict=False)]
    behind = f"{listed}?medida=resolved"
    yield Page(
        "panel_list", "Panel: list behind a number", ["supervisor0"], [Step(behind, contains="</main>")]
    )
    for key, name, address in (
        ("panel", "Panel: 30 days, made anew", f"{panel}?"),
        ("map", "Map of a process: 30 days, made anew", f"{process}?"),
        ("panel_list", "Panel: list behind a number, made anew", f"{behind}&"),
    ):
        anew = Step(f"{address}desde={{first}}&hasta={{last}}", contains="</main>")
        yield Page(f"{key}_anew", name, ["supervisor0"], [anew], ranges)
    yield Page("prepare", "«Preparar»: redirect and page", ["supervisor0"], prepare)


def _tickets(size: int) -> Iterator[Page]:
    from bench.filling import folio_of
    from tickets.models import Ticket

    folios = [{"folio": folio_of(1 + number * 7919 % size)} for number in range(EXAMPLES)]
    yield Page("ticket", "Ticket, back office", ["supervisor0"], [_ticket()], folios)
    proposed = Step("/agentes/tickets/{folio}/propuesta/", is_htmx=True)
    newest = Ticket.objects.open().order_by("-created_at", "-pk").values_list("folio", flat=True)
    opened = [{"folio": folio} for folio in newest[:EXAMPLES]]
    yield Page("proposal", "Proposal beside it", ["supervisor0"], [proposed], opened)


def _ticket() -> Step:
    return Step("/agentes/tickets/{folio}/", contains="{folio}")


def _searches(size: int) -> Iterator[Page]:
    from django.urls import reverse

    from bench.filling import folio_of
    from tickets.lists.queues import ALL
    from tickets.models import Ticket

    folios = [{"folio": folio_of(1 + number * 6007 % size)} for number in range(EXAMPLES)]
    palette = [Step(f"{reverse('agents:palette')}?q={{folio}}", contains="{folio}", is_htmx=True)]
    folio = [Step(f"{reverse('agents:queue_of', args=[ALL.key])}?q={{folio}}", contains="</main>")]
    yield Page("palette", "Ctrl K with a folio", ["supervisor0"], palette, folios)
    waiting = _folios(Ticket.objects.open())
    yield Page("folio", "Queue search by folio", ["supervisor0"], folio, waiting)
    closed = _folios(Ticket.objects.closed())
    yield Page("elsewhere", "Same, a closed ticket's folio", ["supervisor0"], folio, closed)
    yield from _history(reverse("agents:history"))


def _history(everything: str) -> Iterator[Page]:
    """Yield the history's pages as they are kept for a person, and again with an address that nobody has asked for: a
    view that cannot exist changes nothing and takes no query."""
    from bench.words import ABSENT, COMMON, RARE

    for key, name, query in (
        ("history", "History: all", ""),
        ("history_filter", "History: filtered and sorted", "estado=terminados&severidad=high&orden=-cerrado"),
        ("common", "History search: a common word", f"q={COMMON}"),
        ("rare", "History search: a rare word", f"q={RARE}"),
        ("absent", "History search: an absent word", f"q={ABSENT}"),
    ):
        address = f"{everything}?{query}"
        yield Page(key, name, ["supervisor0"], [Step(address, contains="</main>")])
        anew = Step(f"{address}&vista=x{{n}}", contains="</main>")
        yield Page(f"{key}_anew", f"{name}, made anew", ["supervisor0"], [anew])


def _portal(cast: "dict[str, User]") -> Iterator[Page]:
    from django.urls import reverse

    from tickets.models import Ticket

    customers = [name for name in cast if name.startswith("customer")]
    yield Page("home", "Portal home", customers, [Step(reverse("portal:home"), contains="</main>")])
    yield from _help(customers)
    yield Page("own", "«Mis tickets»", customers, [Step(reverse("portal:ticket_list"), contains="</main>")])
    # One closed ticket each: nothing changes it while the bench runs.
    closed = [Ticket.objects.closed().requested_by(cast[name]).order_by("pk").first() for name in customers]
    owners = [name for name, ticket in zip(customers, closed, strict=True) if ticket is not None]
    values = [
        {"folio": ticket.folio, "v": str(ticket.public_version)} for ticket in closed if ticket is not None
    ]
    yield Page("portal", "Ticket, portal", owners, [Step("/tickets/{folio}/", contains="{folio}")], values)
    poll = [Step("/tickets/{folio}/novedades/?v={v}", status=204)]
    yield Page("poll", "Poll, nothing new (204)", owners, poll, values)


def _help(customers: list[str]) -> Iterator[Page]:
    """Yield the portal's search among the articles, whose number does not depend on that of the tickets."""
    from django.urls import reverse

    from bench.articles import COMMON, MISSING, RARE, WRONG

    search = reverse("portal:search")
    for key, name, query in (
        ("help_common", "Portal search: common words", COMMON),
        ("help_rare", "Portal search: rare words", RARE),
        ("help_wrong", "Portal search: a typing error", WRONG),
        ("help_missing", "Portal search: nothing found", MISSING),
    ):
        yield Page(key, name, customers, [Step(f"{search}?q={query}".replace(" ", "+"), contains="</main>")])
        anew = [Step(f"{search}?q={{q}}", contains="</main>")]
        yield Page(f"{key}_anew", f"{name}, made anew", customers, anew, list(_written_otherwise(query)))
    article = [Step(f"{reverse('portal:article', args=['articulo-1'])}", contains="</main>")]
    yield Page("article", "Article", customers, article)


def _written_otherwise(query: str) -> Iterator[dict[str, str]]:
    """Yield the query in other capitals each time: it finds the same, and nothing that was kept."""
    for number in range(SPELLINGS):
        letters = [char.upper() if number >> place & 1 else char for place, char in enumerate(query)]
        yield {"q": "".join(letters).replace(" ", "+")}


def _writing(cast: "dict[str, User]") -> Iterator[Page]:
    from tickets.models import Ticket

    report = {
        "title": "No puedo abrir el documento",
        "description": "El documento no abre desde ayer. Caso {n}.",
    }
    who = {"email": "invitado{n}@bench.test", "name": "Invitada {n}"}
    yield Page(
        "filing",
        "Filing as a guest: POST and page",
        [],
        [Step(form="email", data=who, status=302), Step(contains="</main>")],
        before=[
            Step("/nuevo/bench-{n}/detalles/?tipo=solicitud-guiada.asistencia-tecnica"),
            Step(form="title", data=report, status=302),
            Step(status=302),  # without script the answers that fit come first; here none does
            Step(),
        ],
        writes=True,
    )
    text = {"mode": "follow_up", "body": "Lo estamos revisando, respuesta {n}."}
    yield Page(
        "reply",
        "Reply: POST and page",
        [name for name in cast if name.startswith("supervisor")],
        [Step(form="body", data=text, status=302), Step(contains="respuesta {n}.")],
        _folios(Ticket.objects.open(), EXAMPLES * 4),
        before=[_ticket()],
        writes=True,
    )


def _folios(tickets: "TicketQuerySet", count: int = EXAMPLES) -> list[dict[str, str]]:
    """Return the newest of `tickets` as values for steps."""
    found = tickets.order_by("-created_at").values_list("folio", flat=True)[:count]
    return [{"folio": folio} for folio in found]
