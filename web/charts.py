"""Lay out charts: numbers become coordinates, which templates draw as SVG."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

Value = float | None


@dataclass(frozen=True)
class Point:
    """Places one value of a line. `x` and `y` are written as SVG reads them, with a point."""

    x: str
    y: str
    index: int


@dataclass(frozen=True)
class Line:
    """A line through the values that exist. Where one is missing it is interrupted."""

    path: str
    area: str
    points: list[Point]


@dataclass(frozen=True)
class Frame:
    """The part of a drawing in which values are drawn: `low` is at the bottom, `high` at the top."""

    left: float
    top: float
    width: float
    height: float
    low: float
    high: float

    def x(self, index: int, count: int) -> float:
        return self.left + (self.width * index / (count - 1) if count > 1 else self.width / 2)

    def y(self, value: float) -> float:
        span = (self.high - self.low) or 1
        inside = min(max(value, self.low), self.high)
        return self.top + self.height * (1 - (inside - self.low) / span)


def number(value: float) -> str:
    """Write a coordinate, whatever the reader's language is."""
    return f"{value:.1f}"


def line(values: Sequence[Value], frame: Frame) -> Line:
    """Return the line through the values, evenly spaced from left to right."""
    known = [(i, frame.x(i, len(values)), frame.y(v)) for i, v in enumerate(values) if v is not None]
    points = [Point(number(x), number(y), i) for i, x, y in known]
    parts = [f"M{points[0].x} {points[0].y}"] if points else []
    for before, point in pairwise(points):
        parts.append(f"{'L' if point.index == before.index + 1 else 'M'}{point.x} {point.y}")
    is_whole = len(points) == len(values) and len(points) > 1
    bottom = number(frame.top + frame.height)
    area = f"{' '.join(parts)} L{points[-1].x} {bottom} L{points[0].x} {bottom}Z" if is_whole else ""
    return Line(" ".join(parts), area, points)


def spark(values: Sequence[Value]) -> Line:
    """Return the line of a small chart without axes, 120 wide and 28 high, over all that its values span."""
    known = [value for value in values if value is not None]
    return line(values, Frame(0, 3, 120, 22, min(known, default=0), max(known, default=1)))


def ticks(high: float, *, count: int = 4) -> list[int]:
    """Return round numbers from 0 to at least `high`, for the lines behind columns."""
    step = 1
    while step * (count - 1) < high:
        step = step * 2 if str(step)[0] in "15" else step * 5 // 2
    return [step * n for n in range(count)]


def level(value: int, most: int, *, levels: int = 6) -> int:
    """Return the shade of a cell, from 0 for nothing to `levels` for the most."""
    return 0 if not value or not most else max(1, -(-value * levels // most))
