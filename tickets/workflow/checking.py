"""Check a process file before it is published. `publishing.check_for_desk` also checks that its departments exist."""

from collections.abc import Iterable, Mapping
from functools import lru_cache

from django.utils.translation import gettext as _

from accounts.enums import Role

from ..calendars import Target
from ..definitions.conditions import CONDITIONS
from ..definitions.definition import Action, Call, Definition, FieldDefinition, Notify, When, Who
from ..definitions.fields import is_possible_answer
from ..definitions.lines import LineIndex, Path
from ..definitions.parser import parse
from ..definitions.problems import DefinitionError, Problem
from ..definitions.turns import CHECKLIST_GUARDS
from ..enums import EARLY_KINDS, CaseKind, ClockKind, ContactKind, Severity, StageKind
from ..vocabulary import TEMPLATES
from . import effects, guards
from .asks import STANDARD_ASKS
from .consistency import Consistency

RESERVED = frozenset({"title", "description", "category", "email", "name", "phone", "files"}) | frozenset(
    {"version", "key", "quitar", "descartar", "recalcular", "luego"}
)
"""Names of intake's own questions, whose errors a process field with the same name would hide, and of what the forms of
actions post: a field called «version» would make every page look out of date."""
UNIQUE = (
    "stages", "actions", "fields", "categories", "responses", "departments", "groups", "customer_kinds", "calendars",
)  # fmt: skip


@lru_cache(maxsize=32)
def load(source: str) -> Definition:
    """Parse and check a process file, and return its definition. Raises `DefinitionError` with every problem of parsing
    or, if parsing finds none, of checking."""
    definition, index, problems = parse(source)
    if not problems:
        problems = _Checker(definition, index).run()
    if problems:
        raise DefinitionError(problems)
    return definition


