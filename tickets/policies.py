"""Permissions: predicates that say what an actor may do with a ticket. They change nothing."""

from collections.abc import Iterable
from functools import cache, reduce
from operator import or_

from django.contrib.auth.models import Group
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Lower

from accounts.enums import Role
from accounts.models import Department, Membership, User

from .actors import Actor, Guest, System
from .definitions.conditions import is_offered
from .definitions.definition import Action, ChecklistItem, Definition, Stage, Who
from .definitions.fields import answers_of
from .definitions.turns import reviews_answers
from .enums import EventKind, Purpose
from .models import Attachment, MailedReport, SavedView, SideTask, Ticket, TicketEvent, Turn
from .vacancies import (
    CAN_BE_EMPTY,
    answered,
    could_be_vacant,
    has_members,
    is_vacant,
    stands_for_all_staff,
    stands_in,
    stands_in_somewhere,
    vacant_where,
)

# The purposes of guests' links that permit each kind of use. If a browser holds several links, the purpose named first
# is used.
READING_PURPOSES = (Purpose.FOLLOW, Purpose.CONTRIBUTE, Purpose.APPROVE)
WRITING_PURPOSES = (Purpose.FOLLOW, Purpose.CONTRIBUTE)
DECIDING_PURPOSES = (Purpose.APPROVE, Purpose.FOLLOW)
RATING_PURPOSES = (Purpose.SURVEY, Purpose.APPROVE, Purpose.FOLLOW)

NONE = Q(pk__in=[])


def is_requester(actor: Actor, ticket: Ticket) -> bool:
    if isinstance(actor, Guest):
        return actor.ticket_id == ticket.pk
    return isinstance(actor, User) and ticket.requester_id == actor.pk


def is_staff_on(actor: Actor, ticket: Ticket) -> bool:
    """Whether the actor is active staff who may see this ticket: its department's members, its assignee, those whose
    turn it is, supervisors and administrators; all staff if it has no department."""
    if not isinstance(actor, User) or not actor.is_desk_staff or not actor.is_active:
        return False
    return (
        actor.is_supervisor
        or ticket.assignee_id == actor.pk
        or ticket.department_id is None
        or ticket.department_id in actor.department_ids
        or Turn.objects.of(actor).filter(ticket=ticket).exists()
    )


def had_taken(user: User, task: SideTask) -> bool:
    """Whether the person, active staff, is who had taken the task. They may be told its end, although it ended their
    sight of the ticket."""
    return task.assignee_id == user.pk and user.is_active_staff


def staff_on(ticket: Ticket) -> "QuerySet[User]":
    """Return all staff for whom `is_staff_on` is true, sorted by name."""
    staff = User.objects.staff()
    if ticket.department_id is None:
        return staff
    supervisors = [role for role in Role if role.rank >= Role.SUPERVISOR.rank]
    members = Membership.objects.filter(user=OuterRef("pk"), department=ticket.department_id)
    named = Q(role__in=supervisors) | Q(pk=ticket.assignee_id) | Exists(members)
    return staff.filter(named | _whose_turn_it_is(ticket))


def _whose_turn_it_is(ticket: Ticket) -> Q:
    """Return the filter for the staff whom the ticket's `Turn` rows name. `TurnQuerySet.of` is the same rule for one
    person."""
    names: dict[str, list[str]] = {}
    for row in ticket.turns.values_list("who", flat=True):
        kind, _colon, name = row.partition(":")
        names.setdefault(kind, []).append(name)
    if "role" in names:  # the only role that `Turn` names is agent, the lowest: all staff
        return Q(role__in=[role for role in Role if role != Role.CUSTOMER])
    places = Membership.objects.filter(user=OuterRef("pk"), department__key__in=names.get("department", []))
    groups = Group.objects.annotate(key=Lower("name")).filter(
        user=OuterRef("pk"), key__in=names.get("group", [])
    )
    return (
        Q(email__in=names.get("user", []))
        | Q(pk__in=names.get("person", []))
        | Exists(places)
        | Exists(groups)
    )


