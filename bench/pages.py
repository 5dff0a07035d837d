"""The pages to measure: the people who request each, some paths to use in turn, and the limits of its response time."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from django.urls import reverse

from accounts.enums import Role
from accounts.models import User
from bench.report import FLOOR
from tickets.enums import MessageKind
from tickets.lists.queues import ALL, DEPARTMENT_PREFIX
from tickets.models import Category, Message, Ticket

EXAMPLES = 12  # paths per page, used in turn, so that requests do not always read one cached ticket
CUSTOMERS = 12  # they file one after the other, because filing is rate-limited per person
WITHIN, FILING, GROWTH = 3.0, 5.0, 1.2


@dataclass(frozen=True)
class Page:
    key: str
    label: str
    who: list[str]
    paths: list[str]
    status: int = 200
    form: dict[str, str] | None = None
    """For a form: the values typed into it. Only sending the form is measured, not getting it."""
    before: dict[str, str] = field(default_factory=dict)
    """The values typed into the form of the previous step."""
    times_floor: float | None = None
    times_smaller: float | None = None


def people() -> dict[str, User]:
    """Return the people who sign in, by name. They have about as many tickets as others of their role."""
    customers = User.objects.filter(role=Role.CUSTOMER).order_by("pk")[:CUSTOMERS]
    return {
        "supervisor": User.objects.filter(role=Role.SUPERVISOR).order_by("pk")[0],
        "agent": User.objects.filter(role=Role.AGENT, memberships__isnull=False).order_by("pk")[0],
        **{f"customer{number}": user for number, user in enumerate(customers)},
    }


def pages(cast: dict[str, User]) -> Iterator[Page]:
    agent, customer = cast["agent"], cast["customer0"]
    yield Page(FLOOR, "Floor: one indexed query, fifty rows", ["agent"], ["/bench/floor/"])
    yield from _queues(agent)
    theirs = _talked_about(Ticket.objects.visible_to(agent).open())
    yield Page(
        "ticket",
        "Ticket, back office",
        ["agent"],
        [reverse("agents:ticket", args=[folio]) for folio in theirs],
        times_floor=WITHIN,
        times_smaller=GROWTH,
    )
    yield Page("home", "Portal home", ["customer0"], [reverse("portal:home")])
    yield Page(
        "mine",
        "«Mis tickets»",
        [name for name in cast if name.startswith("customer")],
        [reverse("portal:ticket_list")],
        times_floor=WITHIN,
        times_smaller=GROWTH,
    )
    own = _talked_about(Ticket.objects.requested_by(customer))
    yield Page(
        "own", "Ticket, portal", ["customer0"], [reverse("portal:ticket", args=[folio]) for folio in own]
    )
    versions = Ticket.objects.filter(folio__in=own).values_list("folio", "public_version")
    yield Page(
        "poll",
        "Poll, nothing new (204)",
        ["customer0"],
        [f"{reverse('portal:ticket_updates', args=[folio])}?v={version}" for folio, version in versions],
        status=204,
    )
    yield _filing(cast)


def _queues(agent: User) -> Iterator[Page]:
    department = agent.departments.order_by("pk")[0]
    for key, label, who, path in (
        ("queue", "Queue: mine, by due date", "agent", reverse("agents:queue")),
        (
            "department",
            "Queue: department, by due date",
            "agent",
            _queue(f"{DEPARTMENT_PREFIX}{department.key}"),
        ),
        ("all", "Queue: all open, by due date", "supervisor", _queue(ALL.key)),
        ("arrival", "Queue: all open, by arrival", "supervisor", f"{_queue(ALL.key)}?orden=llegada"),
    ):
        yield Page(key, label, [who], [path], times_floor=WITHIN, times_smaller=GROWTH)


def _queue(key: str) -> str:
    return reverse("agents:queue_of", args=[key])


def _filing(cast: dict[str, User]) -> Page:
    category = Category.objects.filter(process__key="soporte-con-aprobacion").order_by("position")[0]
    topic = f"{category.process.key}.{category.key}"
    path = reverse("portal:report_details", args=["bench"])
    return Page(
        "filing",
        "Filing a report (POST)",
        [name for name in cast if name.startswith("customer")],
        [f"{path}?tipo={topic}"],
        status=302,
        before={
            "title": "No puedo subir el informe",
            "description": "El aula rechaza el archivo desde ayer.\n\n" * 5,
        },
        form={},
        times_floor=FILING,
    )


def _talked_about(tickets: "Ticket.objects") -> list[str]:
    """Return up to `EXAMPLES` folios of tickets with an internal note, or of any tickets if none has one."""
    notes = Message.objects.filter(kind=MessageKind.NOTE).values("ticket")
    with_notes = tickets.filter(pk__in=notes).order_by("pk").values_list("folio", flat=True)[:EXAMPLES]
    return list(with_notes) or list(tickets.order_by("pk").values_list("folio", flat=True)[:EXAMPLES])
