"""Parse a process file into a `Definition`. docs/processes.md describes the format."""

import re
import tomllib

from django.utils.translation import gettext as _

from content.text import MAX_TEXT

from ..enums import CaseKind, MessageKind, Severity, StageKind
from ..vocabulary import TRIGGERS
from .definition import (
    Action,
    Ask,
    CalendarNeed,
    CategoryDefinition,
    ChecklistItem,
    Closing,
    Definition,
    FieldDefinition,
    FileLimits,
    Need,
    Notify,
    Option,
    Response,
    Retention,
    SpecialTargets,
    Stage,
    Targets,
)
from .lines import LineIndex
from .problems import DefinitionError, Problem
from .reader import Reader

FORMAT = 1
MAX_SOURCE = 300_000
MIN_DAYS_KEPT, MAX_DAYS_KEPT = 30, 36_500
FIELD_TYPES = (
    "text", "long_text", "choice", "multi_choice", "number", "date", "yes_no", "phone",
)  # fmt: skip
FILE_KINDS = ("image", "video", "document", "archive", "text")
RESPONSE_KINDS = (MessageKind.FOLLOW_UP.value, MessageKind.SOLUTION.value)
STYLES = ("primary", "success", "secondary", "danger")
TARGET_NAMES = (*Severity.values, *CaseKind.values)


def parse(source: str) -> tuple[Definition, LineIndex, list[Problem]]:
    """Parse the text of a process file. Return the definition, the line index and the problems found.

    Problems in the values are collected, so that the author sees all of them at once. Raises `DefinitionError` only
    for a text that is over `MAX_SOURCE`, is not valid TOML or is nested too deeply.
    """
    if len(source) > MAX_SOURCE:
        raise DefinitionError([Problem(1, "—", _("el archivo es demasiado grande"))])
    try:
        data = tomllib.loads(source)
        index = LineIndex(source)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"line (\d+)", str(error))
        last = source.count("\n") + 1  # tomllib says «at end of document» instead of a line number
        raise DefinitionError(
            [Problem(int(line[1]) if line else last, "—", _("no es TOML válido: %s") % error)]
        ) from error
    except ValueError as error:  # a number with thousands of digits
        raise DefinitionError([Problem(1, "—", _("no es TOML válido: %s") % error)]) from error
    except RecursionError as error:
        raise DefinitionError([Problem(1, "—", _("hay demasiados corchetes anidados"))]) from error
    problems: list[Problem] = []
    reader = Reader(data, (), index, problems)
    if reader.integer("format", 0) != FORMAT:
        reader.problem(_("se esperaba format = %d") % FORMAT, "format")
    definition = _definition(reader)
    reader.finish()
    return definition, index, problems


def _definition(r: Reader) -> Definition:
    intake = r.table("intake")
    answers = r.table("answers")
    targets = r.table("targets")
    files = r.table("files")
    definition = Definition(
        key=r.key(),
        name=r.text("name", required=True),
        description=r.text("description"),
        login=r.string("login", "guest", among=("required", "guest")),
        queue=r.string("queue", "due", among=("due", "arrival")),
        department=r.string("department"),
        severity_label=r.text("severity_label"),
        submit_label=intake.text("submit_label"),
        title_label=intake.text("title_label"),
        title_help=intake.text("title_help"),
        description_label=intake.text("description_label"),
        description_help=intake.text("description_help"),
        questions_label=intake.text("questions_label"),
        title_from=intake.strings("title_from"),
        phone=intake.string("phone", "optional", among=("hidden", "optional", "required")),
        on_home=intake.boolean("on_home"),
        home_title=intake.text("home_title"),
        home_text=intake.text("home_text"),
        on_filed=_notify(intake),
        check_standing=answers.boolean("check_standing"),
        solution_from=_solution_from(answers),
        closing=_closing(r.table("closing")),
        files=FileLimits(
            kinds=files.strings("kinds", among=FILE_KINDS) or FileLimits.kinds,
            max_files=files.integer("max_files", FileLimits.max_files, high=20),
            max_mb=files.integer("max_mb", FileLimits.max_mb, low=1, high=500),
        ),
        targets=Targets(
            calendar=targets.string("calendar"),
            first_response=targets.targets("first_response", TARGET_NAMES),
            next_reply=targets.targets("next_reply", TARGET_NAMES),
            progress=targets.targets("progress", TARGET_NAMES),
            resolution=targets.targets("resolution", TARGET_NAMES),
            special=tuple(_special_targets(table) for table in targets.tables("special")),
            warn_assignee=targets.integer("warn_assignee", Targets.warn_assignee, high=99),
            warn_managers=targets.integer("warn_managers", Targets.warn_managers, high=99),
        ),
        retention=_retention(r.table("retention")),
        categories=tuple(_category(table) for table in r.tables("categories")),
        fields=tuple(_field(table) for table in r.tables("fields")),
        stages=tuple(_stage(table) for table in r.tables("stages")),
        actions=tuple(_action(table) for table in r.tables("actions")),
        responses=tuple(_response(table) for table in r.tables("responses")),
        departments=tuple(_need(table) for table in r.tables("departments")),
        groups=tuple(_need(table, is_group=True) for table in r.tables("groups")),
        customer_kinds=tuple(_need(table) for table in r.tables("customer_kinds")),
        calendars=tuple(filter(None, (_calendar(table) for table in r.tables("calendars")))),
    )
    for table in (intake, answers, targets, files):
        table.finish()
    return definition


