"""The frozen values that describe a process. `parser` makes them from a file and nothing changes them afterwards.

Code and process files refer to things by `key`, a slug. People read `Text`, which holds one text per language.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from django.utils.html import escape
from django.utils.translation import get_language

from ..calendars import CalendarRules, Target
from ..enums import CaseKind, MessageKind, Severity, StageKind


@dataclass(frozen=True)
class Text:
    """One text in Spanish and, optionally, in English. `str()` returns the English one if it exists and English is
    active, else the Spanish one."""

    es: str
    en: str = ""

    def __str__(self) -> str:
        return self.en if self.en and (get_language() or "es").startswith("en") else self.es

    def __bool__(self) -> bool:
        return bool(self.es)

    def __html__(self) -> str:
        return escape(str(self))


NO_TEXT = Text("")


@dataclass(frozen=True)
class Who:
    """A person or set of people as process files write them: `requester`, `assignee`, `role:agent`,
    `department:cca`, `group:evaluador` …"""

    kind: str
    name: str = ""

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}" if self.name else self.kind

    @property
    def opens_sight(self) -> bool:
        """Whether this may include people who would not see the ticket otherwise."""
        if self.kind == "role":
            return self.name == "agent"
        return bool(self.name)


@dataclass(frozen=True)
class When:
    """A condition on the ticket: a name from `CONDITIONS`, or `field.<key>` with the expected value; may be negated."""

    name: str
    value: str = ""
    negated: bool = False

    @property
    def field(self) -> str:
        """The key of the custom field that is compared. Empty when the condition is a name from `CONDITIONS`."""
        return self.name.removeprefix("field.") if self.name.startswith("field.") else ""


@dataclass(frozen=True)
class Option:
    key: str
    label: Text
    icon: str = ""
    """An icon beside the option, where it is drawn as a card. Empty: none."""


@dataclass(frozen=True)
class FieldDefinition:
    """A custom field of the process. The requester fills it when filing if `filled_by` is `requester`; otherwise staff
    fill it when an action asks for it."""

    key: str
    label: Text
    type: str
    help: Text = NO_TEXT
    placeholder: Text = NO_TEXT
    required: bool = False
    options: tuple[Option, ...] = ()
    filled_by: str = "requester"
    categories: tuple[str, ...] = ()
    shown_when: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    max_length: int | None = None
    minimum: float | None = None
    maximum: float | None = None
    days: str = ""
    """Which days a `date` accepts: `past`, up to today; `future`, from today on. Empty: all."""
    pattern: str = ""
    pattern_help: Text = NO_TEXT
    prefill: str = ""
    """What the answer begins with, if the desk knows it: `app_version`, for people from an app. Empty: nothing."""
    sets: str = ""
    """The ticket column that stores the answer (`severity`). Empty: the answer is kept in `Ticket.fields`."""

    def option_label(self, key: str) -> str:
        """Return the label of option `key`, or `key` itself if the field no longer has that option."""
        return next((str(option.label) for option in self.options if option.key == key), key)


@dataclass(frozen=True)
class CategoryDefinition:
    key: str
    label: Text
    description: Text = NO_TEXT
    notice: Text = NO_TEXT
    icon: str = "question-circle"
    department: str = ""
    case_kind: CaseKind = CaseKind.PROBLEM
    severity: Severity = Severity.MEDIUM
    login: str = ""
    """Whether one needs an account to ask for this: `required` or `guest`. Empty: as the process says."""
    synonyms: tuple[str, ...] = ()
    """Words and phrases with which people search for this."""


@dataclass(frozen=True)
class Stage:
    key: str
    label: Text
    kind: StageKind
    owner: Who
    progress: int
    clock: str
    """Whether the clocks run, pause or stop in this stage: `runs`, `pauses` or `stops`. If the ticket goes back to work
    from where they stop, the resolution clock continues with the time it had left."""
    public_label: Text = NO_TEXT
    notice: Text = NO_TEXT
    """The text that the requester reads on the ticket's page while the ticket is in this stage."""
    outlook: Text = NO_TEXT
    """What will happen in this stage, for people who have not filed yet («Qué pasa después»)."""

    @property
    def is_end(self) -> bool:
        return self.kind.meta.is_end

    @property
    def customer_label(self) -> str:
        """The stage's name in the list of steps that the customer sees."""
        return str(self.public_label or self.label)


@dataclass(frozen=True)
class Ask:
    """A field that an action's form shows: a standard one (`assignee`, `due_at` …) or a custom field of the process."""

    field: str
    required: bool = True
    label: Text = NO_TEXT
    help: Text = NO_TEXT
    by_guard: bool = False
    """Whether a guard that refuses now asks for it, and not the process file. Then it is shown even if its
    `shown_when` does not hold."""


