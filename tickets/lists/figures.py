"""The figures of the queues in the side list, kept for some seconds.

Counting reads every open ticket's entry in an index, so the groups from which most figures follow are counted for the
whole desk at once and shared by all staff. A person who has just changed a ticket gets new figures at once; everybody
else sees the change after at most `KEPT_SECONDS`.
"""

import hashlib
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, TypeVar

from django.core.cache import cache
from django.db import transaction
from django.db.models import BooleanField, Case, Count, Exists, OuterRef, Q, QuerySet, When
from django.dispatch import receiver

from accounts.models import User

from ..models import Ticket, TicketEvent, Turn
from ..models.querysets import TicketQuerySet, expect_many_turns
from ..models.turn import names_of_person, names_shared
from ..record.events import event_recorded
from . import needs
from .queues import BoundedCount, Queue, TicketGroup

KEPT_SECONDS = 10
MANY_ELSEWHERE = 500
RECOUNT_SECONDS = 60
_GROUPS = "ticket-groups"
_SUPERVISORS = "queue-figures:supervisors"
_RECOUNT = "recount"
_LOADS = "loads-of-staff"


T = TypeVar("T")


class Figures(NamedTuple):
    """What the side list shows one person: the figure of each queue by its key, and the keys of the queues that hold
    only tickets of processes that work in order of arrival. `elsewhere` is how many open tickets of other departments
    an agent sees."""

    counts: dict[str, int]
    by_arrival: frozenset[str]
    elsewhere: int


def figures(queues: Iterable[Queue], user: User) -> Figures:
    """Return the figures of `count_queues`, at most `KEPT_SECONDS` old. One question to the cache and no query while
    they are kept."""
    shown = [queue for queue in queues if queue.includes or queue.is_counted]
    kept = cache.get(_key(user))
    if isinstance(kept, Figures) and kept.counts.keys() == {queue.key for queue in shown}:
        if kept.elsewhere > MANY_ELSEWHERE:
            expect_many_turns(user)
        return kept
    anew = kept == _RECOUNT
    elsewhere = [] if user.is_supervisor else _groups_elsewhere(user, anew=anew)
    if (size := sum(group.size for group in elsewhere)) > MANY_ELSEWHERE:
        expect_many_turns(user)
    groups = [*_groups_at_hand(user, _kept_groups(anew=anew)), *elsewhere]
    counts = _sums(shown, groups) | _kept_counts(shown, user, anew=anew)
    by_arrival = frozenset(queue.key for queue in shown if queue.includes and _is_by_arrival(queue, groups))
    found = Figures(counts, by_arrival, size)
    cache.set(_key(user), found, KEPT_SECONDS)
    return found


def is_by_arrival(queue: Queue, user: User, *, known: Figures | None = None) -> bool:
    """Whether all open tickets of the queue that `user` sees are of processes that work in order of arrival (S2.35).

    The answer is at most `KEPT_SECONDS` old. Queues with `includes` take no query while the figures are kept: looking
    for one ticket of another process would read all open ones when there is none. Pass the user's figures as `known`
    if you have them: that saves the question to the cache.
    """
    if queue.includes is None:
        return _kept(
            f"by-arrival:{queue.key}:{user.pk}",
            lambda: not queue.tickets(user).filter(by_arrival=False).exists(),
        )
    kept = known or cache.get(_key(user))
    if isinstance(kept, Figures) and queue.key in kept.counts:
        return queue.key in kept.by_arrival
    return _is_by_arrival(queue, _groups_seen(user, _kept_groups(anew=False), anew=False))


def count_queues(queues: Iterable[Queue], user: User) -> dict[str, int]:
    """Return how many tickets each queue has now for `user`, by the queue's key.

    Queues without `includes` and without `is_counted` show no figure and are left out. Figures of queues with
    `is_counted` stop at `MANY`. One query for the groups, one for all queues with `is_counted`, those that the lists
    of these ask first, and for an agent three for tickets of other departments.
    """
    queues = list(queues)
    return _sums(queues, _groups_seen(user, desk_groups(), anew=True)) | _counts(queues, user)


def loads() -> dict[int, int]:
    """Return how many open tickets everybody on the staff has, up to `MANY`, by user id; at most `KEPT_SECONDS` old."""
    return _kept(_LOADS, lambda: {load.person.pk: load.size for load in needs.loads()})


def desk_groups() -> list[TicketGroup]:
    """Return all open tickets of the desk in groups. One query."""
    return _groups_of(Ticket.objects.open())


@receiver(event_recorded, dispatch_uid="tickets.lists.figures")
def recount_for_actor(event: TicketEvent, **kwargs: Any) -> None:
    """Let the next page of the staff member who changed the ticket count anew."""
    if (actor := event.actor) is not None and actor.is_desk_staff:
        transaction.on_commit(lambda: cache.set(_key(actor), _RECOUNT, RECOUNT_SECONDS))


