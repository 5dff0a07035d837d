"""A process as the engine reads it: frozen values, made by `parser` from a file and never changed after.

Every key is a slug that code and files share; every `Text` is what people read, per language.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property

from django.utils.html import escape
from django.utils.translation import get_language

from ..enums import CaseKind, MessageKind, Severity, StageKind


@dataclass(frozen=True)
class Text:
    """Words in each language the process speaks; as a string, those of the active one (Spanish if it has none)."""

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
    """A person or set of people: `requester`, `assignee`, `role:agent`, `department:cca`, `group:evaluador` …"""

    kind: str
    name: str = ""

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}" if self.name else self.kind


@dataclass(frozen=True)
class When:
    """A condition on the ticket: a name from the registry, or a custom field's value; possibly negated."""

    name: str
    value: str = ""
    negated: bool = False

    @property
    def field(self) -> str:
        return self.name.removeprefix("field.") if self.name.startswith("field.") else ""


@dataclass(frozen=True)
class Option:
    key: str
    label: Text


@dataclass(frozen=True)
class FieldDefinition:
    """A question of the process. Requesters answer those filled by `requester` when filing; staff the others, when
    an action asks for them."""

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
    pattern: str = ""
    pattern_help: Text = NO_TEXT
    sets: str = ""
    """The ticket's own column that the answer goes to, instead of being kept as a custom field: `severity`."""

    def option_label(self, key: str) -> str:
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


@dataclass(frozen=True)
class Stage:
    key: str
    label: Text
    kind: StageKind
    owner: Who
    progress: int
    public_label: Text = NO_TEXT

    @property
    def is_end(self) -> bool:
        return self.kind.meta.is_end

    @property
    def customer_label(self) -> str:
        """The stage's name on the customer's own steps."""
        return str(self.public_label or self.label)


@dataclass(frozen=True)
class Ask:
    """A field that an action demands: a standard one (`assignee`, `due_at` …) or a custom one of the process."""

    field: str
    required: bool = True
    label: Text = NO_TEXT
    help: Text = NO_TEXT


@dataclass(frozen=True)
class Notify:
    to: Who
    template: str


@dataclass(frozen=True)
class Call:
    """A guard or an effect by name, with the word after the colon if it takes one (`post_response:R4`)."""

    name: str
    argument: str = ""

    def __str__(self) -> str:
        return f"{self.name}:{self.argument}" if self.argument else self.name


@dataclass(frozen=True)
class Action:
    """A way from some stages to another (or none: `to` empty keeps the stage). Clicked by those in `by`, or fired
    by the trigger `on`."""

    key: str
    label: Text
    sources: tuple[str, ...]
    to: str = ""
    by: tuple[Who, ...] = ()
    on: str = ""
    after_days: int = 0
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
        """Whether the requester must have an account before (S2.26): a guard wants it, or their standing is asked."""
        asked = {ask.field for ask in self.asks if ask.required}
        guarded = any(guard.name == "requester_has_account" for guard in self.guards)
        return "requester" not in asked and (guarded or "standing" in asked)


@dataclass(frozen=True)
class ChecklistItem:
    key: str
    label: Text
    needs: str = ""
    """What proves it: empty (a tick), `call` (a call on record) or `whatsapp` (a conversation's URL on record)."""


@dataclass(frozen=True)
class Closing:
    """T3: who closes, and what happens around it."""

    approver: str = "staff"
    survey: bool = False
    checklist: tuple[ChecklistItem, ...] = ()


@dataclass(frozen=True)
class FileLimits:
    """T4: what may be attached."""

    kinds: tuple[str, ...] = ("image", "document")
    max_files: int = 5
    max_mb: int = 10


@dataclass(frozen=True)
class Targets:
    """What is promised (S0.19, S2.33, S2.34). A severity's own target wins over its case kind's."""

    first_response: Mapping[str, timedelta] = field(default_factory=dict)
    resolution: Mapping[str, timedelta] = field(default_factory=dict)


@dataclass(frozen=True)
class Response:
    """A standard answer (S2.13): posted by an action, or else offered in the composer when it fits."""

    key: str
    label: Text
    body: Text
    kind: MessageKind = MessageKind.FOLLOW_UP
    stages: tuple[str, ...] = ()
    when: tuple[When, ...] = ()


@dataclass(frozen=True)
class Need:
    """Something of the desk's that the process counts on: a department, a group of people, a kind of customer. Made
    when the process is published, unless it is there already."""

    key: str
    label: Text
    while_empty: str = ""
    """Of a group nobody belongs to yet: `staff` when everybody on the ticket stands in for it (S4.15)."""


@dataclass(frozen=True)
class Definition:
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
    phone: str = "optional"
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
    categories: tuple[CategoryDefinition, ...] = ()
    fields: tuple[FieldDefinition, ...] = ()
    responses: tuple[Response, ...] = ()
    departments: tuple[Need, ...] = ()
    groups: tuple[Need, ...] = ()
    customer_kinds: tuple[Need, ...] = ()

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

    def action(self, key: str) -> Action | None:
        return self._actions.get(key)

    def field(self, key: str) -> FieldDefinition | None:
        return self._fields.get(key)

    def response(self, key: str) -> Response | None:
        return next((response for response in self.responses if response.key == key), None)

    def group(self, key: str) -> Need | None:
        return next((group for group in self.groups if group.key == key), None)

    @cached_property
    def posted_responses(self) -> frozenset[str]:
        """The standard answers that actions send by themselves."""
        return frozenset(
            effect.argument
            for action in self.actions
            for effect in action.effects
            if effect.name == "post_response"
        )

    def actions_from(self, stage: str) -> Iterator[Action]:
        """Those that a person may click in `stage`, in the file's order."""
        return (action for action in self.actions if stage in action.sources and not action.on)

    def triggered(self, stage: str, trigger: str) -> Iterator[Action]:
        return (action for action in self.actions if stage in action.sources and action.on == trigger)

    def next_silence(self, stage: str, *, after: int = 0) -> int:
        """After how many days (more than `after`) without a word from the requester something happens by itself; 0 for
        never."""
        days = (action.after_days for action in self.triggered(stage, "silence"))
        return min((count for count in days if count > after), default=0)

    def closes_after(self, stage: str) -> int:
        """After how many days without a word from the requester the ticket closes by itself; 0 for never."""
        silences = (action for action in self.triggered(stage, "silence") if action.to)
        return min((action.after_days for action in silences if self.stage(action.to).is_end), default=0)

    def intake_fields(self, category: str = "") -> tuple[FieldDefinition, ...]:
        """What a requester who chose `category` is asked."""
        return tuple(
            item
            for item in self.fields
            if item.filled_by == "requester" and (not item.categories or category in item.categories)
        )

    def resolution_target(self, *, severity: str, case_kind: str) -> timedelta | None:
        return self.targets.resolution.get(severity) or self.targets.resolution.get(case_kind)

    def first_response_target(self, *, severity: str, case_kind: str) -> timedelta | None:
        return self.targets.first_response.get(severity) or self.targets.first_response.get(case_kind)

    @cached_property
    def customer_steps(self) -> tuple[Stage, ...]:
        """The road a customer sees: the stages on the way to the first good end, ordered by progress, one for each
        label; side ends (rejected, cancelled) are left out."""
        steps: dict[str, Stage] = {}
        for stage in sorted(self.stages, key=lambda stage: stage.progress):
            if stage.kind in (StageKind.REJECTED, StageKind.CANCELLED):
                continue
            steps.setdefault(stage.customer_label, stage)
        return tuple(steps.values())
