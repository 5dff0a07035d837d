"""The weeks themselves: when tickets arrive, when people act, and what the scheduler does in between."""

import heapq
from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random
from unittest.mock import patch
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone

from accounts.models import Department
from content.errors import DeskError, InvalidData
from demo.replay import hours
from demo.replay.clock import time_is
from demo.replay.loading import load_desk
from demo.replay.scene import World
from demo.stories import STORIES
from notifications.outgoing import delivery
from tickets.enums import ChangeState
from tickets.facts import counting
from tickets.models import Calendar, Process, ScheduleChange, Ticket
from tickets.schedules.applying import confirm
from tickets.schedules.job import go_on
from tickets.schedules.proposing import propose_closure, propose_undo
from tickets.search import indexing
from tickets.workflow import sweeps
from tickets.workflow.intake import Requester, file_ticket

from .acting import People
from .mailing import CountingServer

SERVER = "demo.simulation.mailing.CountingServer"
FAILING = 0.03
SWEEP_EVERY = timedelta(hours=1)
BUSY = (1, 1, 1, 1, 1, 1, 2, 6, 14, 16, 14, 11, 7, 9, 12, 12, 9, 7, 5, 4, 3, 3, 2, 1)
"""How many tickets arrive in each hour of a day, one beside the other."""
WEEKDAYS = (14, 13, 12, 12, 11, 4, 3)
WORK, CUSTOMERS = timedelta(hours=2), timedelta(hours=5)
"""The median time until somebody of the desk acts, and until a customer does."""
ACTS_AT_MOST = 40
CLOSES_EVERY = 12
"""Every how many days the office closes for some hours without notice. Half of the closures are taken back."""
PLAIN = ("Necesito ayuda con mi solicitud", "Me pasa desde ayer y no sé qué más intentar.")
PROCESSES = {
    "soporte-con-aprobacion": 30,
    "incidencia-tecnica": 25,
    "solicitud-guiada": 15,
    "reporte-de-incidentes": 15,
    "reparacion-de-dispositivo": 15,
}