_STAGE_KINDS = tuple(StageKind.values)


def _solution_from(r: Reader) -> tuple[StageKind, ...]:
    """Return the kinds of stage in which staff may send a solution; the default if the file does not say.

    An empty list in the file means that only the process's own actions send solutions.
    """
    kinds = r.strings("solution_from", among=_STAGE_KINDS)
    if "solution_from" not in r.data:
        return Definition.solution_from
    return tuple(StageKind(kind) for kind in kinds)


def _closing(r: Reader) -> Closing:
    items = []
    for table in r.tables("checklist"):
        items.append(
            ChecklistItem(
                key=table.key(),
                label=table.text("label", required=True),
                by=table.whos("by"),
                needs=table.string("needs", among=("", "call", "whatsapp")),
            )
        )
        table.finish()
    closing = Closing(
        approver=r.string("approver", "staff", among=("staff", "requester", "validator")),
        survey=r.boolean("survey"),
        late_reply=r.string("late_reply", Closing.late_reply, among=("keep", "new_ticket")),
        checklist=tuple(items),
    )
    r.finish()
    return closing


def _retention(r: Reader) -> Retention:
    limits = {"low": MIN_DAYS_KEPT, "high": MAX_DAYS_KEPT}
    retention = Retention(
        tickets=r.integer("tickets", MIN_DAYS_KEPT, **limits) if "tickets" in r.data else 0,
        files=r.integer("files", MIN_DAYS_KEPT, **limits) if "files" in r.data else 0,
        mails=r.integer("mails", MIN_DAYS_KEPT, **limits) if "mails" in r.data else 0,
        events=r.integer("events", MIN_DAYS_KEPT, **limits) if "events" in r.data else 0,
    )
    r.finish()
    return retention


def _category(r: Reader) -> CategoryDefinition:
    category = CategoryDefinition(
        key=r.key(),
        label=r.text("label", required=True),
        description=r.text("description"),
        notice=r.text("notice"),
        icon=r.string("icon", CategoryDefinition.icon),
        department=r.string("department"),
        case_kind=r.choice("case_kind", CaseKind, CaseKind.PROBLEM),
        severity=r.choice("severity", Severity, Severity.MEDIUM),
        login=r.string("login", among=("", "required", "guest")),
        synonyms=r.strings("synonyms"),
    )
    r.finish()
    return category


