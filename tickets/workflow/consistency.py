"""Find what a process file promises and can never happen: people who may never act, actions that are never offered or
never fire, guards that nothing satisfies, mails to nobody."""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path as File

from django.contrib.staticfiles import finders
from django.utils.translation import gettext as _

from ..definitions.definition import Action, Definition, FieldDefinition, Notify, When, Who
from ..definitions.fields import is_answer
from ..definitions.lines import Path
from ..definitions.patterns import PatternError, compiled
from ..definitions.reader import suggestion
from ..definitions.responses import VARIABLES
from ..enums import MessageKind, StageKind, Template
from .paths import Paths

Report = Callable[[Path, str], None]

BRACES = re.compile(r"\{\s*([\w ]{1,40}?)\s*\}")
SENT_BY_THE_DESK = frozenset(
    {
        Template.ACCOUNT_CREATED,
        Template.NEW_LINK,
        Template.MENTIONED,
        Template.TASK_ASKED,
        Template.TASK_DONE,
        Template.TASK_WITHDRAWN,
        Template.PROOF_ASKED,
    }
)
FOR_THE_REQUESTER = frozenset({Template.RECEIVED, Template.SURVEY})
FOR_STAFF = frozenset({Template.HANDED_OVER, Template.NONCONFORMITY, Template.REQUESTER_REPLIED})
LABEL_LENGTH, LINE_LENGTH = 120, 200
"""The lengths of the columns that publishing fills with names and with descriptions."""