class Simulation:
    """Files `tickets` over `days` that end now, and lets people work on them. `now` is where its clock stands.

    A time that is `plain` has no holidays and no closures, so that it can be moved (`demo.replay.history`).
    """

    def __init__(
        self, *, days: int, tickets: int, seed: int, say: Callable[[str], None], plain: bool = False
    ) -> None:
        self.random, self.say, self.plain = Random(seed), say, plain  # noqa: S311  (no secret)
        self.until = timezone.now()
        self.begin = self.until - timedelta(days=days)
        self.days, self.count = days, tickets
        self.zone = ZoneInfo(settings.DESK_TIME_ZONE)
        self.agenda: list[tuple[datetime, int, Callable[[], None]]] = []
        self.number = 0
        self.acts: dict[int, int] = {}
        self.closures = self.taken_back = 0

    def run(self) -> None:
        """Run the whole time. What is left afterwards is for `checking`."""
        CountingServer.got.clear()
        CountingServer.failing, CountingServer.random = FAILING, self.random
        with (
            patch.object(settings, "DESK_NUDGE_WORKERS", new=False),
            patch.object(settings, "EMAIL_BACKEND", SERVER),
        ):
            with time_is(self.begin):
                self._prepare()
            for moment in self._arrivals():
                self._at(moment, self._file)
            moment = self.begin
            while moment < self.until:
                self._at(moment, self._sweep)
                moment += SWEEP_EVERY
            for moment in self._closures():
                self._at(moment, self._close)
            self._work_off()
            CountingServer.failing = 0.0
            self._end()

    def _prepare(self) -> None:
        users = load_desk(holidays_from=(self.until if self.plain else self.begin).date())
        processes = {process.key: process for process in Process.objects.select_related("current")}
        departments = {department.key: department for department in Department.objects.all()}
        self.world = World(now=self.begin, users=users, processes=processes, departments=departments)
        self.people = People(self.world, self.random)
        self.stories: dict[str, list[tuple[str, str, str]]] = {}
        for story in STORIES:  # what customers of the demo report
            self.stories.setdefault(story.process, []).append((story.category, story.title, story.text))
        self.customers = [user for user in users.values() if not user.is_desk_staff]
        self.supervisor = users["supervisor"]

    def _arrivals(self) -> list[datetime]:
        hours = [self.begin + timedelta(hours=hour) for hour in range(24 * self.days)]
        local = [hour.astimezone(self.zone) for hour in hours]
        weights = [BUSY[hour.hour] * WEEKDAYS[hour.weekday()] for hour in local]
        chosen = self.random.choices(hours, weights, k=self.count)
        return sorted(hour + timedelta(seconds=self.random.randrange(3600)) for hour in chosen)

    def _closures(self) -> list[datetime]:
        """Return when somebody says that the office closes: in the morning of a working day."""
        count = 0 if self.plain else -(-self.days // CLOSES_EVERY)
        days = (self.begin + timedelta(days=self.random.randrange(self.days)) for _n in range(count))
        mornings = (day.astimezone(self.zone).replace(hour=10, minute=0) for day in days)
        return [day - timedelta(days=max(0, day.weekday() - 4)) for day in mornings]

    def _close(self) -> None:
        """Close the office for some hours, and open it again on half of such days."""
        start = self.now.astimezone(self.zone).replace(tzinfo=None, second=0, microsecond=0)
        office = Calendar.objects.select_related("current").get(key=hours.KEY)
        try:
            change = propose_closure(
                office,
                actor=self.supervisor,
                start=start,
                end=start + timedelta(hours=5),
                name="Corte de luz",
            )
        except InvalidData:  # a holiday, or closed already
            return
        self._confirm(change)
        self.closures += 1
        if self.closures % 2 == 0:
            self._at(self.now + timedelta(hours=1), lambda: self._take_back(change))

    def _take_back(self, change: ScheduleChange) -> None:
        change.refresh_from_db()
        self._confirm(propose_undo(change, actor=self.supervisor))
        self.taken_back += 1

    def _confirm(self, change: ScheduleChange) -> None:
        done = go_on(confirm(change, actor=self.supervisor), seconds=600)
        if done.state != ChangeState.APPLIED:
            raise RuntimeError(f"the change of hours is {done.state}")

    def _at(self, moment: datetime, act: Callable[[], None]) -> None:
        if moment < self.until:
            self.number += 1
            heapq.heappush(self.agenda, (moment, self.number, act))

    def _work_off(self) -> None:
        day = None
        while self.agenda:
            moment, _number, act = heapq.heappop(self.agenda)
            if (today := moment.astimezone(self.zone).date()) != day:
                day = today
                self.say(f"{day}: {len(self.acts)} tickets")
            self.now = moment
            with time_is(moment):
                act()

    def _sweep(self) -> None:
        """Do what the scheduler does."""
        sweeps.breach_overdue()
        sweeps.give_notice()
        sweeps.act_on_silence()
        delivery.drain()
        if self.now.hour % 6 == 0:
            counting.count_dirty()
            indexing.index_changed()

    def _end(self) -> None:
        """Let the mail server take what is left, count all days, write all words."""
        for later in range(1, 200, 8):
            with time_is(self.until + timedelta(hours=later)):
                if not delivery.drain():
                    break
        counting.count_dirty(seconds=600)
        indexing.index_changed(seconds=600)

    def _file(self) -> None:
        key = self.random.choices(list(PROCESSES), list(PROCESSES.values()))[0]
        process = self.world.processes[key]
        told = self.random.choice(self.stories.get(key) or [("", *PLAIN)])
        category = next((each for each in process.categories.all() if each.key == told[0]), None)
        customer = self.random.choice(self.customers)
        is_guest = process.definition.login == "guest" and self.random.random() < 0.4
        fields = {
            field.key: self.people.answer(field)
            for field in process.definition.intake_fields(category.key if category else "")
            if field.required or field.shown_when
        }
        try:
            ticket = file_ticket(
                process,
                actor=None if is_guest else customer,
                requester=Requester(email=f"invitado{self.number}@demo.test", name="Invitado")
                if is_guest
                else None,
                category=category,
                title=told[1],
                description=told[2],
                phone=customer.phone or "0212 555 0101",
                fields=fields,
            )
        except DeskError as refusal:
            raise RuntimeError(
                f"{key} cannot be filed: {refusal} {getattr(refusal, 'errors', '')}"
            ) from refusal
        self.acts[ticket.pk] = 0
        self._at(self._next(WORK), self._act_on(ticket.pk))

    def _act_on(self, pk: int) -> Callable[[], None]:
        def act() -> None:
            self.acts[pk] += 1
            self.people.act(pk)
            ticket = Ticket.objects.get(pk=pk)
            goes_on = self.acts[pk] < ACTS_AT_MOST and (ticket.is_open or self.random.random() < 0.4)
            if goes_on:
                median = CUSTOMERS if ticket.awaits_requester or not ticket.is_open else WORK
                self._at(self._next(median), self._act_on(pk))

        return act

    def _next(self, median: timedelta) -> datetime:
        """Return when somebody acts who takes this long in half of the cases: at night seldom."""
        moment = self.now + median * self.random.lognormvariate(0, 1)
        local = moment.astimezone(self.zone)
        if not 7 <= local.hour < 20 and self.random.random() < 0.8:
            morning = local.replace(hour=8, minute=self.random.randrange(60))
            moment = morning + timedelta(days=1 if local.hour >= 20 else 0)
        return max(moment, self.now + timedelta(minutes=1))