def _key(user: User) -> str:
    return f"queue-figures:{user.pk}"


def _kept_groups(*, anew: bool) -> list[TicketGroup]:
    """Return the groups of the whole desk: those that are kept, unless they are to be counted `anew`."""
    return _kept(_GROUPS, desk_groups, anew=anew)


def _kept(key: str, find: Callable[[], T], *, anew: bool = False) -> T:
    """Return what is kept under the key, or what `find` returns, and keep that for `KEPT_SECONDS`."""
    found: T | None = None if anew else cache.get(key)
    if found is None:
        found = find()
        cache.set(key, found, KEPT_SECONDS)
    return found


def _is_by_arrival(queue: Queue, groups: list[TicketGroup]) -> bool:
    return all(group.by_arrival for group in groups if queue.includes and queue.includes(group))


def _sums(queues: Iterable[Queue], seen: list[TicketGroup]) -> dict[str, int]:
    return {
        queue.key: sum(group.size for group in seen if includes(group))
        for queue in queues
        if (includes := queue.includes)
    }


def _counts(queues: Iterable[Queue], user: User) -> dict[str, int]:
    counted = {queue.key: BoundedCount(queue.tickets(user)) for queue in queues if queue.is_counted}
    row = User.objects.values_list(*counted.values()).get(pk=user.pk) if counted else ()
    return dict(zip(counted, row, strict=True))


def _kept_counts(queues: Iterable[Queue], user: User, *, anew: bool) -> dict[str, int]:
    """Return `_counts`. Those of the queues that are the same for all supervisors are kept for all of them."""
    if not user.is_supervisor:
        return _counts(queues, user)
    common = {queue.key for queue in queues if queue.is_counted and not queue.is_personal}
    found: dict[str, int] | None = None if anew else cache.get(_SUPERVISORS)
    if found is not None and found.keys() == common:
        return found | _counts([queue for queue in queues if queue.is_personal], user)
    counts = _counts(queues, user)
    cache.set(_SUPERVISORS, {key: counts[key] for key in common}, KEPT_SECONDS)
    return counts


def _groups_seen(user: User, groups: list[TicketGroup], *, anew: bool) -> list[TicketGroup]:
    """Return the groups of the tickets that the person sees, of which `groups` are those of the desk."""
    elsewhere = [] if user.is_supervisor else _groups_elsewhere(user, anew=anew)
    return [*_groups_at_hand(user, groups), *elsewhere]


def _groups_at_hand(user: User, groups: list[TicketGroup]) -> list[TicketGroup]:
    """Return those of `groups` that a supervisor sees, or an agent because of the department."""
    if user.is_supervisor:
        return groups
    places = {*user.department_ids, None}
    return [group for group in groups if group.department in places]


def _groups_elsewhere(user: User, *, anew: bool) -> list[TicketGroup]:
    """Return, in groups, the open tickets of other departments that the agent sees: those on which a process gives the
    turn to their departments, to a group of theirs or to all agents, and those that are theirs alone, because they are
    assigned to them or their turn.

    The first may be thousands, and are kept for all who have the same departments and groups.
    """
    names = names_shared(user)
    elsewhere = (
        Ticket.objects.open().exclude(department__isnull=True).exclude(department__in=user.department_ids)
    )
    turns, own_turns = Turn.objects.naming(names), Turn.objects.naming(names_of_person(user))
    shared = elsewhere.filter(pk__among=turns.values("ticket"))
    theirs = elsewhere.exclude(Exists(turns.filter(ticket=OuterRef("pk"))))
    assigned = theirs.filter(assignee=user)
    turn = theirs.filter(pk__among=own_turns.values("ticket")).exclude(assignee=user)
    key = f"ticket-groups:{hashlib.sha256(repr(names).encode()).hexdigest()}"
    return [*_kept(key, lambda: _groups_of(shared), anew=anew), *_groups_of(assigned, turn)]


def _groups_of(*parts: TicketQuerySet) -> list[TicketGroup]:
    """Return the tickets of all parts in groups, which may come once for each part. One query."""
    first, *others = map(_grouped, parts)
    return [TicketGroup(*row) for row in (first.union(*others, all=True) if others else first)]


def _grouped(tickets: TicketQuerySet) -> "QuerySet[Any, Any]":
    left = User.objects.former_staff().values("pk")
    nobody = Q(assignee__isnull=True) | Q(assignee__in=left)
    unassigned = Case(When(nobody, then=True), default=False, output_field=BooleanField())
    columns = ("department", "stage_kind", "is_escalated", unassigned, "by_arrival")
    return tickets.order_by().values_list(*columns).annotate(size=Count("*"))
