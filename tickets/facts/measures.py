"""The measures of reports: what each counts, in a queryset and in words.

A number and the list behind it come from the same queryset, `Measure.rows`. Test tickets and duplicates are outside all
of them (S2.43).
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import QuerySet
from django.db.models.functions import ExtractHour, ExtractIsoWeekDay
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from ..enums import ELEVATING, ClockKind, Scope, StageKind, WaitedFor
from ..models import Breach, Clock, Nonconformity, ProcessVersion, StageVisit, Survey, Ticket
from .histogram import bucket

Rows = QuerySet[Any]

COLUMNS: dict[str, str] = {
    Scope.PROCESS: "process_version__process",
    Scope.DEPARTMENT: "department",
    Scope.CATEGORY: "category",
    Scope.SEVERITY: "severity",
    Scope.CUSTOMER_KIND: "requester__kind",
    Scope.ASSIGNEE: "assignee",
}
"""The column of the ticket that tells tickets apart, by scope."""


@dataclass(frozen=True)
class Measure:
    """Something that is counted on a day. `all_rows` has what may count, and `moment` the column that says when.

    `part_of` gets the values of the columns in `reads` and returns the part under which a row is counted: the bucket of
    its duration, its hour, the score of a survey.
    """

    key: str
    label: Promise
    formula: Promise
    """How it is counted, in words: what «?» shows."""
    all_rows: Callable[[], Rows]
    moment: str
    to_ticket: str = ""
    """The path from a row to its ticket, with `__` at the end; empty if the rows are tickets."""
    reads: tuple[str, ...] = ()
    part_of: Callable[..., str] = field(default=lambda: "")
    seconds_of: Callable[..., float | None] | None = None
    """Gets what `part_of` gets, and returns the time that a row took; None for a measure of which no time is told."""
    in_part: Callable[[Rows, str], Rows] | None = None
    """Returns those of the rows that are in a part; None for a measure whose parts open no list of their own."""
    clock: str = ""
    """The kind of the clock whose promises are counted, which the list shows; empty if none is."""
    scopes: frozenset[str] = frozenset(Scope)
    """The scopes in which it is counted: parts that name stages mean something within one process only."""

    def rows(self, start: datetime, end: datetime) -> Rows:
        """Return what is counted from `start` up to but not including `end`."""
        counted = {f"{self.to_ticket}is_test": False, f"{self.to_ticket}duplicate_of__isnull": True}
        between = {f"{self.moment}__gte": start, f"{self.moment}__lt": end}
        return self.all_rows().filter(**counted, **between).order_by()

    def seconds(self, row: Any) -> float | None:
        """Return the time that a row took, opening hours or, of `lasted`, on the wall. None if it has none."""
        if self.seconds_of is None:
            return None
        return self.seconds_of(*(getattr(row, name) for name in self.reads))

    def chosen_rows(
        self, start: datetime, end: datetime, chosen: Mapping[str, Any], *, part: str = "", weekday: int = 0
    ) -> Rows:
        """Return those of `rows` whose ticket has the `chosen` value of each scope (None for none), that are in the
        `part`, and were counted on this `weekday` (1 is Monday)."""
        values = {self.to_ticket + COLUMNS[scope]: value for scope, value in chosen.items()}
        rows = self.rows(start, end).filter(**values)
        if part and self.in_part:
            rows = self.in_part(rows, part)
        if weekday:
            zone = ZoneInfo(settings.DESK_TIME_ZONE)
            rows = rows.annotate(on=ExtractIsoWeekDay(self.moment, tzinfo=zone)).filter(on=weekday)
        return rows


def _hour(moment: datetime) -> str:
    return str(moment.astimezone(ZoneInfo(settings.DESK_TIME_ZONE)).hour)


def _duration(seconds: int | None) -> str:
    return "" if seconds is None else str(bucket(seconds))


def _seconds(*values: Any) -> float | None:
    """Return the last of the columns that a measure reads."""
    seconds: float | None = values[-1]
    return seconds


def _elapsed_seconds(start: datetime, end: datetime) -> float:
    return max(0.0, (end - start).total_seconds())


def _elapsed(start: datetime, end: datetime) -> str:
    return str(bucket(_elapsed_seconds(start, end)))


def _reason(version: int, stage: str) -> str:
    return f"{ProcessVersion.objects.process_of(version)}:{stage}"


def _of_hour(rows: Rows, part: str) -> Rows:
    zone = ZoneInfo(settings.DESK_TIME_ZONE)
    return rows.annotate(hour=ExtractHour("created_at", tzinfo=zone)).filter(hour=_number(part))


def _of_score(rows: Rows, part: str) -> Rows:
    return rows.filter(score=_number(part))


def _of_reason(rows: Rows, part: str) -> Rows:
    process, _colon, stage = part.partition(":")
    return rows.filter(process_version__process=_number(process), stage=stage)


def _of_stage(rows: Rows, part: str) -> Rows:
    return rows.filter(stage=part)


def _stay(stage: str, seconds: int) -> str:
    return f"{stage}:{bucket(seconds)}"


def _move(stage: str, action: str, next_stage: str) -> str:
    return f"{stage}:{action}:{next_stage}"


def _of_move(rows: Rows, part: str) -> Rows:
    """Return the moves from a stage, by an action, to a stage, each of which may be left open: «:rechazar:»."""
    named = zip(("stage", "action", "next_stage"), part.split(":"), strict=False)
    return rows.filter(**{column: key for column, key in named if key})


def _ended(path: str, seconds: int | None) -> str:
    return f"{path}:{_duration(seconds)}"


OTHERS, PATH_END = "!", "|"


def other_paths(paths: Iterable[str]) -> str:
    """Return the part of `paths` in which every ticket is that went another way than these."""
    return OTHERS + PATH_END.join(paths)


def _of_path(rows: Rows, part: str) -> Rows:
    if part.startswith(OTHERS):
        return rows.exclude(path__in=part.removeprefix(OTHERS).split(PATH_END))
    return rows.filter(path=part)


def _number(text: str) -> int:
    """Return the number, or one that nothing has: parts stand in addresses."""
    return int(text) if text.isdecimal() and len(text) < 10 else -1


def _promises(kind: ClockKind) -> Callable[[], Rows]:
    return lambda: Clock.objects.filter(kind=kind)


def _kept(kind: ClockKind) -> Callable[[], Rows]:
    return lambda: Clock.objects.filter(kind=kind, stopped_at__isnull=False, breached_at__isnull=True)


def _elevating_breaches() -> Rows:
    return Breach.objects.filter(kind__in=ELEVATING, cleared_at__isnull=True)


OF_THE_DESK: tuple[Measure, ...] = (
    Measure(
        "filed",
        _("Reportados"),
        _("Tickets que llegaron en el período."),
        Ticket.objects.all,
        "created_at",
        reads=("created_at",),
        part_of=_hour,
        in_part=_of_hour,
    ),
    Measure(
        "open",
        _("Pendientes"),
        _("Tickets abiertos ahora, por el día en que llegaron."),
        Ticket.objects.open,
        "created_at",
        reads=("stage",),
        part_of=str,
        in_part=_of_stage,
    ),
    Measure(
        "answered",
        _("Primera respuesta"),
        _(
            "Tiempo hábil entre la llegada y el primer mensaje del equipo, sin lo que tardó el solicitante, de los "
            "tickets que se respondieron por primera vez en el período."
        ),
        Ticket.objects.all,
        "first_response_at",
        reads=("first_response_seconds",),
        part_of=_duration,
        seconds_of=_seconds,
    ),
    Measure(
        "resolved",
        _("Resueltos"),
        _(
            "Tickets que terminaron en el período y siguen terminados, con el tiempo hábil que estuvieron en etapas "
            "cuyo reloj corre. Los rechazados y cancelados se cuentan aparte."
        ),
        lambda: Ticket.objects.filter(stage_kind=StageKind.DONE),
        "closed_at",
        reads=("resolution_seconds",),
        part_of=_duration,
        seconds_of=_seconds,
    ),
    Measure(
        "lasted",
        _("Duración"),
        _("Tiempo de reloj entre la llegada y el final de los tickets que se resolvieron en el período."),
        lambda: Ticket.objects.filter(stage_kind=StageKind.DONE),
        "closed_at",
        reads=("created_at", "closed_at"),
        part_of=_elapsed,
        seconds_of=_elapsed_seconds,
    ),
    Measure(
        "rejected",
        _("Rechazados"),
        _(
            "Tickets que se rechazaron o cancelaron en el período, por la etapa en que terminaron. Las pruebas y los "
            "duplicados no se cuentan."
        ),
        lambda: Ticket.objects.filter(stage_kind__in=[StageKind.REJECTED, StageKind.CANCELLED]),
        "closed_at",
        reads=("process_version", "stage"),
        part_of=_reason,
        in_part=_of_reason,
    ),
    Measure(
        "response_kept",
        _("Primera respuesta a tiempo"),
        _("Primeras respuestas dadas en el período antes de su plazo."),
        _kept(ClockKind.FIRST_RESPONSE),
        "ticket__first_response_at",
        to_ticket="ticket__",
        clock=ClockKind.FIRST_RESPONSE,
    ),
    Measure(
        "response_broken",
        _("Primera respuesta vencida"),
        _("Plazos de primera respuesta que vencieron en el período, respondidos después o todavía no."),
        _promises(ClockKind.FIRST_RESPONSE),
        "breached_at",
        to_ticket="ticket__",
        clock=ClockKind.FIRST_RESPONSE,
    ),
    Measure(
        "resolution_kept",
        _("Resolución a tiempo"),
        _("Tickets que terminaron en el período antes de su fecha de cierre."),
        _kept(ClockKind.RESOLUTION),
        "ticket__closed_at",
        to_ticket="ticket__",
        clock=ClockKind.RESOLUTION,
    ),
    Measure(
        "resolution_broken",
        _("Resolución vencida"),
        _("Fechas de cierre que vencieron en el período, de tickets terminados después o todavía abiertos."),
        _promises(ClockKind.RESOLUTION),
        "breached_at",
        to_ticket="ticket__",
        clock=ClockKind.RESOLUTION,
    ),
    Measure(
        "elevated",
        _("Soporte elevado"),
        _(
            "Plazos de respuesta o de cierre que vencieron en el período: cada uno hace del ticket un soporte elevado. "
            "Cuentan aunque después se acordara otra fecha, y no si un cambio de horario o de plazos los corrigió. La "
            "meta es 0."
        ),
        _elevating_breaches,
        "due_at",
        to_ticket="ticket__",
    ),
    Measure(
        "surveys",
        _("Satisfacción"),
        _("Encuestas respondidas en el período, de 1 a 5."),
        Survey.objects.all,
        "answered_at",
        to_ticket="ticket__",
        reads=("score",),
        part_of=str,
        in_part=_of_score,
    ),
    Measure(
        "reopened",
        _("Reaperturas"),
        _("Veces que un ticket terminado volvió a trabajo en el período."),
        lambda: StageVisit.objects.filter(waited_for=WaitedFor.NOBODY),
        "left_at",
        to_ticket="ticket__",
    ),
    Measure(
        "nonconformities",
        _("Inconformidades"),
        _("Reportes de inconformidad que se abrieron en el período."),
        Nonconformity.objects.all,
        "opened_at",
        to_ticket="ticket__",
    ),
)
IN_A_PROCESS = frozenset([Scope.PROCESS])
OF_A_PROCESS: tuple[Measure, ...] = (
    Measure(
        "stays",
        _("Visitas a una etapa"),
        _(
            "Visitas que terminaron en el período, con las horas hábiles que duró cada una. Un ticket que vuelve a la "
            "etapa la visita otra vez."
        ),
        lambda: StageVisit.objects.exclude(waited_for=WaitedFor.NOBODY),
        "left_at",
        to_ticket="ticket__",
        reads=("stage", "working_seconds"),
        part_of=_stay,
        seconds_of=_seconds,
        in_part=_of_stage,
        scopes=IN_A_PROCESS,
    ),
    Measure(
        "moves",
        _("Pasos entre etapas"),
        _("Veces que un ticket pasó de una etapa a otra en el período."),
        StageVisit.objects.all,
        "left_at",
        to_ticket="ticket__",
        reads=("stage", "action", "next_stage"),
        part_of=_move,
        in_part=_of_move,
        scopes=IN_A_PROCESS,
    ),
    Measure(
        "paths",
        _("Recorridos"),
        _(
            "Tickets que terminaron en el período, por las etapas que visitaron, con las horas hábiles en que corrió "
            "su reloj."
        ),
        lambda: Ticket.objects.filter(closed_at__isnull=False),
        "closed_at",
        reads=("path", "resolution_seconds"),
        part_of=_ended,
        seconds_of=_seconds,
        in_part=_of_path,
        scopes=IN_A_PROCESS,
    ),
)
"""How the tickets of a process go through its stages."""
ALL = (*OF_THE_DESK, *OF_A_PROCESS)
MEASURES: dict[str, Measure] = {measure.key: measure for measure in ALL}
