"""Whom an event's mails go to: the process says it in the words of `Who`, here they become people."""

import logging
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.enums import Role
from accounts.models import Membership, User
from tickets import policies
from tickets.definitions.definition import Who
from tickets.enums import DeliveryProblem, Template
from tickets.models import Ticket, TicketEvent
from tickets.vocabulary import TEMPLATES

from ..enums import Audience

logger = logging.getLogger(__name__)

RECEIPTS = frozenset(
    {Template.RECEIVED, Template.CLOSURE_APPROVED, Template.CLOSED, Template.CANCELLED, Template.SURVEY}
)
"""What requesters get even when they themselves brought it about: their copy of it, or what follows from it."""


@dataclass(frozen=True)
class Recipient:
    email: str
    audience: Audience
    language: str
    user: User | None = None
    withheld: DeliveryProblem | None = None
    """Why this person gets no mail although the process says so; on record, because the desk should know."""


def recipients_of(event: TicketEvent) -> dict[tuple[str, str], Recipient]:
    """Everybody an event asks to tell, once for each mail. Nobody is told of what they did themselves."""
    found: dict[tuple[str, str], Recipient] = {}
    people: dict[str, list[Recipient]] = {}
    for entry in event.notify:
        word = entry["to"]
        if entry["template"] not in TEMPLATES:  # of a process that was published long ago
            logger.error("event %s asks for a mail that is no more: %s", event.pk, entry["template"])
            continue
        template = str(entry["template"])
        if word not in people:
            people[word] = _people(word, event)
        for person in people[word]:
            if not _did_it(person, event, template):
                found.setdefault((person.email, template), person)
    return found


def _people(word: str, event: TicketEvent) -> list[Recipient]:
    kind, _colon, name = word.partition(":")
    who = Who(kind, name)
    if kind == "owner":
        who = event.ticket.stage_definition.owner
    if who.kind == "requester":
        return _requester(event.ticket, asked_for=is_asked_for(event))
    return [
        Recipient(user.email, Audience.STAFF, user.language, user)
        for user in _staff(who, event)
        if user.notify_by_email
    ]


def is_asked_for(event: TicketEvent) -> bool:
    """The requester asked for this very mail, a new link, so it comes whatever they think of news."""
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
    """The requester's choice for this ticket, and for all of them (S3.10)."""
    return ticket.notify_requester and (user is None or user.notify_by_email)


def _did_it(person: Recipient, event: TicketEvent, template: str) -> bool:
    if person.audience == Audience.REQUESTER:
        if template in RECEIPTS:
            return False
        if event.actor_id is None:  # a guest's own words, or the desk acting by a rule
            return event.message is not None and event.message.from_requester
    return person.user is not None and person.user.pk == event.actor_id


# --- Staff ------------------------------------------------------------------------------------------------


def _staff(who: Who, event: TicketEvent) -> list[User]:
    """Staff the process means, among those who may see the ticket. A team without members, or a department that is
    not known yet, is spoken for by the supervisors: a report that nobody hears of is worse than one mail too many."""
    ticket = event.ticket
    if who.kind == "assignee":
        user = ticket.assignee
        return [user] if user is not None and user.is_active and user.is_desk_staff else []
    people = policies.staff_on(ticket)
    match who.kind:
        case "user":
            return list(people.filter(email=who.name.lower()))
        case "group":
            return list(people.filter(groups__name__iexact=who.name).distinct()) or _standing_in(
                people, who, ticket
            )
        case "actor_of":
            last = ticket.events.filter(action=who.name, actor__isnull=False).order_by("-version")[:1]
            return list(people.filter(pk__in=last.values("actor")))
        case "role":
            return _of_role(people, who.name)
        case "department" | "staff":
            return list(people.filter(_member(ticket, who.name))) or _of_role(people, Role.SUPERVISOR)
        case "managers":
            managers = people.filter(_member(ticket, who.name, is_manager=True))
            return list(managers) or _of_role(people, Role.SUPERVISOR)
    return []


def _standing_in(people: "QuerySet[User]", group: Who, ticket: Ticket) -> list[User]:
    """S4.15: a role that nobody holds yet is its department's, where the process says so."""
    definition = ticket.definition.group(group.name)
    members = people.filter(_member(ticket, "")) if definition and definition.while_empty == "staff" else []
    return list(members) or _of_role(people, Role.SUPERVISOR)


def _member(ticket: Ticket, department: str, **fields: bool) -> Q:
    """Of the named department, or else of the ticket's own."""
    where = {"department__key": department} if department else {"department": ticket.department_id}
    return Q(Exists(Membership.objects.filter(user=OuterRef("pk"), **where, **fields)))


def _of_role(people: "QuerySet[User]", role: str) -> list[User]:
    """Those who hold the role itself. A desk without one has somebody above who stands in."""
    held = list(people.filter(role=role))
    if held or role == Role.ADMINISTRATOR or role not in Role.values or role == Role.CUSTOMER:
        return held
    return list(people.filter(role=Role.ADMINISTRATOR))