class Consistency:
    """The checks of a definition whose references are right. `report` takes the path and the text of each problem."""

    def __init__(self, definition: Definition, report: Report) -> None:
        self.definition, self.report = definition, report
        self.paths = Paths(definition)

    def run(self) -> None:
        for position, stage in enumerate(self.definition.stages):
            self._check_owner(("stages", position, "owner"), stage.key)
            if stage.key in self.paths.reached and not self.paths.can_end(stage.key):
                self.report(("stages", position), _("desde «%s» no se llega a ningún final") % stage.key)
        for position, action in enumerate(self.definition.actions):
            self._check_action(("actions", position), action)
        self._check_silence_loops()
        self._check_checklist()
        for position, entry in enumerate(self.definition.on_filed):
            first = self.definition.first_stage.key
            self._check_notify(("intake", "notify", position), entry, [first], is_filing=True)
        for position, field in enumerate(self.definition.fields):
            self._check_field(("fields", position), field)
        self._check_responses()
        self._check_home()
        self._check_names()

    # --- People ---------------------------------------------------------------------------------------------

    def _check_owner(self, path: Path, stage: str) -> None:
        owner, is_end = self.definition.stage(stage).owner, self.definition.stage(stage).is_end
        if owner.kind == "nobody" and not is_end:
            self.report(
                path, _("«nobody» es el dueño de las etapas finales: de esta, alguien tiene que ocuparse")
            )
        elif owner.kind != "nobody" and (why := self._why_never(owner, [stage])):
            self.report(path, why)

    def _why_never(self, who: Who, stages: Iterable[str]) -> str:
        """Return why `who` includes nobody in any of these stages, whatever happens; "" if it may include somebody."""
        stages = list(stages)
        match who.kind:
            case "nobody":
                return _("«nobody» es nadie: nunca podría")
            case "owner":
                if all(self.definition.stage(stage).owner.kind == "nobody" for stage in stages):
                    return _("nadie es dueño de «%s»: nunca podría") % "», «".join(stages)
            case "department" if not who.name and not self._has_department():
                return _("ningún ticket de este proceso tiene departamento: di cuál, o usa «staff»")
            case "actor_of":
                return self._why_never_done(who.name, stages)
            case "department_of":
                return self._why_never_answered(who.name, stages)
        return ""

    def _has_department(self) -> bool:
        """Whether tickets of the process have a department, at filing or later."""
        definition = self.definition
        return bool(
            definition.department
            or any(category.department for category in definition.categories)
            or any(ask.field == "department" for action in definition.actions for ask in action.asks)
        )

    def _why_never_done(self, key: str, stages: list[str]) -> str:
        action = self.definition.action(key)
        if action is None:
            return ""
        if action.on or all(who.kind == "requester" for who in action.by):
            return _("«%s» no la hace nadie del equipo") % key
        if not any(self.paths.can_come_before(action, stage) for stage in stages):
            return _("«%s» no puede haberse hecho antes") % key
        return ""

    def _why_never_answered(self, key: str, stages: list[str]) -> str:
        field = self.definition.field(key)
        if field is None:
            return ""
        if field.type not in ("choice", "multi_choice"):
            return _("«%s» debe ser una pregunta de tipo choice o multi_choice") % key
        if not self._can_be_answered(field, stages):
            return _("«%s» no puede haberse respondido antes") % key
        return ""

    # --- Actions --------------------------------------------------------------------------------------------

    def _check_action(self, path: Path, action: Action) -> None:
        for position, who in enumerate(action.by):
            if why := self._why_never(who, action.sources):
                self.report((*path, "by", position), why)
        self._check_when((*path, "when"), action)
        self._check_guards((*path, "guards"), action)
        self._check_effects((*path, "effects"), action)
        if action.on:
            self._check_trigger(path, action)
        arrivals = [action.to] if action.to else list(action.sources)
        for position, entry in enumerate(action.notify):
            self._check_notify((*path, "notify", position), entry, arrivals, own=action)
        asked = [ask.field for ask in action.asks]
        for position, name in enumerate(asked):
            if name in asked[:position]:
                self.report((*path, "asks", position), _("«%s» se pregunta dos veces") % name)

    def _check_when(self, path: Path, action: Action) -> None:
        if clash := _contradiction(action.when, self.definition):
            self.report(path, _("nunca se ofrece: %s no se cumplen a la vez") % clash)
        for position, when in enumerate(action.when):
            if why := self._why_never_holds(when, action.sources):
                self.report((*path, position), _("nunca se ofrece: %s") % why)

    def _why_never_holds(self, when: When, stages: Iterable[str]) -> str:
        """Return why the condition is false in all these stages, whatever happens; "" if it may be true."""
        if when.negated:
            return ""
        if when.name == "solution_sent" and not self._can_send_solution(stages):
            return _("en este proceso no se puede haber enviado una solución")
        field = self.definition.field(when.field) if when.field else None
        if field is None or self._can_be_answered(field, stages) or is_answer(None, when.value, field):
            return ""
        return _("«%s» no puede haberse respondido antes") % field.key

    def _can_be_answered(
        self, field: FieldDefinition, stages: Iterable[str], own: Action | None = None
    ) -> bool:
        """Whether the field can have an answer in one of these stages, or is asked by the action itself."""
        if field.filled_by == "requester":
            return True
        earlier = [*self.paths.before(stages), *([own] if own else [])]
        return any(ask.field == field.key for action in earlier for ask in action.asks)

    def _can_send_solution(self, stages: Iterable[str], own: Action | None = None) -> bool:
        kinds = {self.definition.stage(key).kind for key in self.paths.reached}
        if kinds & set(self.definition.solution_from):
            return True
        earlier = [*self.paths.before(stages), *([own] if own else [])]
        return any(effect.name == "write_solution" for action in earlier for effect in action.effects)

    def _check_guards(self, path: Path, action: Action) -> None:
        for position, guard in enumerate(action.guards):
            if why := self._why_never_satisfied(guard.name, guard.argument, action):
                self.report((*path, position), _("nada puede cumplirla: %s") % why)

    def _why_never_satisfied(self, guard: str, argument: str, action: Action) -> str:
        """Return why the guard refuses whatever happens; "" if it may pass.

        Staff are asked for what most guards require, in the action's own form. The requester is not.
        """
        if guard == "solution_sent" and not self._can_send_solution(action.sources):
            return _("antes no se puede haber enviado una solución")
        if any(who.kind not in ("requester", "nobody") for who in action.by):
            return ""
        asked = {ask.field for each in [*self.paths.before(action.sources), action] for ask in each.asks}
        field = self.definition.field(argument)
        kinds = {self.definition.stage(key).kind for key in self.paths.reached}
        composes = bool(kinds & set(self.definition.solution_from))
        match guard:
            case "field_filled" if field and not self._can_be_answered(field, action.sources, action):
                return _("ninguna acción pregunta «%s»") % argument
            case "solution_written" if "solution_done" not in asked and not composes:
                return _("ninguna acción pregunta «solution_done»")
            case "duplicate_conditions_met" if "duplicate_of" not in asked:
                return _("ninguna acción pregunta «duplicate_of»")
        return ""

    def _check_effects(self, path: Path, action: Action) -> None:
        names = [effect.name for effect in action.effects]
        if "ask_for_call" in names and not (action.to and self.definition.stage(action.to).is_end):
            self.report(
                (*path, names.index("ask_for_call")), _("ask_for_call es para acciones que cierran el ticket")
            )
        written = any(ask.field == "solution_done" and ask.required for ask in action.asks) or any(
            guard.name in ("solution_written", "solution_sent") for guard in action.guards
        )
        if "write_solution" in names and not written and action.on != "solution_sent":
            self.report(
                (*path, names.index("write_solution")),
                _(
                    "write_solution mandaría una solución vacía: pregunta solution_done o exige solution_written"
                ),
            )

    # --- What fires by itself -------------------------------------------------------------------------------

    def _check_trigger(self, path: Path, action: Action) -> None:
        stages = [self.definition.stage(key) for key in action.sources]
        if action.on == "solution_sent" and not any(s.kind in self.definition.solution_from for s in stages):
            self.report(
                (*path, "on"),
                _("nunca se dispara: en esas etapas no se envían soluciones (answers.solution_from)"),
            )
        if action.on == "stage_entered":
            self._check_entered(path, action)
        if action.on == "deadline_passed" and all(stage.is_end for stage in stages):
            self.report((*path, "on"), _("nunca se dispara: en una etapa final ya no corre ningún plazo"))
        for stage in action.sources:
            if first := self._taken_before(action, stage):
                self.report(
                    path,
                    _("en «%(stage)s» nunca se dispara: «%(first)s» va antes y siempre se cumple")
                    % {"stage": stage, "first": first.key},
                )

    def _check_entered(self, path: Path, action: Action) -> None:
        for stage in action.sources:
            if not any(
                stage == other.to and set(other.sources) != {stage} and other.on != "stage_entered"
                for other in self.definition.actions
            ):
                self.report((*path, "on"), _("nunca se dispara: ninguna acción lleva a «%s»") % stage)
        chained = next(self.definition.triggered(action.to, "stage_entered"), None)
        if chained is not None:
            self.report(
                (*path, "to"), _("«%s» no se dispararía: stage_entered actúa una sola vez") % chained.key
            )

    def _taken_before(self, action: Action, stage: str) -> Action | None:
        """Return the action that always fires instead of this one in `stage`, if there is one."""
        for other in self.definition.triggered(stage, action.on):
            if other is action:
                break
            if other.after_days == action.after_days and not other.when:
                return other
        return self._ends_silence_before(action, stage) if action.on == "silence" else None

    def _ends_silence_before(self, action: Action, stage: str) -> Action | None:
        leaves = (
            other
            for other in self.definition.triggered(stage, "silence")
            if other.to and other.to != stage and not other.when and other.after_days < action.after_days
        )
        return next(leaves, None)

    def _check_silence_loops(self) -> None:
        """Report stages that silence alone leads back to: the ticket would go round for ever, with all its mails."""
        silent = (action for action in self.definition.actions if action.on == "silence")
        actions = [action for action in silent if action.to and not action.when]
        for action in actions:
            reached, frontier = set(), [action.to]
            while frontier:
                here = frontier.pop()
                for other in actions:
                    if here in other.sources and other.to not in reached:
                        reached.add(other.to)
                        frontier.append(other.to)
            if reached & set(action.sources) and set(action.sources) & self.paths.reached:
                position = self.definition.actions.index(action)
                self.report(
                    ("actions", position, "to"),
                    _("el silencio solo daría vueltas sin fin: de «%(to)s» vuelve a «%(source)s»")
                    % {"to": action.to, "source": min(reached & set(action.sources))},
                )

    def _check_checklist(self) -> None:
        """Report actions that end a case in a `done` stage whatever the closing checklist says (S2.44–S2.46)."""
        if not self.definition.closing.checklist:
            return
        for position, action in enumerate(self.definition.actions):
            if not action.to or self.definition.stage(action.to).kind != StageKind.DONE:
                continue
            required = any(guard.name == "checklist_complete" for guard in action.guards)
            awaited = any(when.name == "checklist_complete" and not when.negated for when in action.when)
            if not (required or awaited):
                self.report(
                    ("actions", position, "to"),
                    _("cierra sin mirar la lista de cierre: pon checklist_complete en %s")
                    % ("when" if action.on else "guards"),
                )

    # --- Mails ----------------------------------------------------------------------------------------------

    def _check_notify(
        self,
        path: Path,
        entry: Notify,
        stages: list[str],
        *,
        own: Action | None = None,
        is_filing: bool = False,
    ) -> None:
        to = self.definition.stage(stages[0]).owner if entry.to.kind == "owner" else entry.to
        if why := self._why_nobody_is_told(to, stages, own, is_filing=is_filing):
            self.report((*path, "to"), why)
        if entry.template in SENT_BY_THE_DESK:
            self.report((*path, "template"), _("«%s» lo manda la mesa por su cuenta") % entry.template)
        elif entry.template in FOR_THE_REQUESTER and to.kind != "requester":
            self.report((*path, "template"), _("«%s» es un correo para el solicitante") % entry.template)
        elif entry.template in FOR_STAFF and to.kind == "requester":
            self.report((*path, "template"), _("«%s» es un correo para el equipo") % entry.template)

    def _why_nobody_is_told(self, to: Who, stages: list[str], own: Action | None, *, is_filing: bool) -> str:
        if is_filing and to.kind == "assignee":
            return _("al abrirse, el ticket todavía no tiene responsable")
        if to.kind == "actor_of" and own is not None:
            if to.name == own.key and own.by:
                return ""
            return self._why_never(to, own.sources)
        return self._why_never(to, stages)

    # --- Questions and answers ------------------------------------------------------------------------------

    def _check_field(self, path: Path, field: FieldDefinition) -> None:
        if field.pattern:
            if field.type != "text":
                self.report((*path, "pattern"), _("pattern va con el tipo text, y solo con él"))
            try:
                compiled(field.pattern)
            except PatternError as error:
                self.report((*path, "pattern"), str(error))
        if field.days and field.type != "date":
            self.report((*path, "days"), _("days va con el tipo date, y solo con él"))
        if field.type != "number" and (field.minimum is not None or field.maximum is not None):
            name = "minimum" if field.minimum is not None else "maximum"
            self.report((*path, name), _("minimum y maximum van con el tipo number, y solo con él"))
        elif field.minimum is not None and field.maximum is not None and field.minimum > field.maximum:
            self.report((*path, "minimum"), _("minimum es mayor que maximum: ningún número sirve"))
        if field.max_length and field.type not in ("text", "long_text"):
            self.report(
                (*path, "max_length"), _("max_length va con los tipos text y long_text, y solo con ellos")
            )
        if field.prefill and (field.type != "text" or field.filled_by != "requester"):
            self.report((*path, "prefill"), _("prefill va con preguntas de tipo text del solicitante"))
        for name in field.shown_when:
            other = self.definition.field(name)
            if other is not None and (why := self._why_never_shown(field, other)):
                self.report((*path, "shown_when", name), _("nunca se pregunta: %s") % why)

    def _why_never_shown(self, field: FieldDefinition, other: FieldDefinition) -> str:
        if field.filled_by == "requester" and other.filled_by == "staff":
            return _("«%s» la responde el equipo, después") % other.key
        if field.categories and other.categories and not set(field.categories) & set(other.categories):
            return _("«%s» es de otras categorías") % other.key
        if self._depends_on(other, field):
            return _("«%s» depende a su vez de esta") % other.key
        return ""

    def _depends_on(self, field: FieldDefinition, other: FieldDefinition) -> bool:
        seen, frontier = set(), [field]
        while frontier:
            for name in frontier.pop().shown_when:
                next_field = self.definition.field(name)
                if name == other.key:
                    return True
                if next_field is not None and name not in seen:
                    seen.add(name)
                    frontier.append(next_field)
        return False

    def _check_responses(self) -> None:
        for position, response in enumerate(self.definition.responses):
            path = ("responses", position)
            for word in dict.fromkeys(BRACES.findall(f"{response.body.es} {response.body.en}")):
                if word not in VARIABLES:
                    self.report((*path, "body"), _unknown_variable(word))
            if clash := _contradiction(response.when, self.definition):
                self.report((*path, "when"), _("nunca se ofrece: %s no se cumplen a la vez") % clash)
            kinds = {self.definition.stage(key).kind for key in response.stages}
            composed = (
                response.kind == MessageKind.SOLUTION and response.key not in self.definition.posted_responses
            )
            if composed and kinds and not kinds & set(self.definition.solution_from):
                self.report(
                    (*path, "stages"), _("en esas etapas no se envían soluciones (answers.solution_from)")
                )

    def _check_home(self) -> None:
        if not self.definition.on_home:
            for name in ("home_title", "home_text"):
                if getattr(self.definition, name):
                    self.report(("intake", name), _("no se lee en ninguna parte: va con on_home = true"))

    def _check_names(self) -> None:
        """Check the texts that publishing stores in columns, and the icons."""
        for table in ("categories", "departments", "groups", "customer_kinds"):
            for position, item in enumerate(getattr(self.definition, table)):
                self._check_length((table, position, "label"), item.label, LABEL_LENGTH)
        for position, category in enumerate(self.definition.categories):
            self._check_length(("categories", position, "description"), category.description, LINE_LENGTH)
            self._check_icon(("categories", position, "icon"), category.icon)
        for position, field in enumerate(self.definition.fields):
            for number, option in enumerate(field.options):
                if option.icon:
                    self._check_icon(("fields", position, "options", number, "icon"), option.icon)

    def _check_icon(self, path: Path, icon: str) -> None:
        known = known_icons()
        if known and icon not in known:
            near = suggestion(icon.removeprefix("bi-"), known)
            message = _("no hay un icono «%(icon)s»: ¿%(near)s?") if near else _("no hay un icono «%(icon)s»")
            self.report(path, message % {"icon": icon, "near": near})

    def _check_length(self, path: Path, text: object, most: int) -> None:
        longest = max(len(getattr(text, "es", "")), len(getattr(text, "en", "")))
        if longest > most:
            self.report(
                path, _("tiene %(length)d caracteres; caben %(most)d") % {"length": longest, "most": most}
            )