def people_visible_to(user: User) -> "QuerySet[User]":
    """Return the people whose customer page `user` may open: the requesters of tickets that `user` may see.

    Supervisors and administrators may also open the page of every customer without tickets. Customers may open none.
    """
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
    """Whether the actor may download the file: those who may see its message may. Unsent files cannot be downloaded."""
    if attachment.ticket is None:
        return False
    internal = attachment.message is not None and not attachment.message.is_public
    return (can_see_internal if internal else can_view)(actor, attachment.ticket)


def _link_permits(actor: Actor, purposes: tuple[Purpose, ...]) -> bool:
    """Whether the guest's link is for one of `purposes` and still permits more than reading. True for accounts."""
    return not isinstance(actor, Guest) or (actor.purpose in purposes and not actor.only_reads)


def can_reply(actor: Actor, ticket: Ticket) -> bool:
    """Whether the actor may reply as the requester, which is allowed in every stage (S1.5, S3.18)."""
    return is_requester(actor, ticket) and _link_permits(actor, WRITING_PURPOSES)


def can_rate(actor: Actor, ticket: Ticket) -> bool:
    return is_requester(actor, ticket) and _link_permits(actor, RATING_PURPOSES)


def can_choose_notifications(actor: Actor, ticket: Ticket) -> bool:
    """Whether the actor may switch the requester's mail on or off (S3.10). Guests need the link for following: links
    with a narrower purpose do not permit it."""
    return is_requester(actor, ticket) and _link_permits(actor, (Purpose.FOLLOW,))


def can_answer(actor: Actor, ticket: Ticket) -> bool:
    """Whether the actor may write as staff: follow-ups, solutions and internal notes."""
    return is_staff_on(actor, ticket)


def can_note(actor: Actor, ticket: Ticket) -> bool:
    """Whether the actor may write an internal note: whoever may answer, and the staff who filed the ticket, although it
    may have gone to a team whose tickets they do not see."""
    if can_answer(actor, ticket):
        return True
    if not isinstance(actor, User) or not actor.is_desk_staff or not actor.is_active:
        return False
    return ticket.events.filter(kind=EventKind.FILED, actor=actor).exists()


def can_send_solution(actor: Actor, ticket: Ticket) -> bool:
    """Whether the actor may send a solution now: only in the kinds of stage that the process allows (S2.29)."""
    return can_answer(actor, ticket) and ticket.kind in ticket.definition.solution_from


def can_edit_properties(actor: Actor, ticket: Ticket) -> bool:
    return is_staff_on(actor, ticket)


def can_tick(actor: Actor, ticket: Ticket, item: ChecklistItem) -> bool:
    """Whether the actor may tick the item of the closing checklist: see `items_to_tick`."""
    return item.key in items_to_tick(actor, ticket)


def items_to_tick(actor: Actor, ticket: Ticket) -> frozenset[str]:
    """Return the keys of the items of the closing checklist that the actor may tick: those with the actor in their
    `by`, and those without `by`, which all staff on the ticket may tick. If closing demands a review by another person,
    the assignee and who wrote the solution may tick none (S2.44)."""
    if not is_staff_on(actor, ticket):
        return frozenset()
    own = frozenset(
        item.key
        for item in ticket.definition.closing.checklist
        if not item.by or any(is_one_of(who, actor, ticket) for who in _simplest_first(item.by))
    )
    reviewed = any(reviews_answers(action.guards) for action in ticket.definition.actions)
    if own and reviewed and isinstance(actor, User) and actor.pk in ticket.answerer_ids:
        return frozenset()
    return own


def can_ask_side_task(actor: Actor, ticket: Ticket) -> bool:
    return is_staff_on(actor, ticket)


def can_do_side_task(actor: Actor, task: SideTask) -> bool:
    """Whether the actor may take and finish the task: members of its department, who has taken it, and supervisors."""
    if not isinstance(actor, User) or not actor.is_desk_staff or not actor.is_active:
        return False
    return actor.is_supervisor or task.department_id in actor.department_ids or task.assignee_id == actor.pk


