"""«¿Por qué esta fecha?» in words and as a bar, for staff and for customers, from `tickets.explanation`."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
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

from .wording import MINUTE, days_and_minutes, hours_and_minutes, target_in_words, until_due

WIDTH, MARGIN = 712, 8
"""Of the bar, in units of the drawing."""
GAP, FIXED, LEAST, MORE = 26, 40, 12, 88
"""Widths of the time outside opening hours, of a closed piece, of the shortest piece and of what stands for others."""
LETTER = 6.7
"""About the width of a bold character under the bar."""
MOST_PIECES, MOST_PIECES_OF_A_DAY = 15, 7
KINDS = {"counted": "count", "paused": "pause", "left": "next", "unused": "unused", "closed": "skip"}
"""The kind of a box for each kind of `Told`."""
MOST_ROWS = 12
MOST_STRETCHES = 60
DAY = timedelta(days=1)
MOST_DAYS = 21


@dataclass(frozen=True)
class Row:
    """A line of the list beside the bar. `kind` is count, pause, skip, next, unused or sum."""

    kind: str
    label: str
    detail: str = ""
    amount: str = ""


@dataclass(frozen=True)
class Piece:
    """A piece of the bar: a box, or a gap (three dots, «night») outside opening hours. «more» stands for pieces that
    are not drawn: its text says how many days, and `note` what counts of them."""

    kind: str
    x: int
    width: int
    text: str = ""
    day: str = ""
    note: str = ""
    is_raised: bool = False
    """Whether the day is written above the others, because it would touch the one before it."""

    @property
    def middle(self) -> int:
        return self.x + self.width // 2


@dataclass(frozen=True)
class DayBar:
    """A day of the bar, from its first hour to its last: boxes by their place in a hundred, what counts of it, and a
    mark where now (or the clock's stop) or the due date is. With `more`, it stands for that many days."""

    day: str
    boxes: list[tuple[str, int, int]]
    text: str
    now: int | None = None
    due: int | None = None
    more: str = ""


@dataclass(frozen=True)
class Bar:
    """The drawing of a clock. `now` is the place of the mark of now, or of the moment at which the clock stopped."""

    pieces: list[Piece]
    now: int
    due: int
    title: str
    now_text: str
    due_text: str
    days: list["DayBar"]
    """The same, day by day, for narrow screens."""

    @property
    def kinds(self) -> set[str]:
        """The kinds that the legend explains."""
        in_days = {kind for day in self.days for kind, _x, _width in day.boxes}
        return {piece.kind for piece in self.pieces} | in_days

    @property
    def now_anchor(self) -> str:
        """How the words under the mark of now are placed, so that neither edge cuts them."""
        half = _width_of(self.now_text) / 2
        if self.now < half:
            return "start"
        return "end" if self.now > WIDTH - half else "middle"

    @property
    def due_anchor(self) -> str:
        return "start" if self.due < _width_of(self.due_text) else "end"

    @property
    def are_close(self) -> bool:
        """Whether the words under the two marks would overlap."""
        one = _span(self.now, self.now_anchor, self.now_text)
        other = _span(self.due, self.due_anchor, self.due_text)
        return max(one[0], other[0]) < min(one[1], other[1]) + LETTER


def _width_of(text: str) -> float:
    return LETTER * len(text)


def _span(x: int, anchor: str, text: str) -> tuple[float, float]:
    """Return from where to where words under the bar reach."""
    start = x - _width_of(text) * {"start": 0, "middle": 0.5, "end": 1}[anchor]
    return start, start + _width_of(text)


@dataclass(frozen=True)
class Explained:
    """What a page shows of one clock. `is_in_days` says that whole days are counted."""

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
        used=_amount(found, found.used),
        left=_left(found),
        wall=_on_the_wall(found.status),
        target=target_in_words(found.clock.promised),
        rows=list(_rows(found, names)),
        moves=[(_move(move), short_date(move.at), short_date(move.due)) for move in found.moves],
        bar=_bar(found, now=now),
        is_in_days=_is_in_days(found),
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
    return _amount(found, _rounded_up(found.left))


def _rounded_up(amount: timedelta) -> timedelta:
    return -(-amount // MINUTE) * MINUTE


class _Minutes:
    """Rounds the amounts of one stretch after another to minutes, so that they add up to the rounded sums: what counted
    is rounded down, what is left or unused up, as in `_left`. `kind` is one of `KINDS`."""

    def __init__(self, before: timedelta = timedelta()) -> None:
        """`before` is what had counted before the first stretch."""
        self._sums = {"count": before}

    def of(self, kind: str, amount: timedelta) -> timedelta:
        before = self._sums.get(kind, timedelta())
        after = self._sums[kind] = before + amount
        if kind in ("next", "unused"):
            return _rounded_up(after) - _rounded_up(before)
        return (after // MINUTE - before // MINUTE) * MINUTE


def counted(clock: Clock, amount: timedelta) -> str:
    """Format counting time as the clock counts it and as its target is written: in hours, in days and hours, or in
    whole days."""
    if clock.unit == TargetUnit.ELAPSED and not clock.target % DAY:
        return days_and_minutes(amount)
    if clock.unit in (TargetUnit.ELAPSED, TargetUnit.WORKING):
        return hours_and_minutes(amount)
    return ngettext("%(n)d día", "%(n)d días", amount.days) % {"n": amount.days}


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
    if found.unused:
        detail = _range(found.clock.stopped_at or found.due, found.due)
        yield Row("unused", _("Sin usar"), detail, _amount(found, _rounded_up(found.unused)))


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
    minutes = _Minutes(found.before)
    amounts = [minutes.of(KINDS[told.kind], told.amount) for told in found.stretches]
    for told, amount in list(zip(found.stretches, amounts, strict=True))[-MOST_STRETCHES:]:
        match told.kind:
            case "counted":
                label = pgettext("clock", "Cuenta")
                yield Row("count", label, _range(told.start, told.end), _amount(found, amount))
            case "left":
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
                "why": _why_it_waits(told.stage),
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


# --- The bar --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Box:
    """A stretch to draw. `amount` gives the width and is zero for what has no scale; `shown` is what the box says. Of a
    box that stands for others, `text` says how many."""

    kind: str
    amount: timedelta
    start: datetime
    end: datetime
    shown: timedelta = timedelta()
    text: str = ""


def _bar(found: Explanation, *, now: datetime) -> Bar:
    """Draw the stretches to the scale of counting time. Time outside opening hours is three dots, without scale. Days
    that do not fit are one box that says how many they are."""
    zone = ZoneInfo(timezone.get_current_timezone_name())
    end = found.clock.stopped_at or now
    all_boxes = list(_boxes(found))
    boxes = _shortened(
        [box for box in all_boxes if box.kind != "count" or box.end - box.start >= MINUTE],
        [end, found.due],
        zone,
    )
    pieces: list[Piece] = []
    x, free, shown = MARGIN, 0.0, None
    marks: dict[datetime, tuple[int, date | None]] = {}
    for box, width in zip(boxes, _widths(boxes), strict=True):
        day = _day_of(box, zone)
        is_box = box.kind not in ("night", "more")
        label = short_day(day) if is_box and day != shown and width > 20 else ""
        is_raised = x < free  # else it would touch the label before it
        if label:
            shown, free = day, free if is_raised else x + _width_of(label)
        for moment in (end, found.due):
            if box.start <= moment < box.end:
                place = x + int(width * ((moment - box.start) / (box.end - box.start)))
                marks.setdefault(moment, (place, shown))
        piece = _piece(found, box, x, width)
        pieces.append(replace(piece, day=label, is_raised=bool(label) and is_raised))
        x += width
    is_before = (
        bool(boxes) and found.due < boxes[0].start
    )  # of a long history, the first months are not drawn
    due, day_above = marks.get(found.due, (MARGIN, None) if is_before else (x, shown))
    return Bar(
        pieces=pieces,
        now=marks.get(end, (x, shown))[0],
        due=due,
        title=_title(found),
        now_text=_("terminó") if found.clock.stopped_at else pgettext("time", "ahora"),
        due_text=_due_text(found, day_above, now=now),
        days=_days(found, all_boxes, zone, now=now),
    )


def _widths(boxes: Sequence[_Box]) -> list[int]:
    """Return the width of each box; together they are no wider than the bar."""
    fixed = {"night": GAP, "skip": FIXED, "more": MORE}
    total = sum((box.amount for box in boxes), timedelta()) or timedelta(seconds=1)
    least = sum(LEAST if box.amount else fixed.get(box.kind, FIXED) for box in boxes)
    room = max(WIDTH - 2 * MARGIN - least, 60)
    factor = min(1, (WIDTH - 2 * MARGIN) / (least + room))
    widths = (
        LEAST + room * (box.amount / total) if box.amount else fixed.get(box.kind, FIXED) for box in boxes
    )
    return [int(width * factor) for width in widths]


def _piece(found: Explanation, box: _Box, x: int, width: int) -> Piece:
    amount = _amount(found, box.shown) if box.shown >= (DAY if _is_in_days(found) else MINUTE) else ""
    if box.kind == "more":
        return Piece(box.kind, x + 3, width - 6, box.text, note="" if _is_in_days(found) else amount)
    return Piece(box.kind, x, width, amount if width > 12 + 6 * len(amount) else "")


def _title(found: Explanation) -> str:
    words = {
        "range": _range(found.clock.started_at, found.clock.stopped_at or found.due),
        "used": _amount(found, found.used),
        "left": _left(found),
        "unused": _amount(found, _rounded_up(found.unused)),
    }
    if found.unused:
        return _("%(range)s: contaron %(used)s y quedaron %(unused)s sin usar.") % words
    if found.clock.stopped_at:
        return _("%(range)s: contaron %(used)s.") % words
    return _("%(range)s: cuentan %(used)s y faltan %(left)s.") % words


def _days(found: Explanation, boxes: list[_Box], zone: ZoneInfo, *, now: datetime) -> list[DayBar]:
    """Return the days of the boxes, each from the earliest hour to the latest at which something counts. Of many days,
    those in the middle are one line that says how many they are."""
    end = found.clock.stopped_at or now
    cut = [
        piece
        for piece in _in_minutes(found, [part for box in boxes for part in _by_day(box, zone)])
        if piece.kind != "night" and piece.end - piece.start >= MINUTE
    ]
    if not cut:
        return []
    hours = [_hour(moment, zone) for piece in cut for moment in (piece.start, piece.end)]
    first, last = min(hours), max([min(hours) + 1, *(hour or 24.0 for hour in hours)])

    def place(hour: float) -> int:
        return round(100 * min(max(hour - first, 0), last - first) / (last - first))

    days: dict[date, list[_Box]] = {}
    for piece in cut:
        days.setdefault(piece.start.astimezone(zone).date(), []).append(piece)
    dates = list(days)
    end_day, due_date = (moment.astimezone(zone).date() for moment in (end, found.due))
    # A date at midnight stands at the end of the day before.
    due_day = dates[_place_of(due_date, dates)] if found.due > cut[0].start else None
    places = [_place_of(end_day, dates), _place_of(due_date, dates)]
    kept = _kept([1] * len(dates), places, most=MOST_DAYS)
    bars: list[DayBar] = []
    for group in _runs(range(len(dates)), kept):
        own = [piece for place_ in group for piece in days[dates[place_]]]
        if group[0] not in kept:
            bars.append(DayBar("", [], _of_a_day(found, own), more=_days_more(len(group))))
            continue
        day, spans = dates[group[0]], []
        for piece in own:
            left, right = place(_hour(piece.start, zone)), place(_hour(piece.end, zone) or 24.0)
            spans.append((piece.kind, left, max(right - left, 2)))
        due = place(_hour(found.due, zone)) if day == due_date else 100
        bars.append(
            DayBar(
                short_day(day),
                spans,
                _due_text(found, day, now=now) if day == due_day else _of_a_day(found, own),
                now=place(_hour(end, zone)) if day == end_day else None,
                due=due if day == due_day else None,
            )
        )
    return bars


def _place_of(day: date, days: Sequence[date]) -> int:
    """Return the place of a day in `days`, or of the last one before it."""
    return max(sum(other <= day for other in days) - 1, 0)


def _due_text(found: Explanation, day_above: date | None, *, now: datetime) -> str:
    """Say when the clock is due, with the day unless the reader sees that day above it."""
    day, when = timezone.localtime(found.due).date(), short_date(found.due)
    words = {"time": when.rpartition(" ")[2] if day == day_above else when}
    if found.clock.stopped_at:
        return _("vencía %(time)s") % words
    return _("venció %(time)s") % words if found.due <= now else _("vence %(time)s") % words


def _of_a_day(found: Explanation, boxes: list[_Box]) -> str:
    """Return how much of a day counts; nothing where whole days are counted."""
    amount = sum((box.shown for box in boxes if box.kind in ("count", "next")), timedelta())
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


def _boxes(found: Explanation) -> Iterator[_Box]:
    """Yield a box for each stretch, and one for each opening of the desk within a pause."""
    calendar = found.clock.counting
    boxes: list[_Box] = []
    for told in (*found.stretches, *found.rest):
        kind = KINDS[told.kind]
        if told.kind == "closed":
            boxes.append(_Box(kind if told.reason else "night", timedelta(), told.start, told.end))
        elif told.kind == "paused":
            minutes = _Minutes()
            for part in calendar.parts(told.start, told.end):
                if part.is_open:
                    amount = calendar.between(part.start, part.end) or part.end - part.start
                    shown = minutes.of(kind, amount)
                    boxes.append(_Box(kind, amount, part.start, part.end, shown))
                else:
                    boxes.append(_Box("night", timedelta(), part.start, part.end))
        else:
            boxes.append(_Box(kind, told.amount or told.end - told.start, told.start, told.end))
    yield from _in_minutes(found, boxes)


def _in_minutes(found: Explanation, boxes: Iterable[_Box]) -> Iterator[_Box]:
    """Yield the boxes with what those that count, are left or are unused say of their amount."""
    minutes = _Minutes(found.before)
    for box in boxes:
        is_summed = box.kind in ("count", "next", "unused")
        yield replace(box, shown=minutes.of(box.kind, box.amount)) if is_summed else box


def _shortened(boxes: list[_Box], moments: Sequence[datetime], zone: ZoneInfo) -> list[_Box]:
    """Draw at most about `MOST_PIECES` boxes: the first day, the last one, those of `moments` and days around the first
    of these. A box of kind «more» stands for each run of days left out, so that no counted time looks closed."""
    boxes = _joined(boxes)
    if len(boxes) <= MOST_PIECES:
        return boxes
    days: list[list[_Box]] = []  # a gap belongs to the day before it
    for box in boxes:
        if days and (box.kind == "night" or _day_of(box, zone) == _day_of(days[-1][0], zone)):
            days[-1].append(box)
        else:
            days.append([box])
    days = [_thinned(day, moments, zone) for day in days]
    starts = [day[0].start for day in days]
    places = [max(sum(start <= moment for start in starts) - 1, 0) for moment in moments]
    kept = _kept([len(day) for day in days], places, most=MOST_PIECES)
    result: list[_Box] = []
    for run in _runs(range(len(days)), kept):
        own = [box for place in run for box in days[place]]
        if run[0] in kept:
            result += own
        else:
            if result[-1].kind == "night":
                own.insert(0, result.pop())
            result.append(_more(own, zone))
    return _joined(result)


def _thinned(day: list[_Box], moments: Sequence[datetime], zone: ZoneInfo) -> list[_Box]:
    """Leave out the middle of a day with many stretches, but not those beside `moments`."""
    if len(day) <= MOST_PIECES_OF_A_DAY:
        return day
    kept = {0, 1, len(day) - 2, len(day) - 1}
    for place, box in enumerate(day):
        if any(box.start <= moment <= box.end for moment in moments):
            kept.add(place)
    result: list[_Box] = []
    for run in _runs(range(len(day)), kept):
        own = [day[place] for place in run]
        result += own if run[0] in kept or len(run) == 1 else [_more(own, zone)]
    return result


def _kept(sizes: Sequence[int], places: Sequence[int], *, most: int) -> set[int]:
    """Return which days to draw, by their place: the first, the last, `places`, and as many around the first of
    `places` as make `most` with the `sizes` of all."""
    kept = {0, len(sizes) - 1, *places}
    left = most - sum(sizes[place] for place in kept)
    following = {1: places[0] + 1, -1: places[0] - 1}
    is_growing = True
    while is_growing:
        is_growing = False
        for step, place in list(following.items()):
            size = 0 if place in kept else sizes[place] if 0 <= place < len(sizes) else most + 1
            if size <= left:
                kept.add(place)
                left -= size
                following[step] += step
                is_growing = True
    alone = {place for place in range(1, len(sizes) - 1) if {place - 1, place + 1} <= kept}
    # a short day takes as much room as the box that would stand for it
    return kept | {place for place in alone if sizes[place] <= 4}


def _runs(places: Iterable[int], kept: Collection[int]) -> Iterator[list[int]]:
    """Yield each place that is kept alone, and those between two of them together."""
    run: list[int] = []
    for place in places:
        if place in kept:
            if run:
                yield run
            yield [place]
            run = []
        else:
            run.append(place)


def _more(boxes: list[_Box], zone: ZoneInfo) -> _Box:
    """Return the box that stands for `boxes`: whole days, or stretches of one day."""
    drawn = [box for box in boxes if box.kind != "night"]
    days = {
        part.start.astimezone(zone).date()
        for box in drawn
        for part in _by_day(box, zone)
        if part.end - part.start >= MINUTE
    }
    text = ngettext("%(n)d tramo más", "%(n)d tramos más", len(drawn)) % {"n": len(drawn)}
    return _Box(
        "more",
        timedelta(),
        boxes[0].start,
        boxes[-1].end,
        sum((box.shown for box in drawn if box.kind in ("count", "next", "unused")), timedelta()),
        _days_more(len(days)) if len(days) > 1 or boxes[-1].kind == "night" else text,
    )


def _days_more(number: int) -> str:
    return ngettext("%(n)d día más", "%(n)d días más", number) % {"n": number}


def _day_of(box: _Box, zone: ZoneInfo) -> date:
    return (box.start + timedelta(seconds=1)).astimezone(zone).date()  # days begin at 23:59:59


def _joined(boxes: Iterable[_Box]) -> list[_Box]:
    """Join gaps that stand side by side."""
    result: list[_Box] = []
    for box in boxes:
        if result and box.kind == result[-1].kind == "night":
            result[-1] = replace(result[-1], end=box.end)
        else:
            result.append(box)
    return result


def explained_all(found: Iterable[Explanation], *, now: datetime) -> list[Explained]:
    return [explained(each, now=now) for each in found]
