"""Format the measured times as the tables that docs/performance.md shows."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

FLOOR = "floor"


@dataclass
class Samples:
    """The measured times and the query count of one page at one size."""

    seconds: list[float] = field(default_factory=list)
    queries: int | None = None

    @property
    def p50(self) -> float:
        return median(self.seconds) * 1000

    @property
    def p95(self) -> float:
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))] * 1000

    @property
    def per_second(self) -> float:
        return len(self.seconds) / sum(self.seconds)


@dataclass(frozen=True)
class Row:
    key: str
    label: str
    times_floor: float | None = None
    """Limit: p50 at most this many times that of the floor page."""
    times_smaller: float | None = None
    """Limit: p50 at most this many times the page's p50 at the smaller size that it is compared with."""


def table(rows: Sequence[Row], measured: dict[str, Samples]) -> list[str]:
    """Return the lines of the table for one size. `✗` marks a page above its limit."""
    lines = [
        f"{'page':<44}{'queries':>8}{'p50 ms':>9}{'p95 ms':>9}{'req/s':>8}{'× floor':>9}  promise",
        "-" * 98,
    ]
    floor = measured[FLOOR].p50
    for row in rows:
        samples = measured[row.key]
        ratio = samples.p50 / floor
        promise = "" if row.times_floor is None else f"≤ {row.times_floor:g}{mark(ratio, row.times_floor)}"
        queries = "" if samples.queries is None else samples.queries
        lines.append(
            f"{row.label:<44}{queries:>8}{samples.p50:>9.1f}{samples.p95:>9.1f}{samples.per_second:>8.0f}"
            f"{ratio:>9.2f}  {promise}".rstrip()
        )
    return lines


def comparison(rows: Sequence[Row], small: dict[str, Samples], large: dict[str, Samples]) -> list[str]:
    """Return the lines of the table that compares each page's p50 at two sizes. `✗` marks growth above the limit."""
    lines = [f"{'page':<44}{'p50 small':>10}{'p50 large':>10}{'growth':>9}  promise", "-" * 85]
    for row in rows:
        growth = large[row.key].p50 / small[row.key].p50
        promise = (
            "" if row.times_smaller is None else f"≤ {row.times_smaller:g}{mark(growth, row.times_smaller)}"
        )
        line = (
            f"{row.label:<44}{small[row.key].p50:>10.1f}{large[row.key].p50:>10.1f}{growth:>9.2f}  {promise}"
        )
        lines.append(line.rstrip())
    return lines


def mark(value: float, limit: float) -> str:
    return " ✓" if value <= limit else " ✗"
