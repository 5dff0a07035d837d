"""Format what was measured as the tables that docs/performance.md shows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from bench.load import Samples
from bench.pages import FLOOR, Page

Measured = Mapping[tuple[str, int], Samples]
"""By the page's key and the number of clients."""
KEPT, BROKEN = "✓", "✗"


@dataclass(frozen=True)
class Size:
    """What was measured at one size."""

    tickets: int
    measured: Measured
    queries: Mapping[str, int]


def table(pages: Sequence[Page], size: Size, *, clients: Sequence[int], noise: float) -> list[str]:
    """Return the lines of the table for one size. `~` marks times that others on the machine have disturbed."""
    lines = [
        (
            f"{'page':<34}{'clients':>8}{'queries':>8}{'p50 ms':>8}{'p99 ms':>8}{'req/s':>7}{'× floor':>9}"
            f"{'app ms':>8}{'× floor':>9}{'db ms':>7}{'others':>8}  promise"
        ),
        "-" * 127,
    ]
    for page in pages:
        for number in clients:
            samples, floor = size.measured[page.key, number], size.measured[FLOOR, number]
            is_first = number == clients[0]
            lines.append(
                f"{page.label if is_first else '':<34}{number:>8}"
                f"{size.queries[page.key] if is_first else '':>8}{samples.p50:>8.1f}{samples.p99:>8.1f}"
                f"{samples.per_second:>7.0f}{samples.p50 / floor.p50:>9.2f}"
                f"{samples.app_ms:>8.1f}{_share(samples.app_ms, floor.app_ms):>9}{samples.database_ms:>7.1f}"
                f"{samples.foreign * 100:>6.0f} %{'~' if samples.foreign > noise else ' '} "
                f"{'  '.join(map(str, promises(page, samples, floor, clients=number)))}".rstrip()
            )
    return lines


@dataclass(frozen=True)
class Verdict:
    text: str
    is_kept: bool

    def __str__(self) -> str:
        return f"{self.text} {KEPT if self.is_kept else BROKEN}"


def promises(page: Page, samples: Samples, floor: Samples, *, clients: int) -> list[Verdict]:
    """Return what is promised of the page's times at one size, and whether it is kept."""
    found, promise = [], page.promise
    if promise.times_floor is not None:
        is_kept = samples.p50 <= promise.times_floor * floor.p50
        found.append(Verdict(f"≤ {promise.times_floor:g} × floor", is_kept))
    if promise.share_of_floor is not None and clients > 1:
        is_kept = samples.per_second >= promise.share_of_floor * floor.per_second
        found.append(Verdict(f"≥ {promise.share_of_floor * floor.per_second:.0f} req/s", is_kept))
    return found


def growth(page: Page, small: Size, large: Size, *, clients: int) -> tuple[float, list[Verdict]]:
    """Return how many times longer the page takes at the large size, beyond what the floor page does."""
    own = large.measured[page.key, clients].p50 / small.measured[page.key, clients].p50
    floor = large.measured[FLOOR, clients].p50 / small.measured[FLOOR, clients].p50
    limit = page.promise.growth
    return own / floor, [] if limit is None else [Verdict(f"≤ {limit:g}", own / floor <= limit)]


def comparison(pages: Sequence[Page], small: Size, large: Size, *, clients: Sequence[int]) -> list[str]:
    """Return the lines of the table that compares each page at two sizes."""
    lines = [
        (
            f"{'page':<34}{'clients':>8}{'p50 small':>11}{'p50 large':>11}{'growth':>8}{'beyond the floor':>18}"
            f"{'app growth':>12}  promise"
        ),
        "-" * 112,
    ]
    for page in pages:
        for number in clients:
            before, after = small.measured[page.key, number], large.measured[page.key, number]
            beyond, verdicts = growth(page, small, large, clients=number)
            lines.append(
                f"{page.label if number == clients[0] else '':<34}{number:>8}{before.p50:>11.1f}{after.p50:>11.1f}"
                f"{after.p50 / before.p50:>8.2f}{beyond:>18.2f}{_share(after.app_ms, before.app_ms):>12}"
                f"  {'  '.join(map(str, verdicts))}".rstrip()
            )
    return lines


def broken(pages: Sequence[Page], sizes: Sequence[Size], *, clients: Sequence[int]) -> int:
    """Return how many promises are not kept."""
    found = [
        verdict
        for page in pages
        for number in clients
        for size in sizes
        for verdict in promises(
            page, size.measured[page.key, number], size.measured[FLOOR, number], clients=number
        )
    ]
    if len(sizes) > 1:
        for page in pages:
            for number in clients:
                found += growth(page, sizes[0], sizes[-1], clients=number)[1]
    return sum(not verdict.is_kept for verdict in found)


def held(folios: Mapping[str, Sequence[float]]) -> str:
    """Return the line about the counter of folios."""
    kept, whole = ([second * 1000 for second in folios[name]] for name in ("held", "filing"))
    return (
        f"counter of folios locked for {median(kept):.1f} ms (longest {max(kept):.1f}) of the {median(whole):.1f} ms"
        f" of a filing; promised: ≤ 2 ms {KEPT if median(kept) <= 2 else BROKEN}"
    )


def updates(before: Mapping[str, tuple[int, int]], after: Mapping[str, tuple[int, int]]) -> list[str]:
    """Return a line for each watched table: which share of its updates touched no index (HOT)."""
    lines = []
    for name, (count, hot) in after.items():
        count, hot = count - before[name][0], hot - before[name][1]
        share = f"{hot / count:.0%} of them without touching an index (HOT)" if count else "none to judge"
        lines.append(f"updates of {name}: {count}, {share}")
    return lines


def _share(value: float, base: float) -> str:
    return f"{value / base:.2f}" if base else "-"
