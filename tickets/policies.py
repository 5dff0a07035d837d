"""Who may do what: pure predicates over an actor and a ticket."""

from collections.abc import Iterable

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.enums import Role
from accounts.models import Membership, User

from .actors import Actor, Guest, System
from .definitions.conditions import holds
from .definitions.definition import Action, Who
from .enums import Purpose
from .models import Attachment, Ticket

# What a guest's link is good for; of the links that one browser holds, the purpose named first is taken.
READING_PURPOSES = (Purpose.FOLLOW, Purpose.CONTRIBUTE, Purpose.APPROVE)
WRITING_PURPOSES = (Purpose.FOLLOW, Purpose.CONTRIBUTE)
DECIDING_PURPOSES = (Purpose.APPROVE, Purpose.FOLLOW)
RATING_PURPOSES = (Purpose.SURVEY, Purpose.APPROVE, Purpose.FOLLOW)


def is_requester(actor: Actor, ticket: Ticket) -> bool:
    if isinstance(actor, Guest):
        return actor.ticket_id == ticket.pk
    return isinstance(actor, User) and ticket.requester_id == actor.pk


def is_staff_on(actor: Actor, ticket: Ticket) -> bool:
    """Desk staff who may see this ticket."""
    if not isinstance(actor, User) or not actor.is_desk_staff or not actor.is_active:
        return False
    return (
        actor.is_supervisor
        or ticket.assignee_id == actor.pk
        or ticket.department_id is None
        or ticket.department_id in actor.department_ids
    )


def staff_on(ticket: Ticket) -> "QuerySet[User]":
    """`is_staff_on` as a list: whoever of the desk may see this ticket."""
    staff = User.objects.staff()
    if ticket.department_id is None:
        return staff
    supervisors = [role for role in Role if role.rank >= Role.SUPERVISOR.rank]
    members = Membership.objects.filter(user=OuterRef("pk"), department=ticket.department_id)
    return staff.filter(Q(role__in=supervisors) | Q(pk=ticket.assignee_id) | Exists(members))


def known_people(user: User) -> "QuerySet[User]":
    """Whose card this member of the desk may open: of whoever asked for something that they may see. Supervisors know
    every customer, with tickets or without."""
    if not user.is_desk_staff:
        return User.objects.none()
    known = Q(Exists(Ticket.objects.visible_to(user).filter(requester=OuterRef("pk"))))
    return User.objects.filter(known | Q(role=Role.CUSTOMER) if user.is_supervisor else known)


def can_view(actor: Actor, ticket: Ticket) -> bool:
    if isinstance(actor, Guest):
        return actor.ticket_id == ticket.pk and actor.purpose in READING_PURPOSES
    return isinstance(actor, System) or is_requester(actor, ticket) or is_staff_on(actor, ticket)


def can_see_internal(actor: Actor, ticket: Ticket) -> bool:
    return is_staff_on(actor, ticket)


def can_download(actor: Actor, attachment: Attachment) -> bool:
    """Whoever sees the message sees its files. What waits to be sent is nobody's yet."""
    if attachment.ticket is None:
        return False
    internal = attachment.message is not None and not attachment.message.is_public
    return (can_see_internal if internal else can_view)(actor, attachment.ticket)


def can_reply(actor: Actor, ticket: Ticket) -> bool:
    """As the requester, at any time (S1.5, S3.18)."""
    return is_requester(actor, ticket) and (not isinstance(actor, Guest) or actor.purpose in WRITING_PURPOSES)


def can_rate(actor: Actor, ticket: Ticket) -> bool:
    return is_requester(actor, ticket) and (not isinstance(actor, Guest) or actor.purpose in RATING_PURPOSES)


def can_choose_notifications(actor: Actor, ticket: Ticket) -> bool:
    """Whoever holds a link for one errand alone does not silence the requester's mail (S3.10)."""
    return is_requester(actor, ticket) and (not isinstance(actor, Guest) or actor.purpose == Purpose.FOLLOW)


def can_answer(actor: Actor, ticket: Ticket) -> bool:
    """As the desk: follow-ups, solutions and notes."""
    return is_staff_on(actor, ticket)


