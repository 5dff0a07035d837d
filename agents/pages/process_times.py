"""Shows where tickets lose time on their way through a process: its stages, the steps between them, the paths.

Every number carries the address of its list, which reads the same `Measure`.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from tickets.definitions.definition import Definition, Stage
from tickets.definitions.diagram import BAD_ENDS
from tickets.facts.histogram import quantile, seconds_of
from tickets.facts.measures import MEASURES, OF_A_PROCESS, other_paths
from tickets.facts.totals import Totals, open_by_day
from tickets.models import Process
from tickets.record.paths import steps_of
from web.process_map import owner_of

from ..forms.panel import PanelFilter
from .report import Report, arrow, decimal, good, percent, whole, working_time

PATHS_SHOWN = 5
SHIFTS_SHOWN = 4
FEW = 5
"""A stage is compared with the period before only if it was visited this often in both."""
NORMAL_CHANGE, NORMAL_POINTS = 0.1, 0.02
"""Smaller changes of a time, and of a share, are told as normal."""
LEVELS = (0.1, 0.3)
"""The shares of all time from which a stage is warm, and hot."""


@dataclass(frozen=True)
class StageTimes:
    """Holds what the period says of one stage: the opening hours of its visits, and its share of the time of all."""

    key: str
    label: str
    owner: str
    visits: int
    median: str
    slow: str
    """The time that 9 of 10 visits did not exceed."""
    seconds: float
    share: float
    present: int
    url: str
    present_url: str

    @property
    def level(self) -> int:
        """The warmth of the stage: 0 without visits, then 1 to 3."""
        return 1 + sum(self.share >= least for least in LEVELS) if self.visits else 0

    @property
    def share_text(self) -> str:
        return percent(self.share, digits=0)

    @property
    def described(self) -> str:
        """The stage in one sentence, for who cannot see the drawing."""
        return _(
            "%(stage)s: mediana %(median)s, 9 de 10 en %(slow)s, %(share)s del tiempo, espera: %(owner)s, %(now)s ahora"
        ) % {
            "stage": self.label,
            "median": self.median,
            "slow": self.slow,
            "share": self.share_text,
            "owner": self.owner,
            "now": whole(self.present),
        }


@dataclass(frozen=True)
class Step:
    """Says how often an action led from one stage to another, and its share of all that left the stage."""

    source: str
    target: str
    label: str
    count: int
    share: str
    url: str


@dataclass(frozen=True)
class Shift:
    """Says what changed against the period before."""

    label: str
    text: str
    change: str
    arrow: str
    good: str
    size: float


class ProcessTimes(Report):
    """Reads, beside the counts of the range, how many tickets are in each stage now: one query more."""

    measures = (MEASURES["filed"], *OF_A_PROCESS)

    def __init__(self, filters: PanelFilter, process: Process) -> None:
        super().__init__(filters)
        self.process, self.definition = process, process.definition

    @property
    def is_empty(self) -> bool:
        return not any(self.now.count(measure.key) for measure in self.measures) and not self._present

    @cached_property
    def filed(self) -> int:
        return self.now.count("filed")

    @property
    def filed_url(self) -> str:
        return self.list_of("filed")

    # --- Stages -----------------------------------------------------------------------------------------------------

    @cached_property
    def stages(self) -> dict[str, StageTimes]:
        """The stages that are no end, in the order of the process, and last those that only earlier versions have."""
        keys = [stage.key for stage in self.definition.stages if not stage.is_end]
        found = _histograms(self.now)
        keys += sorted(key for key in {*found, *self._present} - set(keys) if not self._is_end(key))
        seconds = {key: _total_seconds(found.get(key, {})) for key in keys}
        total = sum(seconds.values())
        return {
            key: self._stage(key, found.get(key, {}), seconds[key], seconds[key] / total if total else 0)
            for key in keys
        }

    @property
    def by_time(self) -> list[StageTimes]:
        return sorted(self.stages.values(), key=lambda stage: -stage.seconds)

    def _stage(self, key: str, durations: Mapping[str, int], seconds: float, share: float) -> StageTimes:
        stage = self.definition.find_stage(key)
        return StageTimes(
            key,
            self.name_of(key),
            owner_of(self.definition, (stage,), "staff") if stage else _("Etapa de una versión anterior"),
            visits=sum(durations.values()),
            median=working_time(quantile(durations, 0.5)),
            slow=working_time(quantile(durations, 0.9)),
            seconds=seconds,
            share=share,
            present=self._present.get(key, 0),
            url=self.list_of("stays", parte=key),
            present_url=self.list_of("open", self._ever, parte=key),
        )

    def name_of(self, key: str) -> str:
        stage = self.definition.find_stage(key)
        return str(stage.label) if stage else key

    def _is_end(self, key: str) -> bool:
        stage = self.definition.find_stage(key)
        return stage is not None and stage.is_end

    # --- Steps ------------------------------------------------------------------------------------------------------

    @cached_property
    def moves(self) -> Mapping[tuple[str, str, str], int]:
        """How often each action led from one stage to another."""
        return _moves(self.now)

    @cached_property
    def left(self) -> Counter[str]:
        """How often each stage was left."""
        return _left(self.moves)

    def count_between(self, source: str, target: str) -> int:
        return sum(
            count for (first, _action, last), count in self.moves.items() if (first, last) == (source, target)
        )

    def share_between(self, source: str, target: str) -> float:
        return self.count_between(source, target) / max(1, self.left[source])

    def count_into(self, target: str) -> int:
        return sum(count for (_source, _action, last), count in self.moves.items() if last == target)

    @cached_property
    def ended(self) -> int:
        """How often a ticket came to an end."""
        return sum(count for (_source, _action, last), count in self.moves.items() if self._is_end(last))

    @cached_property
    def steps(self) -> list[Step]:
        """The actions that led from stage to stage, in the order of the process, the most frequent of a stage first."""
        order = {stage.key: number for number, stage in enumerate(self.definition.stages)}
        moves = sorted(
            self.moves.items(), key=lambda move: (order.get(move[0][0], len(order)), -move[1], move[0])
        )
        return [
            Step(
                self.name_of(source),
                self.name_of(target),
                self._action(action),
                count,
                percent(count / self.left[source]),
                self.list_of("moves", parte=f"{source}:{action}:{target}"),
            )
            for (source, action, target), count in moves
        ]

    def _action(self, key: str) -> str:
        action = self.definition.action(key)
        return str(action.label) if action else key or _("Cambio del sistema")

    # --- Paths ------------------------------------------------------------------------------------------------------

    @cached_property
    def finished(self) -> int:
        """How many tickets ended in the period and are ended still."""
        return self.now.count("paths")

    @cached_property
    def paths(self) -> list[dict[str, Any]]:
        """The most frequent ways from filing to the end, with the working time that they took."""
        most = max(self._by_path.values(), key=_size, default={})
        return [
            {
                "steps": list(_shown(path, self.definition, self.name_of)),
                "count": _size(durations),
                "most": _size(most),
                "share": percent(_size(durations) / self.finished),
                "median": working_time(quantile(_known(durations), 0.5)),
                "slow": working_time(quantile(_known(durations), 0.9)),
                "url": self.list_of("paths", parte=path),
            }
            for path, durations in self._most_frequent
        ]

    @property
    def other_paths(self) -> dict[str, Any] | None:
        others = len(self._by_path) - len(self._most_frequent)
        if not others:
            return None
        count = self.finished - sum(_size(durations) for _path, durations in self._most_frequent)
        label = ngettext("Otro recorrido", "Otros %(n)s recorridos", others) % {"n": whole(others)}
        part = other_paths(path for path, _durations in self._most_frequent)
        return {
            "label": label,
            "count": count,
            "share": percent(count / self.finished),
            "url": self.list_of("paths", parte=part),
        }

    @cached_property
    def _by_path(self) -> dict[str, dict[str, int]]:
        return _grouped(self.now.parts("paths"))

    @cached_property
    def _most_frequent(self) -> list[tuple[str, dict[str, int]]]:
        return sorted(self._by_path.items(), key=lambda item: (-_size(item[1]), item[0]))[:PATHS_SHOWN]

    # --- What is open, what changed -----------------------------------------------------------------------------------

    @cached_property
    def _open(self) -> Mapping[Any, Mapping[str, int]]:
        return open_by_day(chosen=self.chosen)

    @cached_property
    def _present(self) -> Counter[str]:
        """How many tickets are in each stage now."""
        found: Counter[str] = Counter()
        for stages in self._open.values():
            found.update(stages)
        return found

    @cached_property
    def _ever(self) -> Any:
        """The days on which what is open arrived."""
        first = min(self._open, default=self.period.first)
        return type(self.period)(first, max(self.period.last, max(self._open, default=first)))

    @cached_property
    def shifts(self) -> list[Shift]:
        """The largest changes against the period before: of the times of stages, and of the shares that go back."""
        found = [*self._shifts_of_times(), *self._shifts_of_returns()]
        return sorted(found, key=lambda shift: -shift.size)[:SHIFTS_SHOWN]

    def _shifts_of_times(self) -> Iterator[Shift]:
        now, before = _histograms(self.now), _histograms(self.before)
        for key, stage in self.stages.items():
            if min(_size(now.get(key, {})), _size(before.get(key, {}))) < FEW:
                continue
            for share, name in ((0.5, _("mediana")), (0.9, _("9 de 10"))):
                value, was = quantile(now[key], share), quantile(before[key], share)
                if not value or not was:
                    continue
                moved = value / was - 1
                text = _("De %(before)s a %(now)s.") % {
                    "before": working_time(was),
                    "now": working_time(value),
                }
                change = percent(abs(moved), digits=0)
                yield _shift(f"{stage.label}, {name}", text, moved, change, normal=NORMAL_CHANGE)

    def _shifts_of_returns(self) -> Iterator[Shift]:
        before = _moves(self.before)
        left, order = _left(before), {stage.key: n for n, stage in enumerate(self.definition.stages)}
        for (source, action, target), count in self.moves.items():
            goes_back = order.get(target, 0) < order.get(source, -1)
            if not goes_back or self._is_end(source) or min(self.left[source], left[source]) < FEW:
                continue
            share, was = count / self.left[source], before.get((source, action, target), 0) / left[source]
            text = _("Del %(before)s al %(now)s de las salidas.") % {
                "before": percent(was),
                "now": percent(share),
            }
            label = _("%(stage)s: %(action)s") % {
                "stage": self.name_of(source),
                "action": self._action(action),
            }
            points = _("%(n)s pp") % {"n": decimal(100 * abs(share - was))}
            yield _shift(label, text, share - was, points, normal=NORMAL_POINTS)


def _shift(label: str, text: str, moved: float, change: str, *, normal: float) -> Shift:
    signed = f"{'+' if moved > 0 else '−' if moved < 0 else ''}{change}"
    if abs(moved) < normal:
        return Shift(label, f"{text} {_('Dentro de lo normal.')}", signed, "", "", abs(moved))
    return Shift(label, text, signed, arrow(moved), good(moved, "no"), abs(moved))


def _shown(path: str, definition: Definition, name_of: Any) -> Iterator[dict[str, Any]]:
    """Yield the stages of a path. A detour is a stage that is not on the main road or comes again, or an end that was
    not the last. What follows a detour is where the ticket was before, and is none."""
    road = {stage.key for stage in definition.main_road}
    steps, seen, was_detour = steps_of(path), set(), False
    for number, (key, count) in enumerate(steps, start=1):
        stage: Stage | None = definition.find_stage(key)
        is_last = number == len(steps)
        was_detour = not is_last and (key not in road or (key in seen and not was_detour))
        seen.add(key)
        yield {
            "label": name_of(key) if count == 1 else f"{name_of(key)} ×{count}",
            "is_detour": was_detour,
            "is_bad_end": is_last and stage is not None and stage.kind in BAD_ENDS,
        }


def _histograms(totals: Totals) -> dict[str, dict[str, int]]:
    """Return the histogram of the visits to each stage."""
    return _grouped(totals.parts("stays"))


def _grouped(parts: Mapping[str, int]) -> dict[str, dict[str, int]]:
    """Return the buckets of each name, out of parts that are written «name:bucket»."""
    found: dict[str, dict[str, int]] = {}
    for part, count in parts.items():
        name, _colon, bucket = part.rpartition(":")
        found.setdefault(name, {})[bucket] = count
    return found


def _moves(totals: Totals) -> dict[tuple[str, str, str], int]:
    found = {}
    for part, count in totals.parts("moves").items():
        source, action, target = part.split(":")
        found[source, action, target] = count
    return found


def _left(moves: Mapping[tuple[str, str, str], int]) -> Counter[str]:
    found: Counter[str] = Counter()
    for (source, _action, _target), count in moves.items():
        found[source] += count
    return found


def _known(durations: Mapping[str, int]) -> dict[str, int]:
    return {bucket: count for bucket, count in durations.items() if bucket}


def _size(durations: Mapping[str, int]) -> int:
    return sum(durations.values())


def _total_seconds(durations: Mapping[str, int]) -> float:
    return sum(seconds_of(int(bucket)) * count for bucket, count in durations.items())
