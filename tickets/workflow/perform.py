"""The only module that changes a ticket's stage: `perform` for people, `fire` for triggers."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.models import Membership

from .. import clocks, notices, policies
from ..actors import SYSTEM, Actor, System, user_of
from ..definitions.conditions import is_offered
from ..definitions.definition import Action, Stage
from ..enums import REQUESTER_KINDS, ClockKind, EventKind, MessageKind, Template, Trigger
from ..exceptions import ActionUnavailable, NotAllowed
from ..models import Ticket
from ..record import breaches
from ..record.events import already_recorded, record
from ..record.freshness import require_fresh
from ..record.locking import locked
from ..record.visits import record_visit, stay_of
from . import asks, effects, guards
from .arrival import record_overtaken
from .side_tasks import withdraw_all
from .step import Step

COMPARED = (
    "assignee_id", "department_id", "severity", "case_kind", "difficulty", "queue_position", "due_at",
    "contribution_open", "duplicate_of_id", "is_test", "requester_id", "is_escalated",
)  # fmt: skip


@transaction.atomic
def perform(
    ticket: Ticket,
    action: str,
    *,
    actor: Actor,
    data: Mapping[str, Any] | None = None,
    version: int | None = None,
    key: str | None = None,
) -> Ticket:
    """Carry out `action` of the ticket's process and return the changed ticket.

    `data` holds the answers to what the action asks, `version` is the ticket's version on the person's page, and a
    repeated `key` does nothing. Raises one of these and changes nothing: `NotAllowed` (this person may not),
    `StaleTicket` (the ticket has changed since `version`), `ActionUnavailable` (not in this stage, not any more, or
    its `when` does not hold), `InvalidData` (wrong answers), `GuardFailed` (a guard refuses).
    """
    ticket = locked(ticket)
    if done := already_recorded(key, actor=actor, act=action, ticket=ticket):
        return done.ticket
    if not policies.can_view(actor, ticket):
        raise NotAllowed
    definition = ticket.definition.action(action)
    if definition is None or definition.on:
        raise ActionUnavailable
    require_fresh(ticket, actor=actor, version=version)
    record_earlier_breaches(ticket, now=timezone.now())
    if ticket.stage not in definition.sources or not is_offered(definition, ticket):
        raise ActionUnavailable
    if not policies.may_perform(actor, ticket, definition):
        raise NotAllowed
    answers = asks.clean(definition, ticket, ticket.definition, data or {}, actor=actor)
    _carry_out(ticket, definition, actor=actor, answers=answers, key=key)
    return ticket


def fire(
    ticket: Ticket, trigger: str, *, actor: Actor = SYSTEM, after_days: int = 0, may_wait: bool = True
) -> Action | None:
    """Carry out the first action for `trigger` in the locked ticket's stage whose conditions hold.

    Returns that action, or None when there is none. Runs inside the transaction of the verb that caused it. For the
    trigger `silence`, `after_days` says how many days of silence are over. With `may_wait=False`, actions that lead to
    a stage which waits for the requester are passed over.
    """
    for action in ticket.definition.triggered(ticket.stage, trigger):
        if not may_wait and action.to and ticket.definition.stage(action.to).kind in REQUESTER_KINDS:
            continue
        if action.after_days == after_days and is_offered(action, ticket):
            _carry_out(ticket, action, actor=actor, answers={}, key=None)
            return action
    return None


def record_breaches(ticket: Ticket, *, now: datetime) -> int:
    """Record a breach for each clock of the locked ticket that ran past its due date. Returns how many.

    The event is dated at the due date, however late the sweep runs. A date that has run out before, and was taken back
    since by another severity, is no second event. A breach marks the ticket as escalated, «soporte
    elevado», and tells the supervisors (S2.32), unless the process does so itself. A span without news about the
    progress (S0.21) is no unanswered case: it reminds the assignee, and the supervisors once the desk writes no more
    messages of its own.
    """
    by_rule, count = System("deadline_passed"), 0
    for clock in ticket.clocks.filter(breached_at__isnull=True, due_at__lte=now).order_by("due_at"):
        if not clock.has_run_out(now):
            continue
        clocks.breach(clock)
        count += 1
        if not breaches.keep(ticket, clock.kind, clock.due_at):
            continue
        reminds = ticket.assignee_id or clock.kind == ClockKind.PROGRESS  # without one, those in charge
        notify = [("assignee", Template.BREACHED)] if reminds else []
        if clock.kind == ClockKind.PROGRESS:
            if clock.warned >= notices.IN_A_ROW:
                notify.append(("role:supervisor", Template.BREACHED))
        elif clock.kind == ClockKind.RESOLUTION or not process_escalates(ticket):
            ticket.is_escalated = True
            notify.append(("role:supervisor", Template.BREACHED))
        record(
            ticket,
            EventKind.BREACHED,
            actor=by_rule,
            public=False,
            data={"clock": clock.kind, "due_at": clock.due_at},
            notify=notify,
            at=clock.due_at,
        )
        if clock.kind != ClockKind.PROGRESS:
            fire(ticket, "deadline_passed", actor=by_rule)
    return count


def record_earlier_breaches(ticket: Ticket, *, now: datetime) -> None:
    """Record the breaches that the sweep has not seen yet. Verbs that move a due date, or end or restart a clock, call
    this first, so that an earlier breach stays on record. No query unless a promise has run out or the ticket waits."""
    dates = (ticket.due_at, ticket.first_response_due_at, ticket.due_order)
    if ticket.is_paused or any(due and due <= now for due in dates):
        record_breaches(ticket, now=now)


def process_escalates(ticket: Ticket) -> bool:
    """Whether the action that a passed deadline fires now marks the ticket as escalated itself."""
    fired = (a for a in ticket.definition.triggered(ticket.stage, "deadline_passed") if is_offered(a, ticket))
    action = next(fired, None)
    return action is not None and any(effect.name == "escalate" for effect in action.effects)


def end_silence(ticket: Ticket) -> Action | None:
    """Carry out the action of the silence period that has run out on the locked ticket. Returns the action, or None.

    A stage may have several periods, such as 2, 3 and 5 days. Each acts once, the shortest first; while the ticket
    stays in its stage, `silence_due_at` moves on to the next longer one.
    """
    days = (ticket.silence_due_at - ticket.silence_since).days if ticket.silence_due_at else 0
    _await_silence(ticket, after=days)
    action = fire(ticket, "silence", actor=System("silence"), after_days=days)
    if action is None:
        ticket.save(update_fields=["silence_due_at"])
    return action


def set_first_stage(ticket: Ticket, *, now: datetime) -> None:
    """Put a ticket into the first stage of its process. Intake calls this before the row exists."""
    _set_stage(ticket, ticket.definition.first_stage, now=now)


def _carry_out(
    ticket: Ticket, action: Action, *, actor: Actor, answers: dict[str, Any], key: str | None
) -> None:
    step = Step(ticket, ticket.definition, action, actor, answers, timezone.now())
    before, label_before = _snapshot(ticket), ticket.stage_definition.customer_label
    stay, by = stay_of(ticket), user_of(actor)
    stage_before = stay.stage
    asks.apply(step)
    agreed = ticket.due_at
    for guard in action.guards:
        guards.check(guard, step)
    if action.to and action.to != ticket.stage:
        _set_stage(ticket, step.definition.stage(action.to), now=step.now)
        record_visit(ticket, stay, action=action.key, left_by=by.pk if by else None, at=step.now)
        clocks.stage_changed(ticket, before=stage_before, after=ticket.stage_definition, now=step.now)
    _post_asked_message(step)
    if step.message is not None and step.message.from_requester:
        restart_silence(ticket, now=step.now)
        clocks.requester_wrote(ticket, now=step.now)
    for effect in action.effects:
        effects.run(effect, step)
    changes = _changes(before, _snapshot(ticket))
    changes.pop("due_at", None)  # a date that only a pause or a new target has moved is not recorded
    if agreed != before["due_at"]:
        changes["due_at"] = [before["due_at"], agreed]
    if changes.keys() & {"severity", "case_kind"}:
        clocks.retarget(ticket, now=step.now)
    if step.message is not None and step.message.is_public and not step.message.from_requester:
        if ticket.first_response_at is None:
            record_overtaken(ticket, actor=actor, now=step.now)
        clocks.desk_wrote(ticket, now=step.now)
        ticket.late_reply_at = None
    moved = ticket.stage != stage_before.key
    record(
        ticket,
        EventKind.STAGE_CHANGED if moved else EventKind.ACTION,
        actor=actor,
        action=action.key,
        public=ticket.stage_definition.customer_label != label_before
        or bool(step.message and step.message.is_public),
        data={
            **step.facts,
            **({"from": stage_before.key, "to": ticket.stage} if moved else {}),
            **({"changes": changes} if changes else {}),
        },
        notify=[
            *((str(entry.to), entry.template) for entry in action.notify),
            *step.notify,
            *(tell_department(ticket) if "department_id" in changes else ()),
        ],
        message=step.message,
        key=key,
        at=step.now,
    )
    if ticket.stage_definition.is_end:
        withdraw_all(ticket, actor=actor)
    if moved and action.on != Trigger.STAGE_ENTERED:
        fire(ticket, Trigger.STAGE_ENTERED, actor=actor)


def tell_department(ticket: Ticket) -> list[tuple[str, str]]:
    """Return the mail for the department that has just received the ticket, unless a member of it is the assignee, who
    is told already (S0.18)."""
    if ticket.department_id is None or not ticket.is_open:
        return []
    if Membership.objects.filter(user=ticket.assignee_id, department=ticket.department_id).exists():
        return []
    return [("department", Template.HANDED_OVER)]


def _set_stage(ticket: Ticket, stage: Stage, *, now: datetime) -> None:
    ticket.stage = stage.key
    ticket.stage_kind = stage.kind
    ticket.stage_since = now
    ticket.public_state = stage.kind.meta.public_state
    ticket.progress = stage.progress
    ticket.closed_at = now if stage.is_end else None
    ticket.late_reply_at = None
    restart_silence(ticket, now=now)


def restart_silence(ticket: Ticket, *, now: datetime) -> None:
    """Restart the requester's time to answer, if the stage limits it. Does not save the ticket."""
    ticket.silence_since = now
    _await_silence(ticket, after=0)


def _await_silence(ticket: Ticket, *, after: int) -> None:
    """Set `silence_due_at` to the stage's next silence longer than `after` days, or to None."""
    days = ticket.definition.next_silence(ticket.stage, after=after)
    ticket.silence_due_at = ticket.silence_since + timedelta(days=days) if days else None


def _post_asked_message(step: Step) -> None:
    """Post the answer to `message` or `note`, if the action asked for one, as the action's message."""
    if body := step.data.get("message"):
        requester = policies.is_requester(step.actor, step.ticket)
        effects.post(step, kind=MessageKind.REPLY if requester else MessageKind.FOLLOW_UP, body=body)
    elif body := step.data.get("note"):
        effects.post(step, kind=MessageKind.NOTE, body=body)


def _snapshot(ticket: Ticket) -> dict[str, Any]:
    return {name: getattr(ticket, name) for name in COMPARED}


def _changes(before: dict[str, Any], after: dict[str, Any]) -> dict[str, list[Any]]:
    return {name: [before[name], after[name]] for name in COMPARED if before[name] != after[name]}
