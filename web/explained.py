"""«¿Por qué esta fecha?» in words, for staff and for customers, from `tickets.explanation`."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.translation import get_language, ngettext, pgettext
from django.utils.translation import gettext as _

from content.dates import short_date, short_day
from tickets import clocks
from tickets.definitions.definition import Stage
from tickets.enums import CaseKind, Severity, StageKind
from tickets.explanation import Explanation, Move, Told
from tickets.models import CalendarVersion, Clock
from tickets.sla import ClockStatus

from .why_amounts import (
    KINDS,
    Minutes,
    amount_in_words,
    counted,
    is_in_days,
    left_in_words,
    range_in_words,
    rounded_up,
)
from .why_bar import Bar, bar_of
from .wording import hours_and_minutes, target_in_words, until_due

MOST_ROWS = 12
MOST_STRETCHES = 60


@dataclass(frozen=True)
class Row:
    """A line of the list beside the bar. `kind` is count, pause, skip, next, unused or sum."""

    kind: str
    label: str
    detail: str = ""
    amount: str = ""


@dataclass(frozen=True)
class Explained:
    """Holds what a page shows of one clock. `is_in_days` says that the clock counts whole days."""

    explanation: Explanation
    used: str
    left: str
    wall: str
    """How long it takes until the due date on the wall, or what became of it: «en 2 d 23 h», «venció hace 1 h»."""
    target: str
    rows: list[Row]
    moves: list[tuple[str, str, str]]
    """What happened, when, and the date after it."""
    bar: Bar
    is_in_days: bool = False
    sentences: list[str] = field(default_factory=list)
    """For the customer: what was used, what stopped the clock, and what was not counted."""
    stretches: list[Row] = field(default_factory=list)
    """Every stretch of time in its order, the last `MOST_STRETCHES`."""
    stretches_for_customer: list[Row] = field(default_factory=list)


def explained(found: Explanation, *, now: datetime) -> Explained:
    """Return the explanation in the reader's language and time zone."""
    names = _english_names(found)
    return Explained(
        explanation=found,
        used=amount_in_words(found, found.used),
        left=left_in_words(found),
        wall=_on_the_wall(found.status),
        target=target_in_words(found.clock.promised),
        rows=list(_rows(found, names)),
        moves=[(_move(move), short_date(move.at), short_date(move.due)) for move in found.moves],
        bar=bar_of(found, now=now),
        is_in_days=is_in_days(found),
        sentences=list(_sentences(found, names)),
        stretches=list(_stretches(found, names, why_paused)),
        stretches_for_customer=list(_stretches(found, names, _why_for_customer)),
    )


def _english_names(found: Explanation) -> dict[str, str]:
    """Return the English names of the calendar's holidays and closures, for readers of English."""
    if get_language() != "en" or found.clock.calendar_version_id is None:
        return {}
    [rules] = CalendarVersion.objects.rules([found.clock.calendar_version_id]).values()
    days = {own.name: own.name_en for own in rules.days if own.name_en}
    return days | {closure.name: closure.name_en for closure in rules.closures if closure.name_en}


def _on_the_wall(status: ClockStatus) -> str:
    left = {"left": until_due(status)}
    match status.state:
        case "met":
            return _("a tiempo")
        case "missed":
            return _("%(left)s tarde") % left
        case "breached":
            return _("venció hace %(left)s") % left
        case "paused":
            return _("en pausa")
    return _("en %(left)s") % left


def summary(clock: Clock, *, now: datetime) -> str:
    """Return both readings of the time in one line: «22 h 43 min de 32 horas hábiles, en 2 d»."""
    return _("%(used)s de %(target)s, %(wall)s") % {
        "used": counted(clock, clocks.used(clock, now=now)),
        "target": target_in_words(clock.promised),
        "wall": _on_the_wall(clocks.status(clock, now=now)),
    }


def why_paused(stage: Stage | None) -> str:
    """Return for whom a clock waited in a stage."""
    if stage is None:
        return _("en pausa")
    if stage.kind == StageKind.WAITING_INTERNAL:
        return _("esperando a otro equipo")
    return _("el caso estaba cerrado") if stage.is_end else _("esperando al solicitante")


