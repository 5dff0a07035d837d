"""«¿Por qué esta fecha?» in words and as a bar, for staff and for customers, from `tickets.explanation`."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.translation import get_language, ngettext, pgettext
from django.utils.translation import gettext as _

from content.dates import short_date, short_day
from tickets import clocks
from tickets.definitions.definition import Stage
from tickets.enums import CaseKind, Severity, StageKind, TargetUnit
from tickets.explanation import Explanation, Move, Told
from tickets.models import CalendarVersion, Clock
from tickets.sla import ClockStatus

from .wording import duration, hours_and_minutes, target_in_words

WIDTH, GAP, FIXED, LEAST = 712, 26, 40, 12
"""Of the bar, of the time outside opening hours, of a closed piece and of the shortest one, in units of the drawing."""
FIRST, LAST = 3, 14
MOST_ROWS = 12
MOST_STRETCHES = 60
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
MOST_DAYS = 21


@dataclass(frozen=True)
class Row:
    """A line of the list beside the bar. `kind` is count, pause, skip, next or sum."""

    kind: str
    label: str
    detail: str = ""
    amount: str = ""


@dataclass(frozen=True)
class Piece:
    """A piece of the bar: a box, or a gap (three dots) of time that is not drawn to scale."""

    kind: str
    x: int
    width: int
    text: str = ""
    day: str = ""

    @property
    def middle(self) -> int:
        return self.x + self.width // 2


@dataclass(frozen=True)
class DayBar:
    """A day of the bar, from its first hour to its last: boxes by their place in a hundred, what counts of it, and a
    mark where now or the due date is."""

    day: str
    boxes: list[tuple[str, int, int]]
    text: str
    now: int | None = None
    due: int | None = None


@dataclass(frozen=True)
class Bar:
    pieces: list[Piece]
    now: int | None
    due: int | None
    title: str
    due_text: str
    days: list["DayBar"]
    """The same, day by day, for narrow screens."""

    @property
    def kinds(self) -> set[str]:
        return {piece.kind for piece in self.pieces}

    @property
    def now_anchor(self) -> str:
        """How the word under the mark of now is placed, so that neither edge cuts it."""
        return _anchor(self.now)

    @property
    def due_anchor(self) -> str:
        return "start" if self.due is not None and self.due < 90 else "end"

    @property
    def are_close(self) -> bool:
        """Whether the words under the two marks would overlap."""
        return self.now is not None and self.due is not None and abs(self.now - self.due) < 70


def _anchor(x: int | None) -> str:
    if x is None or 40 <= x <= WIDTH - 42:
        return "middle"
    return "start" if x < 40 else "end"


@dataclass(frozen=True)
class Explained:
    """What a page shows of one clock."""

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
        used=_amount(found, found.used),
        left=_left(found),
        wall=_on_the_wall(found.status),
        target=target_in_words(found.clock.promised),
        rows=list(_rows(found, names)),
        moves=[(_move(move), short_date(move.at), short_date(move.due)) for move in found.moves],
        bar=_bar(found, now=now),
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


def _amount(found: Explanation, amount: timedelta) -> str:
    return counted(found.clock, amount)


def _left(found: Explanation) -> str:
    """Return the time that is left, in minutes rounded up: with the time used, rounded down, it makes the target."""
    return _amount(found, -(-found.left // MINUTE) * MINUTE)


def counted(clock: Clock, amount: timedelta) -> str:
    """Format counting time as the clock counts it: in hours, or in whole days."""
    if clock.unit in (TargetUnit.ELAPSED, TargetUnit.WORKING):
        return hours_and_minutes(amount)
    return ngettext("%(n)d día", "%(n)d días", amount.days) % {"n": amount.days}


def _on_the_wall(status: ClockStatus) -> str:
    left = {"left": duration(status.left)}
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
        yield Row("count", pgettext("clock", "Cuenta"), _range(began, end), _amount(found, found.used))
    others = [
        told for told in found.stretches if told.kind == "paused" or (told.kind == "closed" and told.reason)
    ]
    for told in others[-MOST_ROWS:]:
        if told.kind == "paused":
            label = _("En pausa, %(why)s") % {"why": why_paused(told.stage)}
            yield Row("pause", label, _pause(found, told), _amount(found, told.amount))
        else:
            label = _("Cerrado: %(reason)s") % {"reason": names.get(told.reason, told.reason)}
            yield Row("skip", label, _closed(found, told), _("no cuenta"))
    if len(others) > MOST_ROWS:
        more = len(others) - MOST_ROWS
        yield Row("skip", ngettext("y %(n)d tramo anterior", "y %(n)d tramos anteriores", more) % {"n": more})
    if any(told.kind == "closed" and not told.reason for told in found.stretches):
        outside = (
            _("El día en que empieza, y los que no son hábiles")
            if _is_in_days(found)
            else _("Fuera de horario")
        )
        yield Row("night", outside, "", _("no cuenta"))
    ahead = [told for told in found.stretches if told.kind == "left"]
    if ahead:
        yield Row("next", _("Falta"), _range(ahead[0].start, ahead[-1].end), _left(found))
        if not found.is_set_by_person:
            total = _amount(found, found.used + found.left)
            yield Row("sum", _("Cuenta y falta, el plazo de la política"), "", total)


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
    for told in found.stretches[-MOST_STRETCHES:]:
        match told.kind:
            case "counted":
                yield Row(
                    "count",
                    pgettext("clock", "Cuenta"),
                    _range(told.start, told.end),
                    _amount(found, told.amount),
                )
            case "left":
                amount = -(-told.amount // MINUTE) * MINUTE  # as in `_left`
                yield Row("next", _("Falta"), _range(told.start, told.end), _amount(found, amount))
            case "paused":
                label = _("En pausa, %(why)s") % {"why": why(told.stage)}
                yield Row("pause", label, _pause(found, told), _("no cuenta"))
            case "closed":
                label = _("Día de inicio o no hábil") if _is_in_days(found) else _("Fuera de horario")
                if told.reason:
                    label = _("Cerrado: %(reason)s") % {"reason": names.get(told.reason, told.reason)}
                kind = "skip" if told.reason else "night"
                yield Row(kind, label, _closed(found, told), _("no cuenta"))


def _is_in_days(found: Explanation) -> bool:
    return found.clock.unit not in (TargetUnit.ELAPSED, TargetUnit.WORKING)


def _pause(found: Explanation, told: Told) -> str:
    """Return from when until when a pause lasted; of one that still lasts, since when."""
    if found.clock.paused_at is not None and told.start == found.clock.paused_at:
        return _("desde %(when)s") % {"when": short_date(told.start)}
    return _range(told.start, told.end)


def _range(start: datetime, end: datetime) -> str:
    return f"{short_date(start)} – {short_date(end)}"


def _closed(found: Explanation, told: Told) -> str:
    """Return the day of a closed day, and the times of another closed stretch."""
    [rules] = CalendarVersion.objects.rules([found.clock.calendar_version_id or 0]).values()
    start, end = (moment.astimezone(ZoneInfo(rules.zone)) for moment in (told.start, told.end))
    if end - start == timedelta(days=1) and not (start.hour or start.minute):
        return short_day(start.date())
    return _range(told.start, told.end)


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
            "used": _amount(found, found.used),
            "target": target_in_words(clock.promised),
        }
    for told in [told for told in found.stretches if told.kind == "paused"][-3:]:
        if clock.paused_at is not None and told.start == clock.paused_at:
            yield _(
                "El reloj está detenido desde %(when)s: %(why)s. Si sigue ahora, la fecha es %(due)s."
            ) % {
                "when": short_date(told.start),
                "why": _why_for_customer(told.stage),
                "due": short_date(found.due),
            }
            continue
        yield _("El reloj se detuvo (%(range)s): %(why)s.") % {
            "range": _range(told.start, told.end),
            "why": _why_for_customer(told.stage),
        }
    skipped: dict[str, date] = {}
    for told in found.stretches:
        if told.kind == "closed" and told.reason:
            skipped.setdefault(names.get(told.reason, told.reason), timezone.localtime(told.start).date())
    if skipped:
        days = [f"{name} ({short_day(day)})" for name, day in list(skipped.items())[-5:]]
        yield _("No contamos: %(days)s.") % {"days": ", ".join(days)}


def _why_for_customer(stage: Stage | None) -> str:
    if stage is None:
        return _("estaba en pausa")
    if stage.kind == StageKind.WAITING_INTERNAL:
        return _("esperábamos a otro equipo")
    return _("tu caso estaba cerrado") if stage.is_end else _("esperábamos tu respuesta")


# --- The bar --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Box:
    kind: str
    amount: timedelta
    start: datetime
    end: datetime


def _bar(found: Explanation, *, now: datetime) -> Bar:
    """Draw the stretches to the scale of counting time. Time outside opening hours is three dots, without scale, and so
    is what does not fit between the beginning and the last days."""
    zone = ZoneInfo(timezone.get_current_timezone_name())
    boxes = _shortened([box for told in found.stretches for box in _boxes(found, told, zone)])
    scaled = [box for box in boxes if box.amount]
    fixed = sum(GAP if box.kind == "night" else FIXED for box in boxes if not box.amount)
    total = sum((box.amount for box in scaled), timedelta()) or timedelta(seconds=1)
    room = max(WIDTH - 16 - fixed - LEAST * len(scaled), 60)
    pieces, x, shown = [], 8, None
    marks: dict[datetime, int] = {}
    for box in boxes:
        width = GAP if box.kind == "night" else FIXED
        if box.amount:
            width = LEAST + int(room * (box.amount / total))
        for moment in (now, found.due):
            if box.start <= moment < box.end:
                marks.setdefault(moment, x + int(width * ((moment - box.start) / (box.end - box.start))))
        day = (box.start + timedelta(seconds=1)).astimezone(zone).date()  # days begin at 23:59:59
        label = short_day(day) if box.kind != "night" and day != shown and width > 20 else ""
        shown = day if label else shown
        text = _amount(found, box.amount) if box.amount >= (DAY if _is_in_days(found) else MINUTE) else ""
        text = text if width > 12 + 6 * len(text) else ""
        pieces.append(Piece(box.kind, x, width, text, label))
        x += width
    return Bar(
        pieces=pieces,
        due_text=_due_time(found),
        days=_days(
            found, [box for told in found.stretches for box in _boxes(found, told, zone)], zone, now=now
        ),
        now=marks.get(now, x) if found.clock.stopped_at is None else None,
        due=marks.get(found.due, x),
        title=_("%(range)s: cuentan %(used)s y faltan %(left)s.")
        % {
            "range": _range(found.clock.started_at, found.due),
            "used": _amount(found, found.used),
            "left": _left(found),
        },
    )


def _days(found: Explanation, boxes: list[_Box], zone: ZoneInfo, *, now: datetime) -> list[DayBar]:
    """Return the last days of the boxes, each from the earliest hour to the latest at which something counts."""
    cut = [
        piece
        for box in boxes
        if box.kind != "night"
        for piece in _by_day(box, zone)
        if piece.end - piece.start >= MINUTE
    ]
    last = found.clock.stopped_at or found.due
    if not cut:
        return []
    hours = [_hour(moment, zone) for piece in cut for moment in (piece.start, piece.end)]
    begin, end = min(hours), max([min(hours) + 1, *(hour or 24.0 for hour in hours)])

    def place(moment: datetime) -> int:
        hour = _hour(moment, zone) or (24.0 if moment > cut[0].start else 0.0)
        return round(100 * min(max(hour - begin, 0), end - begin) / (end - begin))

    days: dict[date, list[_Box]] = {}
    for piece in cut:
        days.setdefault(piece.start.astimezone(zone).date(), []).append(piece)
    found_days = []
    for day, own in list(days.items())[-MOST_DAYS:]:
        spans = []
        for piece in own:
            left = round(100 * (_hour(piece.start, zone) - begin) / (end - begin))
            right = round(100 * ((_hour(piece.end, zone) or 24.0) - begin) / (end - begin))
            spans.append((piece.kind, left, max(right - left, 2)))
        is_last = last.astimezone(zone).date() == day
        found_days.append(
            DayBar(
                short_day(day),
                spans,
                _due_time(found) if is_last and not found.clock.stopped_at else _of_a_day(found, own),
                now=place(now) if now.astimezone(zone).date() == day and not found.clock.stopped_at else None,
                due=place(last) if is_last else None,
            )
        )
    return found_days


def _due_time(found: Explanation) -> str:
    return _("vence %(time)s") % {"time": short_date(found.due).rpartition(" ")[2]}


def _of_a_day(found: Explanation, boxes: list[_Box]) -> str:
    """Return how much of a day counts; nothing where whole days are counted."""
    amount = sum((box.amount for box in boxes if box.kind in ("count", "next")), timedelta())
    return "" if _is_in_days(found) or not amount else hours_and_minutes(amount)


def _by_day(box: _Box, zone: ZoneInfo) -> Iterator[_Box]:
    """Cut a box at each midnight of the zone."""
    start = box.start
    while start < box.end:
        midnight = datetime.combine(start.astimezone(zone).date() + timedelta(days=1), time(), zone)
        end = min(box.end, midnight)
        yield _Box(box.kind, end - start, start, end)
        start = end


def _hour(moment: datetime, zone: ZoneInfo) -> float:
    local = moment.astimezone(zone)
    return local.hour + local.minute / 60


def _boxes(found: Explanation, told: Told, zone: ZoneInfo) -> Iterator[_Box]:
    calendar = found.clock.counting
    kind = {"counted": "count", "paused": "pause", "left": "next", "closed": "skip"}[told.kind]
    if told.kind == "closed":
        yield _Box("skip" if told.reason else "night", timedelta(), told.start, told.end)
        return
    if told.kind == "counted" and told.end - told.start < MINUTE:
        return
    for part in calendar.parts(told.start, told.end) if told.kind == "paused" else [told]:
        is_night = isinstance(part, Told) is False and not part.is_open  # type: ignore[union-attr]
        amount = (
            timedelta() if is_night else calendar.between(part.start, part.end) or (part.end - part.start)
        )
        yield _Box("night" if is_night else kind, amount, part.start, part.end)


def _shortened(boxes: list[_Box]) -> list[_Box]:
    """Leave out the middle of a long history, and join gaps that stand side by side."""
    if len(boxes) > FIRST + LAST:
        left_out = boxes[FIRST:-LAST]
        boxes = [
            *boxes[:FIRST],
            _Box("night", timedelta(), left_out[0].start, left_out[-1].end),
            *boxes[-LAST:],
        ]
    result: list[_Box] = []
    for box in boxes:
        if result and box.kind == result[-1].kind == "night":
            result[-1] = _Box("night", timedelta(), result[-1].start, box.end)
        else:
            result.append(box)
    return result


def explained_all(found: Iterable[Explanation], *, now: datetime) -> list[Explained]:
    return [explained(each, now=now) for each in found]