def _field(r: Reader) -> FieldDefinition:
    options = []
    for table in r.tables("options"):
        options.append(
            Option(key=table.key(), label=table.text("label", required=True), icon=table.string("icon"))
        )
        table.finish()
    field = FieldDefinition(
        key=r.key(),
        label=r.text("label", required=True),
        type=r.string("type", "text", among=FIELD_TYPES),
        help=r.text("help"),
        placeholder=r.text("placeholder"),
        required=r.boolean("required"),
        options=tuple(options),
        filled_by=r.string("filled_by", "requester", among=("requester", "staff")),
        categories=r.strings("categories"),
        shown_when=r.lists("shown_when"),
        max_length=r.integer("max_length", 0, high=MAX_TEXT) or None,
        minimum=r.number("minimum"),
        maximum=r.number("maximum"),
        days=r.string("days", among=("", "past", "future")),
        pattern=r.string("pattern"),
        pattern_help=r.text("pattern_help"),
        prefill=r.string("prefill", among=("", "app_version")),
        sets=r.string("sets", among=("", "severity")),
    )
    if bool(field.options) != (field.type in ("choice", "multi_choice")):
        r.problem(_("las opciones van con los tipos choice y multi_choice, y solo con ellos"), "options")
    if field.pattern:
        try:
            re.compile(field.pattern)
        except re.error as error:
            r.problem(_("la expresión no es válida: %s") % error, "pattern")
    r.finish()
    return field


def _stage(r: Reader) -> Stage:
    kind = r.choice("kind", StageKind, StageKind.WORK)
    stage = Stage(
        key=r.key(),
        label=r.text("label", required=True),
        kind=kind,
        owner=r.who("owner", "nobody" if kind.meta.is_end else "staff"),
        progress=r.integer("progress", kind.meta.progress, high=100),
        clock=r.string("clock", kind.meta.clock, among=("runs", "pauses", "stops")),
        public_label=r.text("public_label"),
        notice=r.text("notice"),
        outlook=r.text("outlook"),
    )
    r.finish()
    return stage


def _action(r: Reader) -> Action:
    asks = []
    for table in r.items("asks", "field"):
        asks.append(
            Ask(
                field=table.key("field"),
                required=table.boolean("required", True),
                label=table.text("label"),
                help=table.text("help"),
            )
        )
        table.finish()
    action = Action(
        key=r.key(),
        label=r.text("label", required=True),
        description=r.text("description"),
        sources=r.strings("from"),
        to=r.string("to"),
        by=r.whos("by"),
        on=r.string("on", among=("", *TRIGGERS)),
        after_days=r.integer("after_days", 0, high=365),
        within_days=r.integer("within_days", 0, high=3650),
        when=r.conditions(),
        asks=tuple(asks),
        guards=r.calls("guards"),
        effects=r.calls("effects"),
        notify=_notify(r),
        style=r.string("style", "secondary", among=STYLES),
        confirm=r.text("confirm"),
        done=r.text("done"),
        event=r.text("event"),
    )
    r.finish()
    return action


def _notify(r: Reader) -> tuple[Notify, ...]:
    result = []
    for table in r.tables("notify"):
        result.append(Notify(to=table.who("to"), template=table.string("template")))
        table.finish()
    return tuple(result)


def _response(r: Reader) -> Response:
    response = Response(
        key=r.key(upper=True),
        label=r.text("label", required=True),
        body=r.text("body", required=True),
        kind=MessageKind(r.string("kind", MessageKind.FOLLOW_UP.value, among=RESPONSE_KINDS)),
        asks=r.boolean("asks"),
        stages=r.strings("stages"),
        when=r.conditions(),
    )
    r.finish()
    return response


def _special_targets(r: Reader) -> SpecialTargets:
    targets = SpecialTargets(
        category=r.string("category"),
        customer_kind=r.string("customer_kind"),
        first_response=r.target("first_response"),
        next_reply=r.target("next_reply"),
        progress=r.target("progress"),
        resolution=r.target("resolution"),
    )
    r.finish()
    return targets


def _calendar(r: Reader) -> CalendarNeed | None:
    key, label, rules = r.key(), r.text("label", required=True), r.calendar_rules()
    r.finish()
    return CalendarNeed(key, label, rules) if rules else None


def _need(r: Reader, *, is_group: bool = False) -> Need:
    need = Need(
        key=r.key(),
        label=r.text("label", required=True),
        while_empty=r.string("while_empty", among=("", "staff")) if is_group else "",
    )
    r.finish()
    return need