def can_send_solution(actor: Actor, ticket: Ticket) -> bool:
    """S2.29: only where a solution can exist."""
    return can_answer(actor, ticket) and ticket.kind in ticket.definition.solution_from


def can_edit_properties(actor: Actor, ticket: Ticket) -> bool:
    return is_staff_on(actor, ticket)


def can_retry_delivery(actor: Actor, ticket: Ticket) -> bool:
    return isinstance(actor, User) and actor.is_supervisor and is_staff_on(actor, ticket)


def can_review_nonconformities(actor: Actor, ticket: Ticket) -> bool:
    return isinstance(actor, User) and actor.is_supervisor and is_staff_on(actor, ticket)


def may_perform(actor: Actor, ticket: Ticket, action: Action) -> bool:
    """Whether `action` names this actor, whatever the stage."""
    return any(is_one_of(who, actor, ticket) for who in action.by)


def is_one_of(who: Who, actor: Actor, ticket: Ticket) -> bool:
    """Whether the actor is who the process means. Administrators stand in for any staff; nobody stands in for the
    requester."""
    if who.kind == "owner":
        return is_one_of(ticket.stage_definition.owner, actor, ticket)
    if who.kind == "requester":
        decides = not isinstance(actor, Guest) or actor.purpose in DECIDING_PURPOSES
        return is_requester(actor, ticket) and decides
    if not isinstance(actor, User) or who.kind == "nobody":
        return False
    if not is_staff_on(actor, ticket):
        return False
    return actor.role == Role.ADMINISTRATOR or _is_staff_meant(who, actor, ticket)


def _means_requester(who: Who, ticket: Ticket) -> bool:
    return (ticket.stage_definition.owner if who.kind == "owner" else who).kind == "requester"


def may_be_meant(who: Who, user: User) -> bool:
    """Whether there may be a ticket of which the process means this member of the desk; `is_one_of` asks of one."""
    if who.kind in ("requester", "nobody"):
        return False
    return user.role == Role.ADMINISTRATOR or _is_meant_anywhere(who, user) is not False


def _is_meant_anywhere(who: Who, user: User) -> bool | None:
    """What the word says of a member of the desk whatever the ticket; None where the ticket decides."""
    match who.kind:
        case "staff":
            return True
        case "role":
            return user.has_role(Role(who.name))
        case "department":
            return user.belongs_to(who.name) if who.name else None if user.department_ids else False
        case "user":
            return user.email == who.name.lower()
    return None


def _is_staff_meant(who: Who, actor: User, ticket: Ticket) -> bool:
    anywhere = _is_meant_anywhere(who, actor)
    if anywhere is not None:
        return anywhere
    match who.kind:
        case "assignee":
            return ticket.assignee_id == actor.pk
        case "department":
            return ticket.department_id in actor.department_ids
        case "managers":
            return actor.is_supervisor or actor.manages(ticket.department_id)
        case "group":
            return who.name.lower() in actor.group_names or _stands_in(who.name, ticket)
        case "actor_of":
            return ticket.events.filter(action=who.name, actor=actor).exists()
    return False


def _stands_in(group: str, ticket: Ticket) -> bool:
    """S4.15: a role that nobody holds yet is everybody's, where the process says so."""
    definition = ticket.definition.group(group)
    if definition is None or definition.while_empty != "staff":
        return False
    held = User.objects.staff().filter(groups__name__iexact=group)
    return not held.exists()


def available_actions(ticket: Ticket, *, actor: Actor, as_requester: bool = False) -> list[Action]:
    """What the process offers this person now, in its own order: the buttons of a page, and only those.

    `as_requester` leaves out what somebody of the desk who asks for help may do for their work."""
    return list(_available(ticket.definition.actions_from(ticket.stage), ticket, actor, as_requester))


def _available(
    actions: Iterable[Action], ticket: Ticket, actor: Actor, as_requester: bool
) -> Iterable[Action]:
    meant: dict[Who, bool] = {}  # most actions of a stage name the same few people
    for action in actions:
        for who in action.by:
            if who not in meant:
                counts = _means_requester(who, ticket) or not as_requester
                meant[who] = counts and is_one_of(who, actor, ticket)
        if any(meant[who] for who in action.by) and holds(action.when, ticket):
            yield action
