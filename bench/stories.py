"""Make the rows of one ticket from its number, following the actions of its process.

The rows are built directly, because the verbs would take hours. Columns that pages read have the values that the verbs
would write.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from types import SimpleNamespace
from typing import Any, cast

from accounts.models import User
from bench.desk import Desk, Line, Story
from bench.words import FIRST_NAMES, RARE, RARE_EVERY, RARE_FIRST, SENTENCES, SURNAMES, TITLES
from content.text import plain_excerpt
from notifications.enums import Audience, MailState
from notifications.models import OutgoingEmail
from notifications.outgoing.outbox import MAIL_KEPT_FOR
from tickets import clocks
from tickets.definitions.definition import Action, Definition, Stage
from tickets.enums import (
    Channel,
    ClockKind,
    DeliveryState,
    EventKind,
    MessageKind,
    Severity,
    StageKind,
    Template,
)
from tickets.facts.replay import replay
from tickets.models import (
    Attachment,
    Breach,
    Clock,
    Delivery,
    Message,
    Pause,
    Survey,
    Ticket,
    TicketEvent,
    Turn,
)
from tickets.record.turns import names_of
from tickets.search.indexing import values_of

OPEN_SHARE, GUESTS = 0.15, 0.2
OPEN_DAYS, CLOSED_DAYS = 5.7, 730
# How often an open ticket is in a stage of each kind. Most are in progress or new.
OPEN_WEIGHTS = {
    StageKind.NEW: 20,
    StageKind.EVALUATION: 8,
    StageKind.PREPARATION: 8,
    StageKind.WORK: 42,
    StageKind.WAITING_CUSTOMER: 12,
    StageKind.WAITING_INTERNAL: 4,
    StageKind.VERIFICATION: 6,
    StageKind.CLOSURE_APPROVAL: 10,
}
SEVERITIES = {Severity.CRITICAL: 4, Severity.HIGH: 16, Severity.MEDIUM: 55, Severity.LOW: 25}


def tell(number: int, desk: Desk) -> Story:
    """Return the unsaved rows of ticket `number`. The same number and desk give the same ticket."""
    rng = Random(number)
    line = rng.choices(desk.lines, [line.weight for line in desk.lines])[0]
    is_archived = desk.is_for_archive(number)
    is_open = is_archived or rng.random() < OPEN_SHARE
    category = rng.choice(line.categories)
    customer = _requester(number, desk, line, rng)
    created = desk.now - timedelta(
        days=rng.uniform(0.01, OPEN_DAYS) if is_open else rng.uniform(3, CLOSED_DAYS)
    )
    until = desk.now if is_open else min(desk.now, created + timedelta(hours=rng.uniform(1, 200)))
    severity = rng.choices(list(SEVERITIES), list(SEVERITIES.values()))[0]
    department = desk.archive.pk if is_archived else category.department_id or next(iter(desk.staff))
    word = f" {RARE}" if number % RARE_EVERY == RARE_FIRST else ""
    ticket = Ticket(
        pk=number + 1,
        process_version=line.version,
        by_arrival=line.version.definition.queue == "arrival",
        category=category,
        department_id=department,
        title=f"{rng.choice(TITLES)}{word} ({number})"[:160],
        requester=customer if customer.pk else None,
        requester_name=customer.name,
        requester_email=customer.email,
        case_kind=category.case_kind,
        severity=severity,
        standing_checked_at=created,
        created_at=created,
        silence_since=created,
        last_requester_message_at=created,
    )
    story = Story(ticket)
    staff = rng.choice(desk.staff.get(department) or next(iter(desk.staff.values())))
    teller = _Teller(story, line, customer, staff, rng, created, until, desk.now)
    teller.tell(_target(line.definition, is_open, rng))
    if told := replay(ticket, story.events, desk.calendars):
        story.visits = told.visits
        told.write(ticket)
    story.answers = list(values_of(ticket))
    story.number_rows()
    return story


def _requester(number: int, desk: Desk, line: Line, rng: Random) -> User:
    """Return a customer, or a user who is not saved and stands for a guest where the process has guests."""
    if line.definition.login == "guest" and rng.random() < GUESTS:
        name = f"{rng.choice(FIRST_NAMES)} {rng.choice(SURNAMES)}"
        return User(name=name, email=f"invitado{number}@bench.test")
    return desk.customers[int(rng.random() ** 2 * len(desk.customers))]  # some have many


def _target(definition: Definition, is_open: bool, rng: Random) -> Stage:
    if is_open:
        stages = [stage for stage in definition.stages if not stage.is_end]
        return rng.choices(stages, [OPEN_WEIGHTS[stage.kind] for stage in stages])[0]
    ends = [stage for stage in definition.stages if stage.is_end]
    return rng.choices(ends, [12 if stage.kind == StageKind.DONE else 1 for stage in ends])[0]


@dataclass
class _Teller:
    story: Story
    line: Line
    customer: User
    staff: User
    rng: Random
    created: datetime
    until: datetime
    now: datetime

    @property
    def definition(self) -> Definition:
        return self.line.definition

    def tell(self, target: Stage) -> None:
        ticket = self.story.ticket
        self._stand(self.definition.first_stage, self.created)
        self._event(EventKind.FILED, self.created, by=self.customer, public=True)
        self._say(MessageKind.REPORT, self.created, sentences=4, event=False)
        steps = list(self._steps(target))
        moments = sorted(self.rng.random() for _ in steps)
        for step, moment in zip(steps, moments, strict=True):
            at = self.created + (self.until - self.created) * moment
            if isinstance(step, Action):
                self._move(step, at)
            else:
                self._say(step, at, sentences=self.rng.randint(1, 3))
        self._clocks()
        ticket.excerpt = plain_excerpt(self.story.messages[0].body, 200)
        if ticket.closed_at and self.rng.random() < 0.4:
            score = self.rng.choices((1, 2, 3, 4, 5), (1, 1, 2, 5, 8))[0]
            self.story.surveys.append(Survey(ticket=ticket, score=score, answered_at=ticket.closed_at))
        self._turns()

    def _steps(self, target: Stage) -> Iterator[Action | MessageKind]:
        """Yield the actions that lead to the `target` stage, the messages in between, and some replies of the
        requester."""
        first = self.definition.first_stage.key
        work = next((stage.key for stage in self.definition.stages if stage.kind == StageKind.WORK), first)
        to_work, on = self.line.road(first, work), self.line.road(work, target.key)
        if target.key == first or to_work is None or on is None:
            yield from self.line.road(first, target.key) or ()
            return
        yield from to_work
        for _turn in range(self.rng.choice((0, 1, 1, 2))):
            yield MessageKind.FOLLOW_UP
            yield from self._there_and_back(work)
        if self.rng.random() < 0.5:
            yield MessageKind.NOTE
        if target.is_end or target.kind == StageKind.CLOSURE_APPROVAL:
            yield MessageKind.SOLUTION
        yield from on

    def _there_and_back(self, work: str) -> Iterator[Action | MessageKind]:
        """Yield the actions from `work` to the waiting stage and back around a reply, or only the reply."""
        waiting = next((s.key for s in self.definition.stages if s.kind == StageKind.WAITING_CUSTOMER), "")
        there, back = self.line.road(work, waiting), self.line.road(waiting, work)
        if not waiting or not there or not back or self.rng.random() < 0.4:
            yield MessageKind.REPLY
            return
        yield from there
        yield MessageKind.REPLY
        yield from back

    def _move(self, action: Action, at: datetime) -> None:
        ticket, before = self.story.ticket, self.story.ticket.stage
        stage = self.definition.stage(action.to)
        if ticket.assignee_id is None and stage.kind not in (StageKind.NEW, StageKind.EVALUATION):
            ticket.assignee = self.staff
            ticket.difficulty = self.rng.randint(1, 5)
        by = self.customer if stage.kind == StageKind.DONE else self.staff
        paused_since = ticket.stage_since if ticket.is_paused else None
        self._stand(stage, at)
        self._event(
            EventKind.STAGE_CHANGED,
            at,
            by=by,
            public=True,
            action=action.key,
            data={"from": before, "to": stage.key},
        )
        if paused_since is not None and at > paused_since:
            self.story.pauses.append(Pause(started_at=paused_since, ended_at=at, stage=before))

    def _stand(self, stage: Stage, at: datetime) -> None:
        """Set the ticket's stage and the columns that depend on it."""
        ticket = self.story.ticket
        ticket.stage, ticket.stage_kind, ticket.stage_since = stage.key, stage.kind, at
        ticket.public_state, ticket.progress = stage.kind.meta.public_state, stage.progress
        ticket.is_paused = stage.clock == "pauses"
        ticket.contribution_open = stage.kind == StageKind.WAITING_CUSTOMER
        ticket.closed_at = at if stage.is_end else None
        ticket.updated_at = ticket.silence_since = at
        silence = self.definition.end_of_silence(stage.key)
        ticket.silence_due_at = at + timedelta(days=silence.after_days) if silence else None

    def _say(self, kind: MessageKind, at: datetime, *, sentences: int, event: bool = True) -> None:
        ticket = self.story.ticket
        from_requester = kind in (MessageKind.REPORT, MessageKind.REPLY)
        author = self.customer if from_requester else self.staff
        message = Message(
            ticket=ticket,
            kind=kind,
            author=_account(author),
            author_name=author.name,
            from_requester=from_requester,
            body="\n\n".join(self.rng.sample(SENTENCES, sentences)),
            created_at=at,
        )
        self.story.messages.append(message)
        if self.rng.random() < 0.06:
            self._attach(message)
        if kind == MessageKind.SOLUTION:
            ticket.solution_done, ticket.solution_sent_at = message.body, at
        if not from_requester and message.is_public:
            ticket.last_staff_message_at = at
            ticket.first_response_at = ticket.first_response_at or at
        if event:
            public = message.is_public
            what = EventKind.MESSAGE if public else EventKind.NOTE
            self._event(what, at, by=author, public=public, message=message)
        else:
            self.story.events[-1].message = message

    def _attach(self, message: Message) -> None:
        digest = f"{self.rng.getrandbits(256):064x}"
        self.story.attachments.append(
            Attachment(
                ticket=self.story.ticket,
                message=message,
                uploader=message.author,
                name="captura.png",
                kind="image",
                content_type="image/png",
                size=self.rng.randint(20_000, 900_000),
                sha256=digest,
                file=f"attachments/{digest[:2]}/{digest[:32]}",
                created_at=message.created_at,
            )
        )

    def _event(
        self,
        kind: EventKind,
        at: datetime,
        *,
        by: User,
        public: bool,
        action: str = "",
        data: dict[str, Any] | None = None,
        message: Message | None = None,
    ) -> None:
        ticket = self.story.ticket
        ticket.version += 1
        if public:
            ticket.public_version += 1
            ticket.updated_at = at
        event = TicketEvent(
            ticket=ticket,
            kind=kind,
            action=action,
            actor=_account(by),
            actor_name=by.name,
            is_public=public,
            data=data if data is not None else {"to": ticket.stage, "channel": Channel.WEB},
            message=message,
            version=ticket.version,
            at=at,
        )
        self.story.events.append(event)
        if public and (by is self.staff or kind == EventKind.FILED):
            self._mail(event, Template.RECEIVED if kind == EventKind.FILED else Template.REPLY)

    def _mail(self, event: TicketEvent, template: Template) -> None:
        ticket, at = self.story.ticket, event.at
        event.notify = [{"to": "requester", "template": template.value}]
        delivery = Delivery(
            event=event,
            template=template,
            to_requester=True,
            email=self.customer.email,
            state=DeliveryState.SENT,
            at=at,
        )
        self.story.deliveries.append(delivery)
        if self.now - at < MAIL_KEPT_FOR:
            self.story.mails.append(
                OutgoingEmail(
                    event=event,
                    ticket=ticket,
                    delivery=delivery,
                    template=template,
                    audience=Audience.REQUESTER,
                    recipient=self.customer.email,
                    user=_account(self.customer),
                    subject=ticket.title,
                    message_id=f"<{ticket.pk}.{event.version}@bench.test>",
                    state=MailState.SENT,
                    attempts=1,
                    next_attempt_at=at,
                    created_at=at,
                    sent_at=at,
                )
            )

    def _turns(self) -> None:
        """Write the turns that `record_turns` would leave. Only people who did an action can be asked for here."""
        ticket = self.story.ticket
        if not self.definition.gives_turns:
            return
        subject = SimpleNamespace(
            **vars(ticket),
            definition=self.definition,
            requester=None,
            acting_assignee=ticket.assignee,
            call_outcome="",
            missing_checklist_items=self.definition.closing.checklist,
        )

        def doers(action: str) -> list[int]:
            return [
                event.actor_id for event in self.story.events if event.action == action and event.actor_id
            ]

        names = names_of(cast("Any", subject), doers)
        self.story.turns = [Turn(ticket=ticket, who=name) for name in sorted(names)]

    def _clocks(self) -> None:
        ticket = self.story.ticket
        stops = {ClockKind.FIRST_RESPONSE: ticket.first_response_at, ClockKind.RESOLUTION: ticket.closed_at}
        wanted = {"severity": ticket.severity, "case_kind": ticket.case_kind}
        targets = {kind: self.definition.targets.find(kind, **wanted) for kind in stops}
        paused = sum((pause.ended_at - pause.started_at for pause in self.story.pauses), timedelta())
        for kind, target in targets.items():
            if target is None:
                continue
            due = self.created + target.amount + (paused if kind == ClockKind.RESOLUTION else timedelta())
            stopped = stops[kind] or ticket.closed_at
            is_late = due < (stopped or self.until)
            clock = Clock(
                ticket=ticket,
                kind=kind,
                target=target.amount,
                started_at=self.created,
                due_at=due,
                stopped_at=stopped,
                paused_at=ticket.stage_since if ticket.is_paused and stopped is None else None,
                breached_at=due if is_late else None,
            )
            self.story.clocks.append(clock)
            if is_late:
                self.story.breaches.append(Breach(ticket=ticket, kind=kind, due_at=due))
            if kind == ClockKind.RESOLUTION:
                ticket.due_at, ticket.is_escalated = due, is_late
                for pause in self.story.pauses:
                    pause.clock = clock
            else:
                ticket.first_response_due_at = due
        ticket.due_order = clocks.due_order(self.story.clocks)
        if ClockKind.RESOLUTION not in {clock.kind for clock in self.story.clocks}:
            self.story.pauses.clear()


def _account(user: User) -> User | None:
    """Return the user, or None for one who stands for a guest."""
    return user if user.pk else None
