"""Write whose turn it is on a ticket, so that the people whom its stage names can see it."""

from collections.abc import Callable, Iterable, Iterator

from ..definitions.definition import Who
from ..definitions.fields import answers_of
from ..definitions.subject import Subject
from ..definitions.turns import named_now
from ..models import Ticket, Turn

Doers = Callable[[str], Iterable[int]]


def record_turns(ticket: Ticket, *, is_new: bool = False) -> None:
    """Make the ticket's `Turn` rows those of its present state. `record` calls it with every event.

    Processes that name nobody beyond the ticket's department, assignee and supervisors have no rows and cost no query,
    unless another department was asked for a side task. A ticket that `is_new` has no rows to read.
    """
    if not ticket.definition.gives_turns and ticket.open_tasks is None:
        return
    events = ticket.events.filter(actor__isnull=False).order_by()
    wanted = names_of(
        ticket, lambda action: events.filter(action=action).values_list("actor", flat=True).distinct()
    )
    if ticket.open_tasks and ticket.is_open:
        wanted |= _names_of_side_tasks(ticket)
    present = set() if is_new else set(ticket.turns.values_list("who", flat=True))
    if gone := present - wanted:
        ticket.turns.filter(who__in=gone).delete()
    if new := wanted - present:
        Turn.objects.bulk_create(Turn(ticket=ticket, who=name) for name in sorted(new))


def _names_of_side_tasks(ticket: Ticket) -> set[str]:
    """Return the departments that the open side tasks are for, and those who took one, who may be of none of them.
    Whoever sees a ticket may work on it, so nobody goes on seeing it after the task."""
    tasks = list(ticket.side_tasks.open().values_list("department__key", "assignee"))
    return {f"department:{key}" for key, _taker in tasks} | {
        f"person:{taker}" for _key, taker in tasks if taker
    }


def names_of(ticket: Subject, doers: Doers) -> set[str]:
    """Return the `Turn.who` of everybody whose turn it is and who may not see the ticket otherwise.

    `doers` returns the ids of the users who did an action on this ticket.
    """
    return {name for who in named_now(ticket) for name in _names(who, ticket, doers)}


def _names(who: Who, ticket: Subject, doers: Doers) -> Iterator[str]:
    match who.kind:
        case "department" if who.name:
            yield f"department:{who.name}"
        case "group" | "user":
            yield f"{who.kind}:{who.name.lower()}"
        case "role" if who.name == "agent":
            yield "role:agent"
        case "department_of":
            yield from (f"department:{key}" for key in answers_of(ticket.fields, who.name))
        case "actor_of":
            yield from (f"person:{person}" for person in doers(who.name))