def _rows(found: Explanation, names: dict[str, str]) -> Iterator[Row]:
    counted = [told for told in found.stretches if told.kind == "counted"]
    if counted or found.before:
        began = found.clock.started_at if found.before else counted[0].start
        end = counted[-1].end if counted else found.stretches[0].start
        yield Row(
            "count",
            pgettext("clock", "Cuenta"),
            range_in_words(began, end),
            amount_in_words(found, found.used),
        )
    others = [
        told for told in found.stretches if told.kind == "paused" or (told.kind == "closed" and told.reason)
    ]
    for told in others[-MOST_ROWS:]:
        if told.kind == "paused":
            label = _("En pausa, %(why)s") % {"why": why_paused(told.stage)}
            yield Row("pause", label, _pause(found, told), amount_in_words(found, told.amount))
        else:
            label = _("Cerrado: %(reason)s") % {"reason": names.get(told.reason, told.reason)}
            yield Row("skip", label, _closed(found, told), _("no cuenta"))
    if len(others) > MOST_ROWS:
        more = len(others) - MOST_ROWS
        yield Row("skip", ngettext("y %(n)d tramo anterior", "y %(n)d tramos anteriores", more) % {"n": more})
    if any(told.kind == "closed" and not told.reason for told in found.stretches):
        outside = (
            _("El día en que empieza, y los que no son hábiles")
            if is_in_days(found)
            else _("Fuera de horario")
        )
        yield Row("night", outside, "", _("no cuenta"))
    ahead = [told for told in found.stretches if told.kind == "left"]
    if ahead:
        yield Row("next", _("Falta"), range_in_words(ahead[0].start, ahead[-1].end), left_in_words(found))
        if not found.is_set_by_person:
            total = amount_in_words(found, found.used + found.left)
            yield Row("sum", _("Cuenta y falta, el plazo de la política"), "", total)
    if found.unused:
        detail = range_in_words(found.clock.stopped_at or found.due, found.due)
        yield Row("unused", _("Sin usar"), detail, amount_in_words(found, rounded_up(found.unused)))


def _stretches(
    found: Explanation, names: dict[str, str], why: Callable[[Stage | None], str]
) -> Iterator[Row]:
    """Yield a row for each stretch, if there are more than the summary has rows. `why` says for whom a pause waited."""
    if sum(told.kind in ("counted", "left") for told in found.stretches) <= 2:
        return
    left_out = len(found.stretches) - MOST_STRETCHES
    if left_out > 0:
        text = ngettext("%(n)d tramo anterior", "%(n)d tramos anteriores", left_out) % {"n": left_out}
        yield Row("night", text)
    minutes = Minutes(found.before)
    amounts = [minutes.of(KINDS[told.kind], told.amount) for told in found.stretches]
    for told, amount in list(zip(found.stretches, amounts, strict=True))[-MOST_STRETCHES:]:
        match told.kind:
            case "counted":
                label = pgettext("clock", "Cuenta")
                yield Row(
                    "count", label, range_in_words(told.start, told.end), amount_in_words(found, amount)
                )
            case "left":
                yield Row(
                    "next", _("Falta"), range_in_words(told.start, told.end), amount_in_words(found, amount)
                )
            case "paused":
                label = _("En pausa, %(why)s") % {"why": why(told.stage)}
                yield Row("pause", label, _pause(found, told), _("no cuenta"))
            case "closed":
                label = _("Día de inicio o no hábil") if is_in_days(found) else _("Fuera de horario")
                if told.reason:
                    label = _("Cerrado: %(reason)s") % {"reason": names.get(told.reason, told.reason)}
                kind = "skip" if told.reason else "night"
                yield Row(kind, label, _closed(found, told), _("no cuenta"))


def _pause(found: Explanation, told: Told) -> str:
    """Return from when until when a pause lasted; of one that still lasts, since when."""
    if found.clock.paused_at is not None and told.start == found.clock.paused_at:
        return _("desde %(when)s") % {"when": short_date(told.start)}
    return range_in_words(told.start, told.end)


