"""The desk's queues: which tickets each has, in which orders they can be listed, and how many they are.

A queue never shows more than `visible_to` does. Counting must not cost more when there are more tickets (LESSONS A21),
so it stops at `MANY`: people need to know that there are many, not how many. The figures of the side list are those of
`figures`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import (
    Count,
    Exists,
    F,
    IntegerField,
    Max,
    Min,
    OuterRef,
    QuerySet,
    Subquery,
)
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import Department, User
from content.sorting import sort_key

from ..calendars import Calendar
from ..enums import StageKind
from ..models import CalendarVersion, Clock, SideTask, Ticket
from ..models.querysets import TicketQuerySet
from ..models.ticket import LAST_POSITION
from ..sla import FAR_FUTURE
from ..vacancies import nobody_may_act, stands_in_somewhere
from ..workflow.preparing import prepared_by

MANY = 100
NEIGHBOURS = 1000
DEPARTMENT_PREFIX = "departamento-"


@dataclass(frozen=True)
class Order:
    """An order of tickets that one index provides. `keys` is the order for `keyset.paginate`."""

    key: str
    label: str | Promise
    keys: tuple[str, ...]


ORDERS = {
    order.key: order
    for order in (
        Order("vence", _("Vence primero"), ("is_paused", "due_order", "id")),
        Order("llegada", _("Orden de llegada"), ("is_paused", "arrival_order", "created_at", "id")),
        Order("recientes", _("Más recientes"), ("-created_at", "-id")),
        Order("actividad", _("Última actividad"), ("-updated_at", "-id")),
        Order("severidad", _("Severidad"), ("severity_order", "due_order", "id")),
    )
}


class TicketGroup(NamedTuple):
    """How many open tickets share this department, stage kind and escalation, have or lack an assignee, and are or are
    not of a process that works in order of arrival.

    An assignee who may no longer act counts as none.
    """

    department: int | None
    kind: str
    is_escalated: bool
    is_unassigned: bool
    by_arrival: bool
    size: int


@dataclass(frozen=True)
class Queue:
    """A list of tickets that staff work from.

    `select` narrows a queryset to the queue's tickets. `includes` decides the same for a `TicketGroup`: whether its
    tickets belong to the queue. A queue with `is_counted` shows a figure too: its tickets are counted, up to `MANY`. A
    queue with `is_personal` has other tickets for each person, also for supervisors, who see all.
    """

    key: str
    label: str | Promise
    icon: str
    select: Callable[[TicketQuerySet, User], TicketQuerySet]
    includes: Callable[[TicketGroup], bool] | None = None
    group: str = "views"
    order: str = "vence"
    orders: tuple[str, ...] = tuple(ORDERS)
    is_alarming: bool = False
    is_counted: bool = False
    is_personal: bool = False
    department: Department | None = None

    @property
    def has_only_open_tickets(self) -> bool:
        """Whether the queue never shows a closed ticket. Only such a queue may be listed by due date."""
        return "vence" in self.orders

    def tickets(self, user: User) -> TicketQuerySet:
        """Return the queue's tickets that `user` may see."""
        return self.select(Ticket.objects.visible_to(user), user)


# `MINE`, `SIDE_TASKS` and the queues of departments do not use `visible_to`: staff may see what is assigned to them,
# what is in their departments and what has a task for these. The extra condition would keep the database from using
# the index that sorts the page.
MINE = Queue(
    "mios",
    _("Asignados a mí"),
    "person",
    lambda t, user: Ticket.objects.open().assigned_to(user),
    group="own",
    is_counted=True,
    is_personal=True,
)
TO_PREPARE = Queue(
    "por-preparar",
    _("Por preparar"),
    "clipboard-check",
    lambda t, user: t.to_prepare().open().filter(prepared_by(user)),
    group="queues",
    order="llegada",
    is_counted=True,
    is_personal=True,
)
"""The tickets that this person prepares, on the page «Preparar» too."""

UNASSIGNED = Queue(
    "sin-asignar",
    _("Sin asignar"),
    "person-dash",
    lambda t, user: t.open().unassigned(),
    lambda group: group.is_unassigned,
    "queues",
)
NOBODY = Queue(
    "nadie-puede-actuar",
    _("Nadie puede actuar"),
    "person-dash",
    lambda t, user: t.open().filter(nobody_may_act()),
    group="queues",
    is_counted=True,
    is_alarming=True,
)
"""Tickets on which everybody whom the process names has left. Those who act instead have this queue."""
ALL = Queue("todos", _("Todos los abiertos"), "inbox", lambda t, user: t.open(), lambda group: True)
LATE_REPLIES = Queue(
    "respuestas-en-cerrados",
    _("Respuestas en cerrados"),
    "chat-left-dots",
    lambda t, user: t.with_late_reply(),
    is_counted=True,
    order="actividad",
    orders=("actividad", "recientes"),
)
"""Closed tickets whose requester wrote after the end and waits for an answer."""
CALLS_DUE = Queue(
    "por-llamar",
    _("Por llamar"),
    "telephone",
    lambda t, user: t.with_call_due(),
    is_counted=True,
    order="actividad",
    orders=("actividad", "recientes"),
)
"""Closed tickets whose requester is still to be called (S2.16)."""
SIDE_TASKS = Queue(
    "tareas",
    _("Tareas del equipo"),
    "people",
    lambda t, user: Ticket.objects.open().filter(
        pk__among=SideTask.objects.open().for_person(user).values("ticket")
    ),
    group="queues",
    is_counted=True,
    is_personal=True,
)
"""Tickets with a side task for this person's departments (S0.20); for supervisors, for any."""
CLOSED = Queue(
    "cerrados",
    _("Cerrados"),
    "check-circle",
    lambda t, user: t.closed(),
    order="actividad",
    orders=("actividad", "recientes"),
)
HISTORY = Queue(
    "historico",
    _("Histórico"),
    "archive",
    lambda t, user: t,
    order="actividad",
    orders=("actividad", "recientes"),
)
"""All tickets that the user may see, open and closed, with their state (S1.18)."""

