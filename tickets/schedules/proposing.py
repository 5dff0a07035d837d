"""Drafts of changes: other hours or targets, an extraordinary closure, an earlier version, or a change undone."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from content.batches import delete_in_batches
from content.errors import DeskError, InvalidData
from content.text import TextTooLong, clean_line

from ..calendars import CalendarRules
from ..calendars.rules import YEARS, Closure
from ..definitions.definition import Targets
from ..definitions.targets import as_json
from ..enums import ChangeState
from ..exceptions import NotAllowed
from ..models import Calendar, CalendarVersion, DueChange, PolicyVersion, Process, ScheduleChange
from ..promises import targets_of
from .versions import Subject, current_version, locked_calendar, locked_process

KEEP_DRAFTS = timedelta(days=7)
MAX_REASON = 160


class StaleSchedule(DeskError):
    """Another version is in force than the one that the person changed."""

    default = gettext_lazy(
        "Alguien guardó otro horario mientras editabas este. Lo que escribiste sigue aquí: vuelve a ver qué cambia."
    )


class NothingChanges(DeskError):
    default = gettext_lazy("El horario queda como estaba: no hay nada que guardar.")


class CannotUndo(DeskError):
    default = gettext_lazy(
        "Hay cambios posteriores. Elige en «Versiones» el horario al que quieres volver, y ve qué cambia."
    )


@transaction.atomic
def propose(
    calendar: Calendar,
    rules: CalendarRules,
    *,
    actor: User,
    base: CalendarVersion | None = None,
    reason: str = "",
    is_closure: bool = False,
    undoes: ScheduleChange | None = None,
) -> ScheduleChange:
    """Return a new draft, in place of the drafts that the person had for this calendar. Nothing has been counted yet.

    `base` is the version that the page showed. Raises `NotAllowed`, `StaleSchedule`, `NothingChanges`, or `InvalidData`
    for a reason that is too long.
    """
    require_supervisor(actor)
    calendar = locked_calendar(calendar.pk)
    current = current_version(calendar)
    if base is not None and base != current:
        raise StaleSchedule
    if rules == current.as_rules:
        raise NothingChanges
    return _draft(
        calendar,
        actor,
        calendar=calendar,
        base=current,
        rules=rules.as_json(),
        reason=clean_reason(reason),
        is_closure=is_closure,
        undoes=undoes,
    )


def _draft(subject: Subject, actor: User, **values: Any) -> ScheduleChange:
    subject.changes.filter(author=actor, state=ChangeState.DRAFT).update(state=ChangeState.DISCARDED)
    return ScheduleChange.objects.create(author=actor, **values)


@transaction.atomic
def propose_targets(
    process: Process,
    targets: Targets,
    *,
    actor: User,
    base: int | None = None,
    reason: str = "",
    undoes: ScheduleChange | None = None,
) -> ScheduleChange:
    """Return a new draft of a process's targets, in place of the drafts that the person had for it. `base` is the id of
    the policy version that the page showed, None for the targets of the file. Raises what `propose` does, and
    `InvalidData` if the targets name a calendar that the desk does not have."""
    require_supervisor(actor)
    process = locked_process(process.pk)
    if base != process.policy_id:
        raise StaleSchedule
    if targets.calendar and not Calendar.objects.filter(key=targets.calendar, current__isnull=False).exists():
        raise InvalidData({"calendar": [_("Ese calendario no existe.")]})
    if targets == targets_of(process):
        raise NothingChanges(_("Los plazos quedan como estaban: no hay nada que guardar."))
    return _draft(
        process,
        actor,
        process=process,
        base_policy=process.policy,
        rules=as_json(targets),
        reason=clean_reason(reason),
        undoes=undoes,
    )


def propose_policy(version: PolicyVersion, *, actor: User) -> ScheduleChange:
    """Return a draft that goes back to the targets of an earlier version."""
    reason = _("Volver a la versión %(number)d") % {"number": version.number}
    process = Process.objects.get(pk=version.process_id)
    return propose_targets(process, version.as_targets, actor=actor, base=process.policy_id, reason=reason)


def propose_closure(
    calendar: Calendar,
    *,
    actor: User,
    start: datetime,
    end: datetime | None,
    name: str,
    name_en: str = "",
    base: CalendarVersion | None = None,
) -> ScheduleChange:
    """Return a draft that closes the desk from `start` to `end`, naive times of the calendar's zone. Without an end it
    stays closed until the end of that day. Raises what `propose` does, and `InvalidData` for a closure that ends before
    it begins, takes away no opening hours or has no name."""
    rules = current_version(calendar).as_rules
    if start.year not in YEARS:
        raise InvalidData({"start": [_("Escribe un año entre 1970 y 2200.")]})
    end = end or datetime.combine(start.date() + timedelta(days=1), datetime.min.time())
    row = {
        "from": start.isoformat(timespec="minutes"),
        "until": end.isoformat(timespec="minutes"),
        "name": name,
        "name_en": name_en,
    }
    data = {**rules.as_json(), "closures": [row]}
    try:
        [closure] = CalendarRules.read(data).closures
    except InvalidData as error:
        fields = {"from": "start", "until": "end"}
        raise InvalidData(
            {
                fields.get(path.split(".")[-1], path.split(".")[-1]): texts
                for path, texts in error.errors.items()
            }
        ) from error
    closed = replace(rules, closures=tuple(sorted((*rules.closures, closure), key=lambda own: own.start)))
    if rules.always or not _takes_away(rules, closure):
        raise InvalidData({"start": [_("A esa hora ya está cerrado: el cierre no cambiaría nada.")]})
    reason = clean_reason(closure.name)
    return propose(calendar, closed, actor=actor, base=base, reason=reason, is_closure=True)


def _takes_away(rules: CalendarRules, closure: Closure) -> bool:
    """Whether the desk would be open at some time of the closure."""
    zone = ZoneInfo(rules.zone)
    start, end = closure.start.replace(tzinfo=zone), closure.end.replace(tzinfo=zone)
    return rules.working_hours().between(start, end) > timedelta()


def propose_version(version: CalendarVersion, *, actor: User) -> ScheduleChange:
    """Return a draft that goes back to the rules of an earlier version."""
    reason = _("Volver a la versión %(number)d") % {"number": version.number}
    return propose(version.calendar, version.as_rules, actor=actor, reason=reason)


def propose_undo(change: ScheduleChange, *, actor: User) -> ScheduleChange:
    """Return a draft that takes back an applied change. A closure is taken out of the present hours; any other change
    can be undone while it is the last. Raises `CannotUndo` and what `propose` does."""
    if change.process_id:
        return _undo_targets(change, actor=actor)
    calendar = Calendar.objects.select_related("current").get(pk=change.calendar_id or 0)
    current = current_version(calendar)
    if change.base is None or change.state not in (ChangeState.APPLYING, ChangeState.APPLIED):
        raise CannotUndo
    before, after = change.base.as_rules, CalendarRules.read(change.rules)
    if change.is_closure:
        closed = set(after.closures) - set(before.closures)
        rules = current.as_rules
        rules = replace(rules, closures=tuple(own for own in rules.closures if own not in closed))
    elif change.version_id == current.pk:
        rules = before
    else:
        raise CannotUndo
    reason = _("Deshacer: %(reason)s") % {"reason": change.reason} if change.reason else _("Deshacer")
    return propose(calendar, rules, actor=actor, reason=reason[:MAX_REASON], undoes=change)


def _undo_targets(change: ScheduleChange, *, actor: User) -> ScheduleChange:
    process = Process.objects.select_related("current").get(pk=change.process_id or 0)
    if change.policy_id is None or change.policy_id != process.policy_id:
        raise CannotUndo
    base = change.base_policy or process.policies.get(number=1)
    reason = _("Deshacer: %(reason)s") % {"reason": change.reason} if change.reason else _("Deshacer")
    return propose_targets(
        process,
        base.as_targets,
        actor=actor,
        base=process.policy_id,
        reason=reason[:MAX_REASON],
        undoes=change,
    )


@transaction.atomic
def discard(change: ScheduleChange, *, actor: User) -> None:
    """Discard a draft. Does nothing to a change that is no draft any more."""
    require_supervisor(actor)
    ScheduleChange.objects.filter(pk=change.pk, state=ChangeState.DRAFT).delete()


def forget_old_drafts() -> int:
    """Delete what was discarded, and drafts that nobody confirmed for a week. Returns how many rows."""
    old = ScheduleChange.objects.filter(
        Q(state=ChangeState.DISCARDED)
        | Q(state=ChangeState.DRAFT, created_at__lt=timezone.now() - KEEP_DRAFTS)
    )
    return delete_in_batches(DueChange.objects.filter(change__in=old)) + delete_in_batches(old)


@transaction.atomic
def create_calendar(*, actor: User, key: str, name: str, name_en: str = "", rules: CalendarRules) -> Calendar:
    """Create a calendar with its first version. Raises `NotAllowed`, or `InvalidData` if the key is taken."""
    require_supervisor(actor)
    if Calendar.objects.filter(key=key).exists():
        raise InvalidData({"key": [_("Ya hay un calendario con esa clave.")]})
    calendar = Calendar.objects.create(key=key, name=name, name_en=name_en)
    calendar.current = CalendarVersion.objects.create(
        calendar=calendar, number=1, rules=rules.as_json(), created_by=actor
    )
    calendar.save(update_fields=["current"])
    return calendar


@transaction.atomic
def choose_for_phone(calendar: Calendar, *, actor: User, chosen: bool) -> None:
    """Make the calendar the hours of the phone and WhatsApp, in place of another, or no longer so (S3.25)."""
    require_supervisor(actor)
    if chosen:
        Calendar.objects.filter(answers_phone=True).update(answers_phone=False)
    calendar.answers_phone = chosen
    calendar.save(update_fields=["answers_phone"])


def require_supervisor(actor: User) -> None:
    """Raise `NotAllowed` unless the person may change the desk's hours."""
    if not actor.is_supervisor:
        raise NotAllowed


def clean_reason(reason: str) -> str:
    try:
        return clean_line(reason, max_length=MAX_REASON)
    except TextTooLong as error:
        raise InvalidData({"reason": [str(error)]}) from error