@dataclass(frozen=True)
class Notify:
    to: Who
    template: str


@dataclass(frozen=True)
class Call:
    """The name of a guard or an effect, and its argument after the colon if it takes one (`post_response:R4`)."""

    name: str
    argument: str = ""

    def __str__(self) -> str:
        return f"{self.name}:{self.argument}" if self.argument else self.name


@dataclass(frozen=True)
class Action:
    """Moves a ticket from one of the stages `sources` to the stage `to`; an empty `to` keeps the stage. The people in
    `by` click it, or the trigger `on` fires it."""

    key: str
    label: Text
    sources: tuple[str, ...]
    to: str = ""
    by: tuple[Who, ...] = ()
    on: str = ""
    after_days: int = 0
    within_days: int = 0
    """Actions that leave an end stage: the number of days after closing in which they can be performed. 0 means that
    there is no limit."""
    when: tuple[When, ...] = ()
    asks: tuple[Ask, ...] = ()
    guards: tuple[Call, ...] = ()
    effects: tuple[Call, ...] = ()
    notify: tuple[Notify, ...] = ()
    description: Text = NO_TEXT
    style: str = "secondary"
    confirm: Text = NO_TEXT
    done: Text = NO_TEXT
    event: Text = NO_TEXT

    @property
    def needs_account(self) -> bool:
        """Whether the requester must have an account before the action is performed (S2.26).

        True if the action has the guard `requester_has_account` or requires an answer to `standing`, which is stored on
        an account. False if it also requires an answer to `requester`, because that answer sets the account.
        """
        asked = {ask.field for ask in self.asks if ask.required}
        guarded = any(guard.name == "requester_has_account" for guard in self.guards)
        return "requester" not in asked and (guarded or "standing" in asked)


@dataclass(frozen=True)
class ChecklistItem:
    key: str
    label: Text
    by: tuple[Who, ...] = ()
    """Who may tick the item. Empty: all staff who may see the ticket."""
    needs: str = ""
    """The evidence required before the item can be ticked: none (empty), a logged call (`call`) or a logged WhatsApp
    conversation with its URL (`whatsapp`)."""


@dataclass(frozen=True)
class Closing:
    """Who approves the closing, which checklist comes before it, whether a survey follows, and what a reply does that
    comes after it (T3)."""

    approver: str = "staff"
    survey: bool = False
    late_reply: str = "keep"
    """What happens to a reply after the end that no action takes up: `new_ticket` files a linked ticket, `keep` leaves
    it on the closed ticket, for staff to read in their queue «Respuestas en cerrados»."""
    checklist: tuple[ChecklistItem, ...] = ()


@dataclass(frozen=True)
class Retention:
    """How many days after the end of a ticket it is kept, and parts of it: its files, what is known about its mails,
    and its history. 0 means for ever. The current version of a process decides for all its tickets."""

    tickets: int = 0
    files: int = 0
    mails: int = 0
    events: int = 0

    @property
    def shortest(self) -> int:
        """The least number of days after which something is deleted. 0 if nothing is."""
        return min(filter(None, (self.tickets, self.files, self.mails, self.events)), default=0)


@dataclass(frozen=True)
class FileLimits:
    """Limits on the files of one message: their kinds, their number, and the size of each in MB (T4)."""

    kinds: tuple[str, ...] = ("image", "document")
    max_files: int = 5
    max_mb: int = 10


@dataclass(frozen=True)
class SpecialTargets:
    """Promised times of a category, of the customers of a kind, or of both together. An empty key fits every ticket."""

    category: str = ""
    customer_kind: str = ""
    first_response: Target | None = None
    next_reply: Target | None = None
    progress: Target | None = None
    resolution: Target | None = None

    @property
    def all(self) -> Iterator[Target]:
        yield from filter(None, (self.first_response, self.next_reply, self.progress, self.resolution))

    def fits(self, *, category: str, customer_kind: str) -> bool:
        return self.category in ("", category) and self.customer_kind in ("", customer_kind)


