"""Verbs that change a ticket's properties without an action of its process. Staff use them, and the requester uses
`set_notifications`."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Department, User
from content.errors import InvalidData

from .. import clocks, policies
from ..actors import Actor, user_of
from ..enums import EventKind, Template
from ..exceptions import GuardFailed, NotAllowed
from ..models import Category, ProcessVersion, Ticket
from ..record.events import already_recorded, record
from ..record.freshness import require_fresh
from ..record.locking import locked
from ..requesters.guests import switch_contribution
from .asks import STANDARD_ASKS
from .perform import fire, record_earlier_breaches, tell_department

EDITABLE = ("severity", "case_kind", "difficulty", "queue_position", "department", "due_at", "category")
REQUIRED = frozenset({"severity", "case_kind", "category"})
RETARGETING = frozenset({"severity", "case_kind", "category"})
"""What the targets of the clocks depend on."""


@transaction.atomic
def assign(
    ticket: Ticket,
    *,
    actor: Actor,
    assignee: User | None,
    source: str = "",
    version: int | None = None,
    key: str | None = None,
) -> Ticket:
    """Set the ticket's assignee, or leave it unassigned with `assignee=None`. Returns the ticket.

    The assignee gets a mail, unless they assigned it to themselves (S1.13). `source` is the folio of the solved ticket
    from which a proposal came (S3.20): the history tells it. Raises `NotAllowed`, `StaleTicket`,
    `GuardFailed` on a closed ticket, and `InvalidData` if `assignee` is not active staff.
    """
    return _assign(locked(ticket), assignee, actor=actor, source=source, version=version, key=key)


def _assign(
    ticket: Ticket,
    assignee: User | None,
    *,
    actor: Actor,
    source: str = "",
    version: int | None = None,
    key: str | None = None,
) -> Ticket:
    """Do what `assign` does to a locked ticket."""
    if done := already_recorded(key, actor=actor, act=EventKind.ASSIGNED, ticket=ticket):
        return done.ticket
    if not policies.can_edit_properties(actor, ticket):
        raise NotAllowed
    require_fresh(ticket, actor=actor, version=version)
    if not ticket.is_open:
        raise GuardFailed(_("El ticket está cerrado: ya no se asigna."))
    if assignee is not None and not (assignee.is_desk_staff and assignee.is_active):
        raise InvalidData({"assignee": [_("Elige a una persona del equipo.")]})
    if ticket.assignee_id == (assignee.pk if assignee else None):
        return ticket
    before, ticket.assignee = ticket.assignee_id, assignee
    tell = assignee is not None and assignee != user_of(actor)
    record(
        ticket,
        EventKind.ASSIGNED,
        actor=actor,
        public=False,
        data={"changes": {"assignee_id": [before, ticket.assignee_id]}} | _from(source),
        notify=[("assignee", Template.ASSIGNED)] if tell else [],
        key=key,
    )
    return ticket


@transaction.atomic
def change_properties(
    ticket: Ticket,
    *,
    actor: Actor,
    source: str = "",
    version: int | None = None,
    key: str | None = None,
    **values: Any,
) -> Ticket:
    """Change any of `EDITABLE` and return the ticket. Equal values change nothing and record nothing.

    A new severity, case kind or category brings its own targets, so due dates move; an agreed due date stays. `source`
    is that of `assign`. Raises
    `NotAllowed`, `StaleTicket`, `GuardFailed` on a closed ticket, `InvalidData` for wrong values, and `TypeError` for
    another property.
    """
    return _change(locked(ticket), values, actor=actor, source=source, version=version, key=key)


def _change(
    ticket: Ticket,
    values: dict[str, Any],
    *,
    actor: Actor,
    source: str = "",
    version: int | None = None,
    key: str | None = None,
) -> Ticket:
    """Do what `change_properties` does to a locked ticket."""
    if done := already_recorded(key, actor=actor, act=EventKind.PROPERTIES, ticket=ticket):
        return done.ticket
    if not policies.can_edit_properties(actor, ticket):
        raise NotAllowed
    require_fresh(ticket, actor=actor, version=version)
    if not ticket.is_open:
        raise GuardFailed(_("El ticket está cerrado: sus datos ya no cambian."))
    cleaned = _cleaned(ticket, values)
    now = timezone.now()
    record_earlier_breaches(ticket, now=now)
    before = {name: _plain(getattr(ticket, name)) for name in cleaned}
    for name, value in cleaned.items():
        if name == "due_at":
            clocks.agree_due(ticket, due=value, now=now)
        else:
            setattr(ticket, name, value)
    changes = {
        name: [before[name], _plain(getattr(ticket, name))]
        for name in cleaned
        if before[name] != _plain(getattr(ticket, name))
    }
    if not changes:
        return ticket
    if not changes.keys().isdisjoint(RETARGETING):
        clocks.retarget(ticket, now=now)
    record(
        ticket,
        EventKind.PROPERTIES,
        actor=actor,
        public=False,
        data={"changes": changes} | _from(source),
        notify=tell_department(ticket) if "department" in changes else [],
        key=key,
    )
    return ticket


def _cleaned(ticket: Ticket, values: dict[str, Any]) -> dict[str, Any]:
    cleaned: dict[str, Any] = {}
    errors: dict[str, list[str]] = {}
    for name, value in values.items():
        if name not in EDITABLE:
            raise TypeError(f"{name} is not an editable property")
        field = property_field(ticket, name, required=name in REQUIRED)
        if name == "due_at" and clocks.same_minute(value, clocks.closing_date(ticket, now=timezone.now())):
            continue
        try:
            cleaned[name] = field.clean(_plain(value))
        except ValidationError as error:
            errors[name] = error.messages
    if errors:
        raise InvalidData(errors)
    return cleaned


def property_field(ticket: Ticket, name: str, **common: Any) -> forms.Field:
    """Return the form field of a property: the one that actions ask for it with, or the categories of the ticket's
    process that can be chosen, and its own."""
    if name != "category":
        return STANDARD_ASKS[name].build(ticket, common)
    process = ProcessVersion.objects.process_of(ticket.process_version_id)
    offered = Q(is_active=True) | Q(pk=ticket.category_id)
    return forms.ModelChoiceField(
        Category.objects.filter(offered, process=process), **{"label": _("Categoría"), **common}
    )


def _plain(value: Any) -> Any:
    return value.pk if isinstance(value, Department | Category) else value


def _from(source: str) -> dict[str, str]:
    return {"source": source} if source else {}


@transaction.atomic
def take_proposal(
    ticket: Ticket,
    *,
    actor: Actor,
    values: Mapping[str, tuple[Any, str]],
    version: int | None = None,
    key: str | None = None,
) -> Ticket:
    """Set the properties, and the assignee, that a proposal names, all or none of them (S3.20). Returns the ticket.

    `values` has the value of each with the folio of the solved ticket from which it comes: those of one ticket are one
    event. Raises what `assign` and `change_properties` raise.
    """
    rest, ticket = dict(values), locked(ticket)
    stamp: dict[str, Any] = {"actor": actor, "version": version, "key": key}
    if "assignee" in rest:  # first: a new department may end the actor's sight of the ticket
        assignee, source = rest.pop("assignee")
        ticket = _assign(ticket, assignee, source=source, **stamp)
        stamp["version"] = None  # it was just checked
    # last: the source of the department, for the same reason
    sources = sorted({source for _value, source in rest.values()})
    sources.sort(key=lambda source: rest.get("department", ("", ""))[1] == source)
    for source in sources:
        of_source = {name: value for name, (value, given) in rest.items() if given == source}
        ticket = _change(ticket, of_source, source=source, **stamp)
        stamp |= {"version": None, "key": f"{key} {source}" if key else None}
    return ticket


@transaction.atomic
def set_contribution(
    ticket: Ticket, *, actor: Actor, is_open: bool, version: int | None = None, key: str | None = None
) -> Ticket:
    """Switch the contribution, «aporte de usuario», on or off and return the ticket (S2.5).

    Switching it off revokes its links and fires `contribution_closed`, so that the process stops waiting for the
    requester (S2.7). Raises `NotAllowed`, `StaleTicket`, and `GuardFailed` for switching it on if the ticket is closed
    or has no address.
    """
    ticket = locked(ticket)
    if done := already_recorded(key, actor=actor, act=EventKind.CONTRIBUTION, ticket=ticket):
        return done.ticket
    if not policies.can_edit_properties(actor, ticket):
        raise NotAllowed
    require_fresh(ticket, actor=actor, version=version)
    if ticket.contribution_open == is_open:
        return ticket
    if is_open and not ticket.is_open:
        raise GuardFailed(_("El ticket está cerrado: no se puede pedir un aporte."))
    if is_open and not ticket.requester_email:
        raise GuardFailed(_("Falta el correo del solicitante: sin él no podemos pedirle un aporte."))
    switch_contribution(ticket, is_open=is_open)
    record(ticket, EventKind.CONTRIBUTION, actor=actor, public=False, data={"open": is_open}, key=key)
    if not is_open:
        fire(ticket, "contribution_closed", actor=actor)
    return ticket


@transaction.atomic
def set_notifications(ticket: Ticket, *, actor: Actor, on: bool) -> Ticket:
    """Set whether the requester gets mails about this ticket, as they chose (S3.10). Returns the ticket."""
    ticket = locked(ticket)
    if not policies.can_choose_notifications(actor, ticket):
        raise NotAllowed
    if ticket.notify_requester != on:
        ticket.notify_requester = on
        record(ticket, EventKind.NOTIFICATIONS, actor=actor, public=False, data={"on": on})
    return ticket
