"""Find the recipients of an event's mails: turn each `to` of the process (a `Who`) into people."""

import logging
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, QuerySet

from accounts.enums import Role
from accounts.models import Department, Membership, User
from tickets import policies
from tickets.definitions.definition import Who
from tickets.definitions.fields import answers_of
from tickets.enums import DeliveryProblem, EventKind, Template
from tickets.models import Ticket, TicketEvent
from tickets.vocabulary import TEMPLATES

from ..enums import Audience

logger = logging.getLogger(__name__)

RECEIPTS = frozenset(
    {Template.RECEIVED, Template.CLOSURE_APPROVED, Template.CLOSED, Template.CANCELLED, Template.SURVEY}
)
"""Mails that requesters get even about their own actions: a confirmation, or what follows from the action."""

NEWS_FOR_ASSIGNEE = RECEIPTS | {Template.ASSIGNED}
"""Mails to an assignee that call for nothing. While a ticket has no assignee, nobody else needs them."""


@dataclass(frozen=True)
class Recipient:
    """One person to tell, with the address and language to use."""

    email: str
    audience: Audience
    language: str
    user: User | None = None
    withheld: DeliveryProblem | None = None
    """Why this person gets no mail although the process asks for it. It is stored, so that staff can see it."""


def recipients_of(event: TicketEvent) -> dict[tuple[str, str], Recipient]:
    """Return the recipients of the event's mails, by (address, template). People are not told about what they did
    themselves, except for `RECEIPTS`."""
    found: dict[tuple[str, str], Recipient] = {}
    people: dict[str, list[Recipient]] = {}
    for entry in event.notify:
        word = entry["to"]
        if entry["template"] not in TEMPLATES:  # named by an old version of a process
            logger.error("event %s asks for a mail that no longer exists: %s", event.pk, entry["template"])
            continue
        template = str(entry["template"])
        if template in NEWS_FOR_ASSIGNEE and _is_unassigned(word, event.ticket):
            continue
        if word not in people:
            people[word] = _people(word, event)
        for person in people[word]:
            if not _is_own_action(person, event, template):
                found.setdefault((person.email, template), person)
    return found


def _who(word: str, ticket: Ticket) -> Who:
    kind, _colon, name = word.partition(":")
    return ticket.stage_definition.owner if kind == "owner" else Who(kind, name)


def _is_unassigned(word: str, ticket: Ticket) -> bool:
    return ticket.assignee_id is None and _who(word, ticket).kind == "assignee"


def _people(word: str, event: TicketEvent) -> list[Recipient]:
    who = _who(word, event.ticket)
    if who.kind == "requester":
        return _requester(event.ticket, asked_for=is_asked_for(event))
    return [
        Recipient(user.email, Audience.STAFF, user.language, user)
        for user in _staff(who, event)
        if user.notify_by_email
    ]


def is_asked_for(event: TicketEvent) -> bool:
    """Whether the event sends the new link that the requester asked for. It is sent even to requesters who do not want
    other mails."""
    return any(entry["template"] == Template.NEW_LINK for entry in event.notify)


def _requester(ticket: Ticket, *, asked_for: bool) -> list[Recipient]:
    user = ticket.requester
    email = user.email if user else ticket.requester_email
    if not email:
        return []
    withheld = None
    if user is not None and not user.is_active:
        withheld = DeliveryProblem.NO_ACCESS
    elif not (asked_for or wants_news(ticket, user)):
        withheld = DeliveryProblem.OPTED_OUT
    language = user.language if user else ticket.requester_language
    return [Recipient(email, Audience.REQUESTER, language, user, withheld)]


def wants_news(ticket: Ticket, user: User | None) -> bool:
    """Whether the requester wants mails about this ticket, and has not switched all mails off in the profile
    (S3.10)."""
    return ticket.notify_requester and (user is None or user.notify_by_email)


def _is_own_action(person: Recipient, event: TicketEvent, template: str) -> bool:
    if person.audience == Audience.REQUESTER:
        if template in RECEIPTS:
            return False
        if event.actor_id is None:  # a guest wrote it, or a rule acted
            return event.message is not None and event.message.from_requester
    return person.user is not None and person.user.pk == event.actor_id


# --- Staff ------------------------------------------------------------------------------------------------