@dataclass(frozen=True)
class Targets:
    """Promised times for the four clocks, by severity or case kind (S0.19, S0.21, S2.33, S2.34). The target of the
    severity wins over the target of the case kind, and the first of `special` that fits wins over both."""

    calendar: str = ""
    """The key of the calendar that counts the targets which are not elapsed time."""
    first_response: Mapping[str, Target] = field(default_factory=dict)
    next_reply: Mapping[str, Target] = field(default_factory=dict)
    progress: Mapping[str, Target] = field(default_factory=dict)
    resolution: Mapping[str, Target] = field(default_factory=dict)
    special: tuple[SpecialTargets, ...] = ()
    warn_assignee: int = 75
    """The percentage of a target after which the assignee is warned; 0 for never."""
    warn_managers: int = 90
    """The percentage after which those in charge of the department are warned too; 0 for never."""

    def find(
        self, kind: str, *, severity: str, case_kind: str, category: str = "", customer_kind: str = ""
    ) -> Target | None:
        """Return what is promised for a `ClockKind` to a ticket with these values; None if nothing is."""
        for special in self.special:
            target: Target | None = getattr(special, kind)
            if target and special.fits(category=category, customer_kind=customer_kind):
                return target
        own: Mapping[str, Target] = getattr(self, kind)
        return own.get(severity) or own.get(case_kind)

    @property
    def all(self) -> Iterator[Target]:
        for targets in (self.first_response, self.next_reply, self.progress, self.resolution):
            yield from targets.values()
        for special in self.special:
            yield from special.all


@dataclass(frozen=True)
class Response:
    """A standard answer (S2.13). An action posts it with the effect `post_response`; if no action does, the composer
    offers it whenever its `stages` and `when` match the ticket."""

    key: str
    label: Text
    body: Text
    kind: MessageKind = MessageKind.FOLLOW_UP
    asks: bool = False
    """Whether the text asks the requester for something. If it does not, its mail does not say so either."""
    stages: tuple[str, ...] = ()
    when: tuple[When, ...] = ()


@dataclass(frozen=True)
class Need:
    """A department, group or customer kind that the process refers to. Publishing the process creates it if it does
    not exist."""

    key: str
    label: Text
    while_empty: str = ""
    """Groups only: `staff` lets all staff who may see the ticket act for the group as long as it has no active
    member (S4.15)."""


@dataclass(frozen=True)
class CalendarNeed:
    """A calendar that the process describes. Publishing creates it if the desk has none with this key; afterwards it is
    the desk's."""

    key: str
    label: Text
    rules: CalendarRules