def can_withdraw_side_task(actor: Actor, task: SideTask) -> bool:
    """Whether the actor may end the task without a result: who asked for it, the ticket's assignee and supervisors."""
    if not isinstance(actor, User):
        return False
    is_concerned = actor.is_supervisor or actor.pk in (task.asked_by_id, task.ticket.assignee_id)
    return is_concerned and is_staff_on(actor, task.ticket)


def can_retry_delivery(actor: Actor, ticket: Ticket) -> bool:
    return isinstance(actor, User) and actor.is_supervisor and is_staff_on(actor, ticket)


def can_review_nonconformities(actor: Actor, ticket: Ticket) -> bool:
    return isinstance(actor, User) and actor.is_supervisor and is_staff_on(actor, ticket)


def can_open_view(user: User, view: SavedView) -> bool:
    return view.is_shared or view.owner_id == user.pk


def can_edit_view(user: User, view: SavedView) -> bool:
    """Whether the person may rename, share, change or delete the view: its owner, and for a shared one supervisors."""
    return view.owner_id == user.pk or (view.is_shared and user.is_supervisor)


def departments_reported_to(user: User) -> "QuerySet[Department]":
    """Return the departments whose panel the person may have by mail: all for supervisors, for others those that they
    manage."""
    if user.is_supervisor:
        return Department.objects.all()
    managed = [place.department_id for place in user.cached_memberships if place.is_manager]
    return Department.objects.filter(pk__in=managed)


def can_receive(user: User, report: MailedReport) -> bool:
    """Whether the person may have the report now: staff the views that they may open, supervisors every panel, managers
    that of their departments."""
    if not user.is_active or not user.is_desk_staff:
        return False
    if report.view is not None:
        return can_open_view(user, report.view)
    if report.department is None:
        return user.is_supervisor
    return departments_reported_to(user).filter(pk=report.department.pk).exists()


def may_perform(actor: Actor, ticket: Ticket, action: Action) -> bool:
    """Whether the `by` of `action` includes the actor. The ticket's stage and the action's conditions are not
    checked."""
    return any(is_one_of(who, actor, ticket) for who in _simplest_first(action.by))


def _simplest_first(people: Iterable[Who]) -> list[Who]:
    """Sort by whether `is_one_of` may need a query to find out who has left."""
    return sorted(people, key=lambda who: who.kind in CAN_BE_EMPTY)


def is_one_of(who: Who, actor: Actor, ticket: Ticket) -> bool:
    """Whether `who` includes the actor on this ticket. Every `who` includes active administrators, except `requester`,
    `nobody` and an `owner` that is one of these two. While nobody whom it names may act any more, it includes those who
    stand in for them (`vacancies`)."""
    if who.kind == "owner":
        return is_one_of(ticket.stage_definition.owner, actor, ticket)
    if who.kind == "requester":
        return is_requester(actor, ticket) and _link_permits(actor, DECIDING_PURPOSES)
    if not isinstance(actor, User) or who.kind == "nobody":
        return False
    if not is_staff_on(actor, ticket):
        return False
    if actor.role == Role.ADMINISTRATOR or _includes_staff(who, actor, ticket):
        return True
    return stands_in(actor, ticket) and is_vacant(who, ticket)


def _means_requester(who: Who, ticket: Ticket) -> bool:
    """Whether `who` is the requester, directly or as the owner of the present stage."""
    return (ticket.stage_definition.owner if who.kind == "owner" else who).kind == "requester"


def could_include(who: Who, user: User) -> bool:
    """True if `who` could include this staff member on some ticket. For one ticket use `is_one_of`."""
    if who.kind in ("requester", "nobody"):
        return False
    if user.role == Role.ADMINISTRATOR or _includes_on_every_ticket(who, user) is not False:
        return True
    return who.kind in CAN_BE_EMPTY and stands_in_somewhere(user) and could_be_vacant(who)