SOON = timedelta(hours=4)
DUE_SOON = Queue(
    "vencen-pronto",
    _("Vencen en 4 h"),
    "alarm",
    lambda t, user: t.open().filter(
        is_paused=False, due_order__gt=timezone.now(), due_order__lte=timezone.now() + SOON
    ),
    is_counted=True,
)
"""Open tickets whose nearest promise runs out within four hours."""
TO_APPROVE, ELEVATED = "por-aprobar", "elevados"

VIEWS = (
    DUE_SOON,
    Queue(
        "esperan-al-cliente",
        _("Esperan al cliente"),
        "pause-circle",
        lambda t, user: t.waiting_for_customer().open(),
        lambda group: group.kind == StageKind.WAITING_CUSTOMER,
    ),
    Queue(
        TO_APPROVE,
        _("Por aprobar cierre"),
        "patch-check",
        lambda t, user: t.waiting_for_closure_approval().open(),
        lambda group: group.kind == StageKind.CLOSURE_APPROVAL,
    ),
    Queue(
        "por-verificar",
        _("Por verificar"),
        "ui-checks",
        lambda t, user: t.to_verify().open(),
        lambda group: group.kind == StageKind.VERIFICATION,
    ),
    Queue(
        ELEVATED,
        _("Soporte elevado"),
        "alarm",
        lambda t, user: t.open().escalated(),
        lambda group: group.is_escalated,
        is_alarming=True,
    ),
    ALL,
    LATE_REPLIES,
    CALLS_DUE,
    CLOSED,
    HISTORY,
)


def queues_for(user: User) -> list[Queue]:
    """Return the queues of a staff member, in the order of the sidebar.

    Agents get the queues of their own departments, supervisors and administrators those of every one. A department that
    was switched off keeps its queue while it has open tickets. `NOBODY` is for those who may stand in for others.
    """
    unmanned = [NOBODY] if stands_in_somewhere(user) else []
    return [
        MINE,
        TO_PREPARE,
        *map(_of_department, _departments_of(user)),
        SIDE_TASKS,
        UNASSIGNED,
        *unmanned,
        *VIEWS,
    ]


def _departments_of(user: User) -> list[Department]:
    """Return the departments whose queues this person has, sorted by position and name. An agent's are those of their
    memberships, which other rules have read already."""
    if user.is_supervisor:
        places = list(Department.objects.all())
    else:
        own = (membership.department for membership in user.cached_memberships)
        places = sorted(own, key=lambda place: (place.position, sort_key(place.name)))
    switched_off = [place.pk for place in places if not place.is_active]
    if not switched_off:
        return places
    has_open = Exists(Ticket.objects.open().filter(department=OuterRef("pk")))
    in_use = set(Department.objects.filter(has_open, pk__in=switched_off).values_list("pk", flat=True))
    return [place for place in places if place.is_active or place.pk in in_use]


def _of_department(department: Department) -> Queue:
    return Queue(
        f"{DEPARTMENT_PREFIX}{department.key}",
        str(department),
        "building",
        lambda t, user: Ticket.objects.open().filter(department=department),
        lambda group: group.department == department.pk,
        "queues",
        department=department,
    )


