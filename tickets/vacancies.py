"""Find out whether nobody may act: everybody whom a process names was deactivated, switched off or taken away.

Then the managers of the ticket's department and the supervisors may act instead (`policies.is_one_of`), the ticket is
in their queue «Nadie puede actuar», and its page says so. All is read when it is asked, so a changed account,
department or group needs no job: `Turn` rows name the same people as before.
"""

from collections.abc import Iterable
from functools import reduce
from operator import and_, or_

from django.contrib.auth.models import Group
from django.db.models import Exists, OuterRef, Q, QuerySet, TextField, Value
from django.db.models.functions import Cast, Concat, Lower

from accounts.models import Department, Membership, User

from .definitions.definition import Definition, Who
from .definitions.fields import answers_of
from .definitions.turns import Party, parties_in, parties_now
from .models import ProcessVersion, Ticket, TicketEvent, Turn

CAN_BE_EMPTY = frozenset({"department", "department_of", "group", "user", "actor_of"})
"""The kinds of `Who` that an administrator can empty. An absent assignee has the queue «Sin asignar»."""

STAND_INS = frozenset({Who("role", "supervisor"), Who("role", "administrator"), Who("managers")})
"""The people who act when all others of a party have left. Such a party counts as vacant although they are in it."""


def stands_in(user: User, ticket: Ticket) -> bool:
    """Whether this staff member acts for people who may not act any more: supervisors, and the managers of the
    ticket's department."""
    return user.is_supervisor or user.manages(ticket.department_id)


def stands_in_somewhere(user: User) -> bool:
    """Whether there may be a ticket on which this staff member acts for people who may not act any more."""
    return user.is_supervisor or any(place.is_manager for place in user.cached_memberships)


def staffed_departments() -> "QuerySet[Department]":
    """Return the active departments that have an active staff member."""
    members = Membership.objects.filter(department=OuterRef("pk"), user__in=_staff())
    return Department.objects.filter(Exists(members), is_active=True)


def has_members(group: str) -> bool:
    return User.objects.staff().filter(groups__name__iexact=group).exists()


def is_vacant(who: Who, ticket: Ticket) -> bool:
    """Whether nobody whom `who` names may act on the ticket any more."""
    if who.kind == "department" and not who.name:
        place = ticket.department_id
        return place is not None and not staffed_departments().filter(pk=place).exists()
    where = vacant_where(who, ticket.definition)
    return where if isinstance(where, bool) else Ticket.objects.filter(where, pk=ticket.pk).exists()


def vacant_where(who: Who, process: Definition) -> Q | bool:
    """Return on which tickets of `process` nobody whom `who` names may act any more: True for all, False for none.

    A ticket without a department, an answer that is no department (an outside provider) and an action that nobody did
    name nobody who could have left.
    """
    match who.kind:
        case "department" | "user" if who.name:
            return could_be_vacant(who)
        case "department":
            return Q(department__isnull=False) & ~Q(department__in=staffed_departments())
        case "department_of":
            found = _staffing_of(_options(who.name, process))
            return _answers_name_nobody(who.name, {key: has for key, (_pk, has) in found.items()})
        case "group":
            return not stands_for_all_staff(who.name, process) and not has_members(who.name)
        case "actor_of":
            done = TicketEvent.objects.filter(ticket=OuterRef("pk"), action=who.name, actor__isnull=False)
            return Exists(done) & ~Exists(done.filter(actor__in=_staff()))
    return False


def could_be_vacant(who: Who) -> bool:
    """Return False if somebody whom `who` names may act on every ticket."""
    match who.kind:
        case "department" if who.name:
            return not staffed_departments().filter(key=who.name).exists()
        case "user":
            return not User.objects.staff().filter(email=who.name.lower()).exists()
    return True


def stands_for_all_staff(group: str, process: Definition) -> bool:
    """Whether all staff act for `group` while it has no active member (S4.15)."""
    definition = process.group(group)
    return definition is not None and definition.while_empty == "staff"


def answered(field: str, key: str) -> Q:
    """Return the filter for tickets whose choice or multi-choice `field` has the answer `key`."""
    return Q(**{f"fields__{field}": key}) | Q(**{f"fields__{field}__icontains": f'"{key}"'})


def _staffing_of(keys: Iterable[str] | None = None) -> dict[str, tuple[int, bool]]:
    """Return the id of each department by its key, and whether it has staff who may act."""
    places = (
        Department.objects.order_by() if keys is None else Department.objects.filter(key__in=keys).order_by()
    )
    staffed = Exists(staffed_departments().filter(pk=OuterRef("pk")))
    return {key: (pk, has) for key, pk, has in places.values_list("key", "pk", staffed)}


def _options(field: str, process: Definition) -> list[str]:
    definition = process.field(field)
    return [option.key for option in definition.options] if definition else []


def _answers_name_nobody(field: str, places: dict[str, bool]) -> Q | bool:
    """Return on which tickets all departments that the field names are among those of `places` without staff."""
    staffed = [key for key, has in places.items() if has]
    if len(staffed) == len(places):
        return False
    some = reduce(or_, (answered(field, key) for key in places))
    return some & ~reduce(or_, (answered(field, key) for key in staffed), Q(pk__in=[]))