@dataclass(frozen=True)
class Definition:
    """One version of a process: its stages, actions, fields, texts, targets and limits."""

    key: str
    name: Text
    stages: tuple[Stage, ...]
    actions: tuple[Action, ...]
    description: Text = NO_TEXT
    login: str = "guest"
    queue: str = "due"
    department: str = ""
    severity_label: Text = NO_TEXT
    submit_label: Text = NO_TEXT
    title_label: Text = NO_TEXT
    title_help: Text = NO_TEXT
    description_label: Text = NO_TEXT
    description_help: Text = NO_TEXT
    questions_label: Text = NO_TEXT
    title_from: tuple[str, ...] = ()
    """The fields whose answers make the title when nobody wrote one. Then requesters are not asked for a title."""
    phone: str = "optional"
    on_home: bool = False
    """Whether the home page carries the form of the process's first category (S1.6). Of several processes that say so,
    the first in the desk's order wins."""
    home_title: Text = NO_TEXT
    home_text: Text = NO_TEXT
    check_standing: bool = False
    solution_from: tuple[StageKind, ...] = (
        StageKind.WORK,
        StageKind.VERIFICATION,
        StageKind.CLOSURE_APPROVAL,
    )
    on_filed: tuple[Notify, ...] = ()
    closing: Closing = Closing()
    files: FileLimits = FileLimits()
    targets: Targets = Targets()
    retention: Retention = Retention()
    categories: tuple[CategoryDefinition, ...] = ()
    fields: tuple[FieldDefinition, ...] = ()
    responses: tuple[Response, ...] = ()
    departments: tuple[Need, ...] = ()
    groups: tuple[Need, ...] = ()
    customer_kinds: tuple[Need, ...] = ()
    calendars: tuple[CalendarNeed, ...] = ()

    @cached_property
    def _stages(self) -> dict[str, Stage]:
        return {stage.key: stage for stage in self.stages}

    @cached_property
    def _actions(self) -> dict[str, Action]:
        return {action.key: action for action in self.actions}

    @cached_property
    def _fields(self) -> dict[str, FieldDefinition]:
        return {item.key: item for item in self.fields}

    @property
    def first_stage(self) -> Stage:
        return self.stages[0]

    def stage(self, key: str) -> Stage:
        return self._stages[key]

    def find_stage(self, key: str) -> Stage | None:
        """Return the stage with this key; None if this version has none, as after a change of the process."""
        return self._stages.get(key)

    def action(self, key: str) -> Action | None:
        return self._actions.get(key)

    def field(self, key: str) -> FieldDefinition | None:
        return self._fields.get(key)

    def category(self, key: str) -> CategoryDefinition | None:
        return next((category for category in self.categories if category.key == key), None)

    def login_for(self, category: str) -> str:
        """Return whether one needs an account to file a ticket of `category`: `required` or `guest` (T1)."""
        found = self.category(category)
        return (found.login if found else "") or self.login

    def response(self, key: str) -> Response | None:
        return next((response for response in self.responses if response.key == key), None)

    def group(self, key: str) -> Need | None:
        return next((group for group in self.groups if group.key == key), None)

    @property
    def people(self) -> Iterator[Who]:
        """Everybody whom the process gives something to do: owners of stages, and those who may act or tick an item."""
        yield from (stage.owner for stage in self.stages)
        for doers in (*(action.by for action in self.actions), *(item.by for item in self.closing.checklist)):
            yield from doers

    @cached_property
    def gives_turns(self) -> bool:
        """Whether the process names people who may see its tickets only because it is their turn."""
        return any(who.opens_sight for who in self.people)

    @cached_property
    def posted_responses(self) -> frozenset[str]:
        """The keys of the standard answers that actions post."""
        return frozenset(
            effect.argument
            for action in self.actions
            for effect in action.effects
            if effect.name == "post_response"
        )

    def actions_from(self, stage: str) -> Iterator[Action]:
        """Return the actions that can be clicked in `stage`, in the order of the file. Triggered ones are left out."""
        return (action for action in self.actions if stage in action.sources and not action.on)

    def triggered(self, stage: str, trigger: str) -> Iterator[Action]:
        """Return the actions that `trigger` fires in `stage`, in the order of the file."""
        return (action for action in self.actions if stage in action.sources and action.on == trigger)

    def next_silence(self, stage: str, *, after: int = 0) -> int:
        """Return the days of the requester's silence after which the next `silence` action fires in `stage`.

        That is the smallest `after_days` above `after`, or 0 if no action has one.
        """
        days = (action.after_days for action in self.triggered(stage, "silence"))
        return min((count for count in days if count > after), default=0)

    def end_of_silence(self, stage: str) -> Action | None:
        """Return the action that goes on without the requester's answer, the earliest that leaves `stage`; None if
        none does."""
        leaving = (action for action in self.triggered(stage, "silence") if action.to not in ("", stage))
        return min(leaving, key=lambda action: action.after_days, default=None)

    def intake_fields(self, category: str = "") -> tuple[FieldDefinition, ...]:
        """Return the fields that a requester who chose `category` fills when filing."""
        return tuple(
            item
            for item in self.fields
            if item.filled_by == "requester" and (not item.categories or category in item.categories)
        )

    @cached_property
    def customer_steps(self) -> tuple[Stage, ...]:
        """The steps that a customer is told to expect: the stages of the main road, and of those with the same customer
        label only the first."""
        steps: dict[str, Stage] = {}
        for stage in self.main_road:
            steps.setdefault(stage.customer_label, stage)
        return tuple(steps.values())

    @cached_property
    def main_road(self) -> tuple[Stage, ...]:
        """The stages that most tickets pass, from the first to the end: in each the way onward is its first main
        action, one in primary or success style, or else its first other action.

        Side roads are left out: waiting for an answer, another team, an appeal, a rejection.
        """
        road, ways, seen = [self.first_stage], [self._ways_from(self.first_stage.key)], {self.first_stage.key}
        while road and road[-1].kind != StageKind.DONE:
            action = next((action for action in ways[-1] if action.to not in seen), None)
            if action is None:
                road.pop()
                ways.pop()
                continue
            stage = self.stage(action.to)
            seen.add(stage.key)
            if stage.kind == StageKind.DONE or not stage.is_end:
                road.append(stage)
                ways.append(self._ways_from(stage.key))
        return tuple(road) or (self.first_stage,)

    def _ways_from(self, stage: str) -> Iterator[Action]:
        """Return the actions that lead from `stage` to another, main actions first."""
        return iter(sorted((a for a in self.actions if stage in a.sources and a.to), key=_side_road))


def _side_road(action: Action) -> tuple[bool, bool, bool]:
    """Return a sort key: main actions first, then other clicks of staff, then the requester's, then triggers and
    dangerous ones."""
    by_requester = bool(action.by) and all(who.kind == "requester" for who in action.by)
    return (
        action.style not in ("primary", "success"),
        bool(action.on) or action.style == "danger",
        by_requester,
    )