class BoundedCount(Subquery):
    """A subquery that counts rows, but no further than `stop`, by default `MANY`."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) bounded)"
    output_field = IntegerField()
    empty_result_set_value = 0

    def __init__(
        self, queryset: "QuerySet[Any]", *, along: Sequence[str] = (), stop: int | None = None, **extra: Any
    ) -> None:
        """Count the rows of `queryset`. `along` is the order of an index that holds these rows.

        Without `along` the database may read the whole table, beginning with old closed tickets, to find the first
        `stop` open ones.
        """
        super().__init__(queryset.order_by(*along).values("pk")[: stop or MANY], **extra)


def count(tickets: QuerySet[Any]) -> int:
    """Count `tickets`, or rows of theirs, stopping at `MANY`. Pass an indexed order or none, or the database scans the
    table."""
    return len(tickets.values_list("pk")[:MANY])


def count_scopes(scopes: Mapping[str, TicketQuerySet], user: User) -> dict[str, int]:
    """Return how many tickets each scope has, up to `MANY`, by its name. One query.

    Pass scopes of open tickets only, which the indexes hold: others may make the database read the whole table.
    """
    counts = [BoundedCount(scope, along=ORDERS["vence"].keys) for scope in scopes.values()]
    row = User.objects.values_list(*counts).get(pk=user.pk) if counts else ()
    return dict(zip(scopes, row, strict=True))


def due_groups(tickets: TicketQuerySet, *, now: datetime, end_of_day: datetime) -> dict[str, TicketQuerySet]:
    """Split the tickets of a queue that is listed by due date into groups, each a queryset to count.

    The due date is that of the nearest promise (`Ticket.due_order`).
    """
    running = tickets.filter(is_paused=False)
    return {
        "overdue": running.filter(due_order__lte=now),
        "today": running.filter(due_order__gt=now, due_order__lt=end_of_day),
        "later": running.filter(due_order__gte=end_of_day, due_order__lt=FAR_FUTURE),
        "undated": running.filter(due_order__gte=FAR_FUTURE),
        "paused": tickets.filter(is_paused=True),
    }


def group_of(ticket: Ticket, *, now: datetime, end_of_day: datetime) -> str:
    """Return the name of the group of `due_groups` that the ticket belongs to."""
    if ticket.is_paused:
        return "paused"
    if ticket.due_order >= FAR_FUTURE:
        return "undated"
    if ticket.due_order <= now:
        return "overdue"
    return "today" if ticket.due_order < end_of_day else "later"


ROW = (
    "folio", "title", "excerpt", "process_version", "assignee", "requester", "requester_name",
    "severity", "stage", "stage_kind", "is_paused", "is_escalated", "is_test", "created_at", "updated_at",
    "last_requester_message_at", "last_staff_message_at", "due_order", "arrival_order", "severity_order",
    "assignee__name", "assignee__email", "assignee__role", "assignee__is_active",
)  # fmt: skip
"""The columns that a row of a list shows, and those that decide its place in the list."""


def for_rows(tickets: TicketQuerySet) -> TicketQuerySet:
    """Return `tickets`, set to load only what a row of a list shows, in one query. `clocks_of` reads their clocks."""
    return tickets.select_related("assignee").annotate(requester_standing=F("requester__standing")).only(*ROW)


class RowClock(NamedTuple):
    """Holds the columns of a `Clock` that a row of a list shows, without an object: a page has a hundred of them."""

    kind: str
    target: timedelta
    due_at: datetime
    paused_at: datetime | None
    stopped_at: datetime | None
    unit: str
    calendar_version_id: int | None

    @property
    def counting(self) -> Calendar:
        return CalendarVersion.objects.counting(self.calendar_version_id, self.unit)


def clocks_of(tickets: Iterable[Ticket]) -> dict[int, list[RowClock]]:
    """Return the clocks of these tickets by ticket id. One query; a ticket without clocks has no entry."""
    found: dict[int, list[RowClock]] = {}
    clocks = Clock.objects.filter(ticket__in=[ticket.pk for ticket in tickets]).order_by()
    for ticket, *clock in clocks.values_list("ticket", *RowClock._fields):
        found.setdefault(ticket, []).append(RowClock(*clock))
    return found


def open_ticket_counts(assignees: Iterable[User]) -> dict[int, int]:
    """Return how many open tickets each of these users is assigned, up to `MANY`, by user id. One query.

    Tests and duplicates are no work, so they do not count (S2.43).
    """
    people = User.objects.filter(pk__in=[user.pk for user in assignees])
    return dict(people.values_list("pk", open_tickets_of("pk")))


def open_tickets_of(user: str) -> BoundedCount:
    """Return the expression that counts, up to `MANY`, the open tickets assigned to the user in that column of a
    query."""
    tickets = Ticket.objects.open().counted_in_metrics().filter(assignee=OuterRef(user))
    return BoundedCount(tickets, along=ORDERS["vence"].keys)


@dataclass(frozen=True)
class Place:
    """A position in the queue, and how many open tickets that arrived earlier are ahead of it."""

    position: int
    ahead: int


def proposed_place(ticket: Ticket, *, department: Department | None = None) -> Place:
    """Return the place to propose for a ticket: behind the department's earlier open tickets (S2.35).

    The department is the ticket's own, unless another is given. Tickets may be prepared in any order. The position is
    one more than the highest position of the tickets that arrived earlier, but no more than the lowest position of
    those that arrived later: of two tickets in the same position the earlier goes first (`ORDERS`). Only the
    `NEIGHBOURS` that arrived nearest before and after it are read, so `ahead` stops there too.
    """
    place = department.pk if department else ticket.department_id
    line = Ticket.objects.open().filter(department=place).values("queue_position")
    earlier = line.filter(created_at__lt=ticket.created_at).order_by("-created_at")[:NEIGHBOURS]
    later = line.filter(created_at__gt=ticket.created_at).order_by("created_at")[:NEIGHBOURS]
    before = earlier.aggregate(last=Max("queue_position", default=0), ahead=Count("*"))
    after = later.aggregate(next=Min("queue_position", default=LAST_POSITION))
    return Place(min(before["last"] + 1, after["next"]), before["ahead"])