def _closed(found: Explanation, told: Told) -> str:
    """Return the day of a closed day, and the times of another closed stretch."""
    [rules] = CalendarVersion.objects.rules([found.clock.calendar_version_id or 0]).values()
    start, end = (moment.astimezone(ZoneInfo(rules.zone)) for moment in (told.start, told.end))
    if end - start == timedelta(days=1) and not (start.hour or start.minute):
        return short_day(start.date())
    return range_in_words(told.start, told.end)


def _move(move: Move) -> str:
    words = {
        "target": target_in_words(move.target),
        "severity": dict(Severity.choices).get(move.severity, ""),
        "kind": dict(CaseKind.choices).get(move.case_kind, ""),
        "who": move.actor or _("Mesa de ayuda"),
        "amount": hours_and_minutes(move.amount),
        "why": why_paused(move.stage),
        "reason": move.reason,
    }
    match move.kind:
        case "promised":
            return _("Llegó con severidad %(severity)s (%(kind)s): %(target)s") % words
        case "desk_wrote":
            return _("Empezó con un mensaje del equipo: %(target)s") % words
        case "requester_wrote":
            return _("Empezó con un mensaje del solicitante: %(target)s") % words
        case "retargeted":
            return _("%(who)s la pasó a severidad %(severity)s (%(kind)s): %(target)s") % words
        case "agreed":
            return _("%(who)s fijó la fecha") % words
        case "paused":
            return _("Pausa de %(amount)s, %(why)s") % words
        case "recomputed" if move.target:
            return _("%(who)s cambió los plazos: %(target)s") % words
        case "recomputed" if move.reason:
            return _("%(who)s cambió el horario: %(reason)s") % words
        case "recomputed":
            return _("%(who)s cambió el horario") % words
    return _("Otro ajuste")


def _sentences(found: Explanation, names: dict[str, str]) -> Iterator[str]:
    clock = found.clock
    if found.is_set_by_person:
        yield _("Una persona del equipo fijó esta fecha para tu caso.")
    else:
        yield _("Usamos %(used)s de %(target)s que damos a casos como este.") % {
            "used": amount_in_words(found, found.used),
            "target": target_in_words(clock.promised),
        }
    for told in [told for told in found.stretches if told.kind == "paused"][-3:]:
        if clock.paused_at is not None and told.start == clock.paused_at:
            yield _(
                "El reloj está detenido desde %(when)s: %(why)s. Si sigue ahora, la fecha es %(due)s."
            ) % {
                "when": short_date(told.start),
                "why": _why_it_waits(told.stage),
                "due": short_date(found.due),
            }
            continue
        yield _("El reloj se detuvo (%(range)s): %(why)s.") % {
            "range": range_in_words(told.start, told.end),
            "why": _why_for_customer(told.stage),
        }
    skipped: dict[str, date] = {}
    for told in found.stretches:
        if told.kind == "closed" and told.reason:
            skipped.setdefault(names.get(told.reason, told.reason), timezone.localtime(told.start).date())
    if skipped:
        days = [f"{name} ({short_day(day)})" for name, day in list(skipped.items())[-5:]]
        yield _("No contamos: %(days)s.") % {"days": ", ".join(days)}


def _why_it_waits(stage: Stage | None) -> str:
    """Return for whom the clock waits now, in the customer's words."""
    if stage is None:
        return _("está en pausa")
    if stage.kind == StageKind.WAITING_INTERNAL:
        return _("esperamos a otro equipo")
    return _("tu caso está cerrado") if stage.is_end else _("esperamos tu respuesta")


def _why_for_customer(stage: Stage | None) -> str:
    """Return for whom the clock waited, in the customer's words."""
    if stage is None:
        return _("estaba en pausa")
    if stage.kind == StageKind.WAITING_INTERNAL:
        return _("esperábamos a otro equipo")
    return _("tu caso estaba cerrado") if stage.is_end else _("esperábamos tu respuesta")


def explained_all(found: Iterable[Explanation], *, now: datetime) -> list[Explained]:
    return [explained(each, now=now) for each in found]
