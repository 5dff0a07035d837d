"""Draw «¿Por qué esta fecha?»: a bar of the time that counts, and the same day by day for narrow screens."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from content.dates import short_date, short_day
from tickets.explanation import Explanation

from .why_amounts import (
    DAY,
    KINDS,
    Minutes,
    amount_in_words,
    is_in_days,
    left_in_words,
    range_in_words,
    rounded_up,
)
from .wording import MINUTE, hours_and_minutes

WIDTH, MARGIN = 712, 8
"""The width of the bar and of its margins, in units of the drawing."""
GAP, FIXED, LEAST, MORE = 26, 40, 12, 88
"""Widths of the time outside opening hours, of a closed piece, of the shortest piece and of what stands for others."""
LETTER = 6.7
"""About the width of a bold character under the bar."""
MOST_PIECES, MOST_PIECES_OF_A_DAY = 15, 7
MOST_DAYS = 21


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
class _Box:
    """A stretch to draw. `amount` gives the width and is zero for what has no scale; `shown` is what the box says. Of a
    box that stands for others, `text` says how many."""

    kind: str
    amount: timedelta
    start: datetime
    end: datetime
    shown: timedelta = timedelta()
    text: str = ""


def bar_of(found: Explanation, *, now: datetime) -> Bar:
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
    amount = amount_in_words(found, box.shown) if box.shown >= (DAY if is_in_days(found) else MINUTE) else ""
    if box.kind == "more":
        return Piece(box.kind, x + 3, width - 6, box.text, note="" if is_in_days(found) else amount)
    return Piece(box.kind, x, width, amount if width > 12 + 6 * len(amount) else "")


def _title(found: Explanation) -> str:
    words = {
        "range": range_in_words(found.clock.started_at, found.clock.stopped_at or found.due),
        "used": amount_in_words(found, found.used),
        "left": left_in_words(found),
        "unused": amount_in_words(found, rounded_up(found.unused)),
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
    return "" if is_in_days(found) or not amount else hours_and_minutes(amount)


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
            minutes = Minutes()
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
    minutes = Minutes(found.before)
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
