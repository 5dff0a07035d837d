"""The desk's queues: what each holds, in which orders it can be read, and how much is in it, cheaply.

A queue never shows more than `visible_to` does. A figure must not cost what exists (LESSONS A21): those of the queues
come from one walk over an index that holds the open tickets alone, with all that queues ask of them; those of a list
stop counting at `MANY`, because people need to know that there is a lot, not how much.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, IntegerField, Max, Min, OuterRef, Prefetch, Q, QuerySet, Subquery
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import Department, User

from ..enums import EARLY_KINDS, ClockKind, StageKind
from ..models import Clock, Ticket
from ..models.querysets import TicketQuerySet
from ..models.ticket import LAST_POSITION
from ..sla import FAR_FUTURE

MANY = 100
GROUPED_BY = ("department", "stage_kind", "is_escalated", "assignee")
DEPARTMENT_PREFIX = "departamento-"


@dataclass(frozen=True)
class Order:
    """An order that one index reads: `keys` for `keyset.paginate`."""

    key: str
    label: str | Promise
    keys: tuple[str, ...]


ORDERS = {
    order.key: order
    for order in (
        Order("vence", _("Vence primero"), ("is_paused", "due_order", "id")),
        Order("llegada", _("Orden de llegada"), ("arrival_order", "created_at", "id")),
        Order("recientes", _("Más recientes"), ("-created_at", "-id")),
        Order("actividad", _("Última actividad"), ("-updated_at", "-id")),
        Order("severidad", _("Severidad"), ("severity_order", "due_order", "id")),
    )
}


@dataclass(frozen=True)
class TicketGroup:
    """One row of `GROUP BY`: how many open tickets share this department, stage kind, escalation and assignee."""

    department: int | None
    kind: str
    is_escalated: bool
    assignee: int | None
    size: int


@dataclass(frozen=True)
class Queue:
    """A list of tickets that the desk works from.

    `select` narrows a queryset to the queue's tickets. `includes` says the same of a `TicketGroup`, for the queues
    that show a figure: whether the group's tickets belong to the queue.
    """

    key: str
    label: str | Promise
    icon: str
    select: Callable[[TicketQuerySet, User], TicketQuerySet]
    includes: Callable[[TicketGroup, User], bool] | None = None
    group: str = "views"
    order: str = "vence"
    orders: tuple[str, ...] = tuple(ORDERS)
    is_alarming: bool = False
    department: Department | None = None

    @property
    def has_only_open_tickets(self) -> bool:
        """Whether the queue never shows a closed ticket: only then may it be read by due date."""
        return "vence" in self.orders

    def tickets(self, user: User) -> TicketQuerySet:
        """Those of the queue that `user` may see."""
        return self.select(Ticket.objects.visible_to(user), user)


# What is theirs to do, and what their departments hold, is visible to everybody of the desk: to ask for that once more
# would keep the database from the index that has the page in order.
MINE = Queue(
    "mios",
    _("Asignados a mí"),
    "person",
    lambda t, user: Ticket.objects.open().assigned_to(user),
    lambda group, user: group.assignee == user.pk,
    "own",
)
TO_PREPARE = Queue(
    "por-preparar",
    _("Por preparar"),
    "clipboard-check",
    lambda t, user: t.to_prepare().open(),
    lambda group, user: group.kind in EARLY_KINDS,
    "queues",
    order="llegada",
)
UNASSIGNED = Queue(
    "sin-asignar",
    _("Sin asignar"),
    "person-dash",
    lambda t, user: t.open().unassigned(),
    lambda group, user: group.assignee is None,
    "queues",
)
ALL = Queue("todos", _("Todos los abiertos"), "inbox", lambda t, user: t.open(), lambda group, user: True)
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
"""S1.18: every ticket there ever was, with the state it is in."""

VIEWS = (
    Queue(
        "esperan-al-cliente",
        _("Esperan al cliente"),
        "pause-circle",
        lambda t, user: t.waiting_for_customer().open(),
        lambda group, user: group.kind == StageKind.WAITING_CUSTOMER,
    ),
    Queue(
        "por-aprobar",
        _("Por aprobar cierre"),
        "patch-check",
        lambda t, user: t.waiting_for_closure_approval().open(),
        lambda group, user: group.kind == StageKind.CLOSURE_APPROVAL,
    ),
    Queue(
        "elevados",
        _("Soporte elevado"),
        "alarm",
        lambda t, user: t.open().escalated(),
        lambda group, user: group.is_escalated,
        is_alarming=True,
    ),
    ALL,
    CLOSED,
    HISTORY,
)


def queues_for(user: User) -> list[Queue]:
    """Every queue of somebody of the desk, in the order of the side list. Agents see their own departments."""
    departments = Department.objects.filter(is_active=True)
    if not user.is_supervisor:
        departments = departments.filter(pk__in=user.department_ids)
    return [MINE, TO_PREPARE, *map(_of_department, departments), UNASSIGNED, *VIEWS]


def _of_department(department: Department) -> Queue:
    return Queue(
        f"{DEPARTMENT_PREFIX}{department.key}",
        str(department),
        "building",
        lambda t, user: Ticket.objects.open().filter(department=department),
        lambda group, user: group.department == department.pk,
        "queues",
        department=department,
    )


class BoundedCount(Subquery):
    """How many rows, counting no further than `MANY`."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) bounded)"
    output_field = IntegerField()
    empty_result_set_value = 0

    def __init__(self, queryset: "QuerySet[Any]", *, along: Sequence[str] = (), **extra: Any) -> None:
        """`along` names the order of an index that holds these rows. Without it the database may walk the whole table
        from its oldest, long closed row to find the first hundred open ones."""
        super().__init__(queryset.order_by(*along).values("pk")[:MANY], **extra)