def _staff() -> "QuerySet[User]":
    return User.objects.staff().order_by()


# --- On a ticket's page ---------------------------------------------------------------------------------


def vacant_now(ticket: Ticket) -> list[Who]:
    """Return those whom the ticket's stage names and of whom nobody may act any more, if nobody but `STAND_INS` may
    act with them."""
    if not ticket.is_open:
        return []
    known: dict[Who, bool] = {}
    found: dict[Who, None] = {}
    for party in parties_now(ticket):
        emptied = _emptied_of(party)
        for who in emptied:
            if who not in known:
                known[who] = is_vacant(who, ticket)
        if all(known[who] for who in emptied):
            found.update(dict.fromkeys(emptied))
    return list(found)


def departments_of(who: Who, ticket: Ticket) -> "QuerySet[Department]":
    """Return the departments that `who` names on this ticket."""
    if who.kind == "department_of":
        return Department.objects.filter(key__in=answers_of(ticket.fields, who.name))
    if who.name:
        return Department.objects.filter(key=who.name)
    return Department.objects.filter(pk=ticket.department_id or 0)


def _emptied_of(party: Party) -> Party:
    """Return those of the party who could have left, or nobody if others than `STAND_INS` act with them."""
    others = [who for who in party if who not in STAND_INS]
    return tuple(others) if all(who.kind in CAN_BE_EMPTY for who in others) else ()


# --- In a queue -----------------------------------------------------------------------------------------


def nobody_may_act() -> Q:
    """Return the filter for the open tickets of `vacant_now`.

    It takes three queries, for the processes in use, the names that have staff and the departments that have none.
    While nobody is missing, it finds nothing without another one. Otherwise it finds the tickets by their `Turn` rows
    and their department, so it reads those that miss somebody, not all open ones. Actions with a `when` count if `Turn`
    rows name their people: those of the ticket's own department alone have none.
    """
    in_use = Exists(Ticket.objects.open().filter(process_version=OuterRef("pk")))
    versions = list(ProcessVersion.objects.filter(in_use).order_by().values_list("pk", flat=True))
    processes = {version: ProcessVersion.objects.definition(version) for version in versions}
    named = {who for process in processes.values() for who in process.people if who.kind in CAN_BE_EMPTY}
    if not named:
        return Q(pk__in=[])
    staffing = _Staffing(named)
    found = Q(pk__in=[])
    for version, process in processes.items():
        for stage in process.stages:
            if not stage.is_end:
                terms = [staffing.where(party, process) for party in parties_in(stage, process)]
                here = Q(process_version=version, stage=stage.key)
                found = reduce(or_, (here & term for term in terms if term is not None), found)
    return found


class _Staffing:
    """Which of the named people have left, read with two queries for all processes."""

    def __init__(self, named: Iterable[Who]) -> None:
        emails = [who.name.lower() for who in named if who.kind == "user"]
        self.departments = _staffing_of()
        left = User.objects.former_staff().order_by().annotate(who=_with_kind("person", "pk"))
        groups = Group.objects.filter(Exists(_staff().filter(groups=OuterRef("pk"))))
        self.names = set(
            left.filter(Exists(Turn.objects.filter(who=OuterRef("who"))))
            .values_list("who", flat=True)
            .union(
                _staff().filter(email__in=emails).values_list(_with_kind("user", "email")),
                groups.values_list(_with_kind("group", Lower("name"))),
            )
        )

    def where(self, party: tuple[Party, bool], process: Definition) -> Q | None:
        """Return the filter for the tickets on which nobody of the party may act any more; None for no ticket."""
        people, is_conditional = party
        emptied = _emptied_of(people)
        if not emptied or (is_conditional and not any(who.name for who in emptied)):
            return None
        terms = [self._vacant(who, process) for who in emptied]
        return None if None in terms else reduce(and_, (term for term in terms if term is not None))

    def _vacant(self, who: Who, process: Definition) -> Q | None:
        match who.kind:
            case "department" if who.name:
                return None if self._is_staffed(who.name) else _has_turn(str(who))
            case "department":
                empty = [pk for pk, staffed in self.departments.values() if not staffed]
                return Q(department__in=empty) if empty else None
            case "department_of":
                known = {key: self._is_staffed(key) for key in _options(who.name, process)}
                places = {key: has for key, has in known.items() if key in self.departments}
                where = _answers_name_nobody(who.name, places)
                return _has_turn(*(f"department:{key}" for key in places)) & Q(where) if where else None
            case "group" | "user":
                name = f"{who.kind}:{who.name.lower()}"
                replaced = who.kind == "group" and stands_for_all_staff(who.name, process)
                return None if replaced or name in self.names else _has_turn(name)
        left = [name for name in self.names if name.startswith("person:")]
        return _has_turn(*left) & Q(vacant_where(who, process)) if left else None

    def _is_staffed(self, key: str) -> bool:
        return key in self.departments and self.departments[key][1]


def _with_kind(kind: str, column: str | Lower) -> Concat:
    """Return the `Turn.who` of a row."""
    return Concat(Value(f"{kind}:"), Cast(column, TextField()), output_field=TextField())


def _has_turn(*names: str) -> Q:
    return Q(pk__in=Turn.objects.filter(who__in=names).values("ticket"))