class _Checker:
    def __init__(self, definition: Definition, index: LineIndex) -> None:
        self.definition, self.index = definition, index
        self.problems: list[Problem] = []
        self.stages = {stage.key: stage for stage in definition.stages}

    def problem(self, path: Path, message: str) -> None:
        name = ".".join(str(part + 1 if isinstance(part, int) else part) for part in path) or "—"
        self.problems.append(Problem(self.index.line(path), name, message))

    def run(self) -> list[Problem]:
        if not self.definition.stages:
            self.problem((), _("falta al menos una etapa"))
            return self.problems
        for table in UNIQUE:
            self._check_unique(table)
        self._check_stages()
        for position, action in enumerate(self.definition.actions):
            self._check_action(("actions", position), action)
        for position, field in enumerate(self.definition.fields):
            self._check_field(("fields", position), field)
        self._check_title()
        self._check_notify(("intake", "notify"), self.definition.on_filed)
        self._check_responses()
        self._check_closing()
        for clock in ClockKind:
            self._check_targets(clock.value, getattr(self.definition.targets, clock.value))
        self._check_special_targets()
        if not self.problems:  # these checks follow stages, actions and fields by their keys
            Consistency(self.definition, self.problem).run()
        return self.problems

    def _check_unique(self, table: str) -> None:
        seen: set[str] = set()
        for position, item in enumerate(getattr(self.definition, table)):
            if item.key in seen:
                self.problem((table, position, "key"), _("la clave «%s» está repetida") % item.key)
            seen.add(item.key)

    # --- Stages and actions ---------------------------------------------------------------------------------

    def _check_stages(self) -> None:
        stages = self.definition.stages
        if stages[0].kind not in EARLY_KINDS:
            self.problem(
                ("stages", 0, "kind"), _("la primera etapa debe ser de tipo new, evaluation o preparation")
            )
        if stages[0].clock != "runs":
            self.problem(("stages", 0, "clock"), _("en la primera etapa el reloj corre: quita clock"))
        if not any(stage.is_end for stage in stages):
            self.problem(("stages", 0), _("ninguna etapa termina el proceso"))
        for position, stage in enumerate(stages):
            self._check_who(("stages", position, "owner"), stage.owner)
            if stage.owner.kind == "owner":
                self.problem(("stages", position, "owner"), _("una etapa no puede ser de su propio dueño"))
            if stage.is_end and stage.clock != "stops":
                self.problem(
                    ("stages", position, "clock"), _("en una etapa final el reloj termina: quita clock")
                )
        named = {key for action in self.definition.actions for key in (*action.sources, action.to) if key}
        if named <= self.stages.keys():  # if not, `_check_action` reports the misspelt stage
            self._check_reachable()

    def _check_reachable(self) -> None:
        """Report stages that cannot be reached from the first one, and stages that no action leaves, except ends."""
        reached = self._reached()
        for position, stage in enumerate(self.definition.stages):
            if stage.key not in reached:
                self.problem(("stages", position), _("no se llega nunca a «%s»") % stage.key)
            leaves = any(stage.key in action.sources and action.to for action in self.definition.actions)
            if not stage.is_end and not leaves:
                self.problem(("stages", position), _("no se sale nunca de «%s»") % stage.key)

    def _reached(self) -> set[str]:
        """Return the keys of the stages that can be reached from the first one."""
        first = self.definition.first_stage.key
        reached, frontier = {first}, [first]
        while frontier:
            here = frontier.pop()
            for action in self.definition.actions:
                if here in action.sources and action.to and action.to not in reached:
                    reached.add(action.to)
                    frontier.append(action.to)
        return reached

    def _check_action(self, path: Path, action: Action) -> None:
        if not action.sources:
            self.problem((*path, "from"), _("falta decir desde qué etapas"))
        for position, source in enumerate(action.sources):
            if source not in self.stages:
                self.problem((*path, "from", position), _("no hay una etapa «%s»") % source)
        if action.to and action.to not in self.stages:
            self.problem((*path, "to"), _("no hay una etapa «%s»") % action.to)
        if bool(action.by) == bool(action.on):
            self.problem(path, _("una acción la hace alguien (by) o la dispara algo (on): una de las dos"))
        if action.on:
            self._check_triggered(path, action)
        if (action.on == "silence") != bool(action.after_days):
            self.problem((*path, "after_days"), _("after_days va con on = silence, y solo con él"))
        sources = [self.stages[source] for source in action.sources if source in self.stages]
        if action.within_days and not all(stage.is_end for stage in sources):
            self.problem(
                (*path, "within_days"),
                _("within_days cuenta desde el cierre: from solo admite etapas finales"),
            )
        for position, who in enumerate(action.by):
            self._check_who((*path, "by", position), who)
        self._check_conditions((*path, "when"), action.when)
        self._check_asks(path, action)
        self._check_calls((*path, "guards"), action.guards, guards.GUARDS, guards.ARGUMENTS)
        self._check_calls((*path, "effects"), action.effects, effects.EFFECTS, effects.ARGUMENTS)
        self._check_posts(path, action)
        self._check_notify((*path, "notify"), action.notify)

    def _check_triggered(self, path: Path, action: Action) -> None:
        """Refuse asks and guards: a triggered action has no form, and nobody who could read a guard's message."""
        if action.asks:
            self.problem((*path, "asks"), _("una acción disparada no puede preguntar nada"))
        if action.guards:
            self.problem((*path, "guards"), _("una acción disparada usa condiciones (when), no guards"))

    def _check_asks(self, path: Path, action: Action) -> None:
        by_requester = any(who.kind == "requester" for who in action.by)
        for position, ask in enumerate(action.asks):
            here = (*path, "asks", position)
            own = self.definition.field(ask.field)
            if ask.field not in STANDARD_ASKS and own is None:
                self.problem(here, _("no hay un campo «%s»") % ask.field)
            self._refuse_asking_what_sets(here, own)
            for_requester = own.filled_by == "requester" if own else ask.field == "message"
            if by_requester and not for_requester:
                self.problem(here, _("al solicitante no se le pregunta «%s»") % ask.field)

    def _refuse_asking_what_sets(self, path: Path, field: FieldDefinition | None) -> None:
        """Refuse a field that has set a column when the ticket was filed: its answer would differ from the column."""
        if field is not None and field.sets:
            names = {"field": field.key, "column": field.sets}
            self.problem(path, _("«%(field)s» fija %(column)s: pregunta eso") % names)

    def _check_calls(
        self, path: Path, calls: Iterable[Call], known: Mapping[str, object], arguments: Mapping[str, str]
    ) -> None:
        for position, call in enumerate(calls):
            here = (*path, position)
            if call.name not in known:
                self.problem(here, _("no conocemos «%s»") % call.name)
                continue
            match arguments.get(call.name):
                case None if call.argument:
                    self.problem(here, _("«%s» no lleva nada después de los dos puntos") % call.name)
                case "field" if self.definition.field(call.argument) is None:
                    self.problem(here, _("no hay un campo «%s»") % call.argument)
                case "field":  # what a guard lacks is asked for in the action's form
                    self._refuse_asking_what_sets(here, self.definition.field(call.argument))
                case "contact" if call.argument not in ContactKind.values:
                    self.problem(here, _("se esperaba %s:call o :whatsapp") % call.name)
                case "response" if self.definition.response(call.argument) is None:
                    self.problem(here, _("no hay una respuesta estándar «%s»") % call.argument)

    def _check_posts(self, path: Path, action: Action) -> None:
        asked = [ask.field for ask in action.asks if ask.field in ("message", "note")]
        posted = [call.name for call in action.effects if call.name in effects.POSTING_EFFECTS]
        if len(asked) + len(posted) > 1:
            self.problem(path, _("una acción deja un solo mensaje: %s") % ", ".join([*asked, *posted]))

    # --- Fields, conditions and responses -------------------------------------------------------------------

    def _check_field(self, path: Path, field: FieldDefinition) -> None:
        if field.key in STANDARD_ASKS or field.key in RESERVED:
            self.problem((*path, "key"), _("«%s» ya es un campo estándar") % field.key)
        categories = {category.key for category in self.definition.categories}
        for position, category in enumerate(field.categories):
            if category not in categories:
                self.problem((*path, "categories", position), _("no hay una categoría «%s»") % category)
        for name, values in field.shown_when.items():
            other = self.definition.field(name)
            if other is None or name == field.key:
                self.problem((*path, "shown_when", name), _("no hay un campo «%s»") % name)
                continue
            for value in values:
                self._check_option((*path, "shown_when", name), other, value)
        if len({option.key for option in field.options}) < len(field.options):
            self.problem((*path, "options"), _("hay una opción repetida"))
        if field.sets == "severity":
            keys = {option.key for option in field.options}
            if field.type != "choice" or field.filled_by != "requester" or not keys <= set(Severity.values):
                self.problem(
                    (*path, "sets"),
                    _("para fijar la severidad hace falta un campo choice del solicitante con opciones: %s")
                    % ", ".join(Severity.values),
                )

    def _check_title(self) -> None:
        """Require that the answers which make the title always make one."""
        path = ("intake", "title_from")
        for position, name in enumerate(self.definition.title_from):
            field = self.definition.field(name)
            if field is None:
                self.problem((*path, position), _("no hay un campo «%s»") % name)
            elif field.filled_by != "requester":
                self.problem((*path, position), _("«%s» la responde el equipo, después") % name)
        named = filter(None, map(self.definition.field, self.definition.title_from))
        if self.definition.title_from and not any(
            field.required and field.type != "yes_no" and not field.shown_when and not field.categories
            for field in named
        ):
            self.problem(
                path, _("el título podría quedar vacío: nombra una pregunta obligatoria y para todos")
            )

    def _check_option(self, path: Path, field: FieldDefinition, value: str) -> None:
        if is_possible_answer(value, field):
            return
        message = {
            "yes_no": _("«%(field)s» se responde con yes o no, y no con «%(value)s»"),
            "number": _("«%(field)s» es un número, y «%(value)s» no"),
        }.get(field.type, _("«%(field)s» no tiene la opción «%(value)s»"))
        self.problem(path, message % {"field": field.key, "value": value})

    def _check_conditions(self, path: Path, conditions: Iterable[When]) -> None:
        for position, condition in enumerate(conditions):
            here = (*path, position)
            if condition.field:
                field = self.definition.field(condition.field)
                if field is None:
                    self.problem(here, _("no hay un campo «%s»") % condition.field)
                else:
                    self._check_option(here, field, condition.value)
            elif condition.name not in CONDITIONS:
                self.problem(here, _("no hay una condición «%s»") % condition.name)

    def _check_responses(self) -> None:
        for position, response in enumerate(self.definition.responses):
            path = ("responses", position)
            self._check_conditions((*path, "when"), response.when)
            for number, stage in enumerate(response.stages):
                if stage not in self.stages:
                    self.problem((*path, "stages", number), _("no hay una etapa «%s»") % stage)

    # --- People, closing and targets ------------------------------------------------------------------------

    def _check_notify(self, path: Path, entries: Iterable[Notify]) -> None:
        for position, entry in enumerate(entries):
            self._check_who((*path, position, "to"), entry.to)
            if entry.template not in TEMPLATES:
                self.problem((*path, position, "template"), _("no hay un correo «%s»") % entry.template)

    def _check_who(self, path: Path, who: Who) -> None:
        if who.kind == "role" and who.name not in (Role.AGENT, Role.SUPERVISOR, Role.ADMINISTRATOR):
            self.problem(path, _("no hay un rol «%s»") % who.name)
        if who.kind == "department_of" and self.definition.field(who.name) is None:
            self.problem(path, _("no hay un campo «%s»") % who.name)
        if who.kind == "user" and not 0 < len(who.name) <= 254:
            self.problem(path, _("se esperaba el correo de una persona"))
        if who.kind == "actor_of" and self.definition.action(who.name) is None:
            self.problem(path, _("no hay una acción «%s»") % who.name)
        if who.kind == "group" and self.definition.group(who.name) is None:
            self.problem(path, _("no hay un grupo «%s»: decláralo en [[groups]]") % who.name)

    def _check_closing(self) -> None:
        closing, kinds = self.definition.closing, {stage.kind for stage in self.definition.stages}
        path = ("closing", "approver")
        if (closing.approver == "requester") != (StageKind.CLOSURE_APPROVAL in kinds):
            self.problem(path, _("approver = requester va con una etapa closure_approval, y solo con ella"))
        if closing.approver == "validator" and StageKind.VERIFICATION not in kinds:
            self.problem(path, _("approver = validator necesita una etapa verification"))
        for position, item in enumerate(closing.checklist):
            for number, who in enumerate(item.by):
                self._check_who(("closing", "checklist", position, "by", number), who)
        for position, action in enumerate(self.definition.actions):
            names = {call.name for call in (*action.guards, *action.effects)}
            if "send_survey" in names and not closing.survey:
                self.problem(
                    ("actions", position, "effects"), _("send_survey necesita closing.survey = true")
                )
            if closing.checklist:
                continue
            if names & CHECKLIST_GUARDS:
                self.problem(("actions", position, "guards"), _("falta closing.checklist"))
            if {when.name for when in action.when} & CHECKLIST_GUARDS:
                self.problem(("actions", position, "when"), _("falta closing.checklist"))

    def _check_targets(self, name: str, targets: Mapping[str, Target]) -> None:
        """Require targets for every severity or for every case kind, or none at all.

        Otherwise a clock would have no target after a change to a severity without one.
        """
        if targets and not (set(Severity.values) <= targets.keys() or set(CaseKind.values) <= targets.keys()):
            self.problem(
                ("targets", name),
                _("faltan plazos: pon los de todas las severidades, o los de problem y procedure"),
            )

    def _check_special_targets(self) -> None:
        """Each names a category, a customer kind or both, and promises something. Time that only a calendar can count
        needs one."""
        targets = self.definition.targets
        categories = {category.key for category in self.definition.categories}
        for position, special in enumerate(targets.special):
            path = ("targets", "special", position)
            if not special.category and not special.customer_kind:
                self.problem(path, _("falta category o customer_kind"))
            if special.category and special.category not in categories:
                self.problem((*path, "category"), _("no hay una categoría «%s»") % special.category)
            if not any(special.all):
                self.problem(path, _("falta un plazo: first_response, next_reply, progress o resolution"))
        if 0 < targets.warn_managers <= targets.warn_assignee:
            self.problem(("targets", "warn_managers"), _("warn_managers debe ser mayor que warn_assignee"))
        if not targets.calendar and any(target.needs_calendar for target in targets.all):
            self.problem(
                ("targets",),
                _("hay plazos en tiempo hábil o en días: falta calendar, que dice cuáles cuentan"),
            )