def _includes_on_every_ticket(who: Who, user: User) -> bool | None:
    """Return True if `who` includes this staff member on every ticket, False if on none, and None if it depends on the
    ticket (such as `assignee`, `managers` or `group`)."""
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


def _includes_staff(who: Who, actor: User, ticket: Ticket) -> bool:
    anywhere = _includes_on_every_ticket(who, actor)
    if anywhere is not None:
        return anywhere
    match who.kind:
        case "assignee":
            return ticket.assignee_id == actor.pk
        case "department":
            return ticket.department_id in actor.department_ids
        case "managers":
            return actor.is_supervisor or actor.manages(ticket.department_id)
        case "department_of":
            return any(actor.belongs_to(key) for key in answers_of(ticket.fields, who.name))
        case "group":
            return who.name.lower() in actor.group_names or _all_staff_act_for(who.name, ticket.definition)
        case "actor_of":
            return ticket.events.filter(action=who.name, actor=actor).exists()
    return False


def tickets_for(who: Who, user: User, *, stage: Stage, process: Definition) -> Q | bool:
    """Return on which tickets in `stage` `who` includes this staff member, of those that they may see.

    The rule is that of `is_one_of`, as a condition of a query: True for all of them, False for none.
    """
    if who.kind == "owner":
        return tickets_for(stage.owner, user, stage=stage, process=process)
    if who.kind == "requester":
        return Q(requester=user)
    if who.kind == "nobody":
        return False
    if user.role == Role.ADMINISTRATOR:
        return True
    own = _own_tickets_for(who, user, process)
    vacant = own is not True and stands_in_somewhere(user) and vacant_where(who, process)
    if not vacant:
        return own
    managed = [place.department_id for place in user.cached_memberships if place.is_manager]
    where = Q() if vacant is True else Q(vacant)
    instead = where if user.is_supervisor else where & Q(department__in=managed)
    if isinstance(own, Q) and instead:
        return own | instead
    return instead or True


def _own_tickets_for(who: Who, user: User, process: Definition) -> Q | bool:
    """Return on which tickets `who` includes this staff member without standing in for anybody."""
    anywhere = _includes_on_every_ticket(who, user)
    if anywhere is not None:
        return anywhere
    match who.kind:
        case "assignee":
            return Q(assignee=user)
        case "department":
            return Q(department__in=user.department_ids)
        case "managers":
            managed = [place.department_id for place in user.cached_memberships if place.is_manager]
            return user.is_supervisor or Q(department__in=managed)
        case "department_of":
            return reduce(or_, (answered(who.name, p.department.key) for p in user.cached_memberships), NONE)
        case "group":
            return who.name.lower() in user.group_names or _all_staff_act_for(who.name, process)
        case "actor_of":
            acted = TicketEvent.objects.filter(ticket=OuterRef("pk"), action=who.name, actor=user)
            return Q(Exists(acted))
    return False


def _all_staff_act_for(group: str, process: Definition) -> bool:
    """Whether all staff on a ticket may act for `group`: it has no active member and its `while_empty` is `staff`
    (S4.15)."""
    return stands_for_all_staff(group, process) and not has_members(group)


def available_actions(ticket: Ticket, *, actor: Actor, as_requester: bool = False) -> list[Action]:
    """Return the actions that the actor may click now, in the order of the process file. Guards are not checked.

    With `as_requester=True`, staff looking at a ticket they filed get only the requester's actions.
    """
    return list(_available(ticket.definition.actions_from(ticket.stage), ticket, actor, as_requester))


def _available(
    actions: Iterable[Action], ticket: Ticket, actor: Actor, as_requester: bool
) -> Iterable[Action]:
    @cache  # most actions of a stage name the same people
    def includes(who: Who) -> bool:
        counts = _means_requester(who, ticket) or not as_requester
        return counts and is_one_of(who, actor, ticket)

    for action in actions:
        if any(includes(who) for who in _simplest_first(action.by)) and is_offered(action, ticket):
            yield action
