"""Share between the pages of the panel: the range and the one before it, the addresses of lists, written numbers."""

from collections.abc import Collection
from typing import Any

from django.urls import reverse
from django.utils import formats
from django.utils.functional import cached_property
from django.utils.http import urlencode

from tickets.facts.measures import Measure
from tickets.facts.periods import Period
from tickets.facts.totals import Totals, added, totals_by_day
from web.wording import NBSP

from ..forms.panel import PanelFilter

NOTHING = Totals({})


class Report:
    """Reads the counts of the chosen range and of the one before, with one query."""

    measures: Collection[Measure]
    """The measures that are counted from the tickets where more is chosen than one scope."""

    def __init__(self, filters: PanelFilter) -> None:
        self.filters, self.period, self.chosen = filters, filters.period, filters.chosen
        self.days = totals_by_day(
            self.period.before.first, self.period.last, chosen=self.chosen, measures=self.measures
        )

    @cached_property
    def now(self) -> Totals:
        return self.sum(self.period)

    @cached_property
    def before(self) -> Totals:
        return self.sum(self.period.before)

    def sum(self, period: Period) -> Totals:
        if period.days == 1:
            return self.days.get(period.first, NOTHING)
        return added(totals.counts for day, totals in self.days.items() if day in period)

    def list_of(self, measure: str, period: Period | None = None, **more: Any) -> str:
        """Return the address of the tickets that the measure counts in the period, by default the chosen one."""
        period = period or self.period
        mark = f"desde={period.first}&hasta={period.last}&medida={measure}"
        return f"{self._lists}{mark}&{urlencode(more)}" if more else f"{self._lists}{mark}"

    @cached_property
    def _lists(self) -> str:
        """The beginning of every list's address: a page has some hundreds of them."""
        query = self.filters.query(desde="", hasta="")
        return f"{reverse('agents:panel_tickets')}?{query}{'&' if query else ''}"


def decimal(value: float, digits: int = 1) -> str:
    """Write a number, rounded, in the reader's language: `number_format` cuts what it has no room for."""
    return str(formats.number_format(round(value, digits), digits))


def whole(value: int) -> str:
    return str(formats.number_format(value, force_grouping=True))


def signed(value: int) -> str:
    """Write a difference with its sign: «+3», «−2»; empty for none."""
    sign = "+" if value > 0 else "−"
    return f"{sign}{whole(abs(value))}" if value else ""


def percent(share: float | None, *, digits: int = 1) -> str:
    """Write a share as a percentage in the reader's language; a dash if there is none."""
    return "–" if share is None else f"{decimal(100 * share, digits)}{NBSP}%"


def working_time(seconds: float | None) -> str:
    """Write opening hours, which make no days, in little room: «26 min», «5 h 40», «126 h». None gives a dash."""
    if seconds is None:
        return "–"
    hours, minutes = divmod(int(seconds // 60), 60)
    if hours:
        return f"{hours}{NBSP}h {minutes:02d}" if minutes and hours < 100 else f"{hours}{NBSP}h"
    return f"{minutes}{NBSP}min" if minutes else f"<{NBSP}1{NBSP}min"


def arrow(moved: float) -> str:
    return "arrow-up" if moved > 0 else "arrow-down" if moved < 0 else ""


def good(moved: float, more_is: str) -> str:
    """Return whether a change is good, "yes" or "no", where `more_is` says whether more is; empty where neither is."""
    if not moved or not more_is:
        return ""
    return "yes" if (moved > 0) == (more_is == "yes") else "no"