def _staff(who: Who, event: TicketEvent) -> list[User]:
    """Return the staff that `who` includes, among those who may see the ticket.

    Who had taken a side task is told that it was withdrawn, although they do not see the ticket any more.
    If nobody is among them, those get the mail who act instead, so that somebody reads it: in the place of a person
    those in charge of the ticket's department, in that of a department or group the managers of the ticket's
    department, and without them the supervisors. For an empty group see `_replacing_empty_group`.
    """
    ticket = event.ticket
    if event.kind == EventKind.TASK_WITHDRAWN:
        taker = _named_person(who, ticket)
        return [taker] if taker is not None and taker.is_active_staff else []
    if who.kind in ("assignee", "user", "actor_of"):
        return _one_person(who, ticket)
    # whoever is in the ticket's own department may see it
    is_own = who.kind in ("department", "staff") and not who.name
    if is_own and (in_charge := _in_charge(User.objects.staff(), ticket, "")):
        return in_charge
    people = policies.staff_on(ticket)
    match who.kind:
        case "department_of":
            places = Department.objects.filter(key__in=answers_of(ticket.fields, who.name))
            members = _members(people, [place.pk for place in places if place.is_active])
            return members or (_instead(people, ticket) if places else [])  # none: an outside provider
        case "group":
            return list(people.filter(groups__name__iexact=who.name).distinct()) or _replacing_empty_group(
                people, who, ticket
            )
        case "role":
            return _of_role(people, who.name)
        case "department" | "staff":
            return _in_charge(people, ticket, who.name) or _instead(people, ticket)
        case "managers":
            managers = people.filter(_member(ticket, who.name, is_manager=True))
            return list(managers) or _of_role(people, Role.SUPERVISOR)
    return []


def _one_person(who: Who, ticket: Ticket) -> list[User]:
    """Return the person whom `who` names, if they may see the ticket, or else nobody. In the place of a person who may
    not act any more, or of nobody, return those in charge of the ticket's department, or the supervisors."""
    person = _named_person(who, ticket)
    if person is not None and person.is_active_staff:
        is_on_it = who.kind == "assignee"
        return [person] if is_on_it else list(policies.staff_on(ticket).filter(pk=person.pk))
    people = policies.staff_on(ticket)
    return _in_charge(people, ticket, "") or _of_role(people, Role.SUPERVISOR)


def _named_person(who: Who, ticket: Ticket) -> User | None:
    match who.kind:
        case "assignee":
            return ticket.assignee
        case "user":
            return User.objects.filter(email=who.name.lower(), has_been_staff=True).first()
    did_it = ticket.events.filter(action=who.name, actor__isnull=False).select_related("actor")
    last = did_it.order_by("-version").first()
    return last.actor if last else None


def _replacing_empty_group(people: "QuerySet[User]", group: Who, ticket: Ticket) -> list[User]:
    """Return the people who get the mail while a group has no members: the members of the ticket's department if the
    process says `while_empty = "staff"` (S4.15), else those who act instead."""
    definition = ticket.definition.group(group.name)
    members = people.filter(_member(ticket, "")) if definition and definition.while_empty == "staff" else []
    return list(members) or _instead(people, ticket)


def _instead(people: "QuerySet[User]", ticket: Ticket) -> list[User]:
    """Return those who act while a department or group has nobody: the managers of the ticket's department, or the
    supervisors."""
    managers = people.filter(_member(ticket, "", is_manager=True))
    return list(managers) or _of_role(people, Role.SUPERVISOR)


def _in_charge(people: "QuerySet[User]", ticket: Ticket, department: str) -> list[User]:
    """Return the managers of the department, or all its members if it has no manager: a mail should wake those who
    must act, and managers hand the work out. A department that was switched off has nobody in charge."""
    rows = _memberships(ticket, department).filter(user__in=people.order_by())
    members = list(rows.select_related("user").order_by("user__name", "user_id"))
    return [row.user for row in members if row.is_manager] or [row.user for row in members]


def _members(people: "QuerySet[User]", departments: list[int]) -> list[User]:
    places = Membership.objects.filter(user=OuterRef("pk"), department__in=departments)
    return list(people.filter(Exists(places)))


def _member(ticket: Ticket, department: str, **fields: bool) -> Exists:
    """Return the filter for members of the named department, or of the ticket's own if the name is empty."""
    return Exists(_memberships(ticket, department).filter(user=OuterRef("pk"), **fields))


def _memberships(ticket: Ticket, department: str) -> "QuerySet[Membership]":
    """Return the memberships of the named department, or of the ticket's own if the name is empty. A department that
    was switched off counts as empty."""
    rows = Membership.objects.filter(department__is_active=True)
    if department:
        return rows.filter(department__key=department)
    return rows.filter(department=ticket.department_id)


def _of_role(people: "QuerySet[User]", role: str) -> list[User]:
    """Return the people who have exactly this role. If `role` is agent or supervisor and nobody has it, return the
    administrators instead."""
    others = [Role.ADMINISTRATOR] if role in (Role.AGENT, Role.SUPERVISOR) else []
    found = list(people.filter(role__in=[role, *others]))
    return [person for person in found if person.role == role] or found