def count_queues(queues: Iterable[Queue], user: User) -> dict[str, int]:
    """How many open tickets each of these queues holds for `user`, by its key; those without a figure are left out.
    One query, whatever is asked."""
    open_tickets = Ticket.objects.visible_to(user).open().order_by()
    groups = [TicketGroup(*row) for row in open_tickets.values_list(*GROUPED_BY).annotate(size=Count("*"))]
    return {
        queue.key: sum(group.size for group in groups if includes(group, user))
        for queue in queues
        if (includes := queue.includes)
    }


def count(tickets: TicketQuerySet) -> int:
    """How many, up to `MANY`; in an order that one of their indexes has, or none."""
    return len(tickets.values_list("pk")[:MANY])


def count_scopes(scopes: Mapping[str, TicketQuerySet], user: User) -> dict[str, int]:
    """How many open tickets are in each of these, up to `MANY`, by its name; one query."""
    counts = [BoundedCount(scope, along=ORDERS["vence"].keys) for scope in scopes.values()]
    row = User.objects.values_list(*counts).get(pk=user.pk) if counts else ()
    return dict(zip(scopes, row, strict=True))


def due_groups(tickets: TicketQuerySet, *, now: datetime, end_of_day: datetime) -> dict[str, TicketQuerySet]:
    """The stretches of a queue that is read by due date, each as a scope to count."""
    running = tickets.filter(is_paused=False)
    return {
        "overdue": running.filter(due_order__lte=now),
        "today": running.filter(due_order__gt=now, due_order__lt=end_of_day),
        "later": running.filter(due_order__gte=end_of_day, due_order__lt=FAR_FUTURE),
        "undated": running.filter(due_order__gte=FAR_FUTURE),
        "paused": tickets.filter(is_paused=True),
    }


def group_of(ticket: Ticket, *, now: datetime, end_of_day: datetime) -> str:
    if ticket.is_paused:
        return "paused"
    if ticket.due_at is None:
        return "undated"
    if ticket.due_at <= now:
        return "overdue"
    return "today" if ticket.due_at < end_of_day else "later"


ROW = (
    "folio", "title", "excerpt", "process_version", "category", "assignee", "requester", "requester_name",
    "severity", "stage", "stage_kind", "is_paused", "is_escalated", "is_test", "due_at", "created_at", "updated_at",
    "last_requester_message_at", "last_staff_message_at", "due_order", "arrival_order", "severity_order",
    "category__name", "category__name_en", "assignee__name", "assignee__email", "requester__standing",
)  # fmt: skip
"""What a line of a list shows, and what its place in the list hangs on."""


def for_rows(tickets: TicketQuerySet) -> TicketQuerySet:
    """With what a line of a list shows and nothing else, in a constant number of queries. Versions come apart from
    the rows: fifty tickets share a few, and each carries its whole process."""
    clocks = Clock.objects.filter(kind=ClockKind.RESOLUTION)
    clocks = clocks.only("ticket", "target", "due_at", "paused_at", "stopped_at")
    return (
        tickets.select_related("requester", "assignee", "category")
        .prefetch_related("process_version", Prefetch("clocks", clocks, to_attr="resolution_clocks"))
        .only(*ROW)
    )


def load(assignees: Iterable[User]) -> dict[int, int]:
    """How many open tickets each of these people has, up to `MANY`; one query."""
    people = User.objects.filter(pk__in=[user.pk for user in assignees])
    open_tickets = Ticket.objects.open().filter(assignee=OuterRef("pk"))
    return dict(people.values_list("pk", BoundedCount(open_tickets, along=ORDERS["vence"].keys)))


@dataclass(frozen=True)
class Place:
    """A place in line, and how many open tickets arrived earlier."""

    position: int
    ahead: int


def proposed_place(ticket: Ticket, *, department: Department | None = None) -> Place:
    """S2.35: behind the open tickets of the department (its own, unless another is named) that arrived earlier.

    After the last of them, and not after any that arrived later and has a position already: tickets may be prepared in
    any order. Of two in the same position the earlier goes first (`ORDERS`).
    """
    place = department.pk if department else ticket.department_id
    earlier, later = Q(created_at__lt=ticket.created_at), Q(created_at__gt=ticket.created_at)
    line = (
        Ticket.objects.open()
        .filter(department=place)
        .aggregate(
            last=Max("queue_position", filter=earlier, default=0),
            next=Min("queue_position", filter=later, default=LAST_POSITION),
            ahead=Count("pk", filter=earlier),
        )
    )
    return Place(min(line["last"] + 1, line["next"]), line["ahead"])