def _unknown_variable(word: str) -> str:
    names = ", ".join(f"{{{name}}}" for name in VARIABLES)
    return _("no hay una variable {%(word)s}; hay %(names)s") % {"word": word, "names": names}


def _contradiction(conditions: Iterable[When], definition: Definition) -> str:
    """Return two conditions that are never true together, as text; "" if there are none."""
    seen: list[When] = []
    for when in conditions:
        for other in seen:
            same = (when.name, when.value) == (other.name, other.value)
            field = definition.field(when.field) if when.field else None
            one_answer = field is not None and field.type in ("choice", "yes_no", "number")
            differs = one_answer and when.name == other.name and not same
            if (same and when.negated != other.negated) or (
                differs and not when.negated and not other.negated
            ):
                return f"«{_written(other)}», «{_written(when)}»"
        seen.append(when)
    return ""


def _written(when: When) -> str:
    text = f"{when.name}={when.value}" if when.field else when.name
    return f"not {text}" if when.negated else text


@cache
def known_icons() -> frozenset[str]:
    """Return the names of the icons that pages can draw. Empty if the file cannot be found."""
    found = finders.find("icons.svg")
    return frozenset(_icons_in(File(found).read_text("utf-8"))) if isinstance(found, str) else frozenset()


def _icons_in(sprite: str) -> Iterator[str]:
    yield from re.findall(r'<symbol id="bi-([^"]+)"', sprite)
