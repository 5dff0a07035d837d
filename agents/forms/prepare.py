"""The form of «Preparar» (S2.3): the action's questions, with proposed values, SLA targets and possible assignees."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.models import Department, User
from tickets import clocks
from tickets.definitions.definition import Action
from tickets.enums import CaseKind, Severity
from tickets.lists import queues
from tickets.lists.preparation import Colleague
from tickets.lists.queues import MANY
from tickets.models import Ticket
from tickets.workflow.preparing import targets_by_severity
from web.forms import ActionForm
from web.wording import target_in_words

AS_TYPED = "%Y-%m-%dT%H:%M"
CARDS = ("severity", "standing")
FIELDS_WITH_A_PLACE = frozenset(
    {"severity", "department", "difficulty", "assignee", "due_at", "queue_position"}
    | {"standing", "contribution_open", "note"}
)
LABELS = {
    "queue_position": gettext_lazy("Posición en cola"),
    "note": gettext_lazy("Nota para el responsable"),
}
HELP = {
    "severity": gettext_lazy("El plazo es para la primera respuesta."),
    "contribution_open": gettext_lazy("Podrá responder desde el correo, sin entrar con su cuenta."),
}
SHORT_LIST = 5


class PrepareForm(ActionForm):
    """The form of a preparing action.

    The hidden fields hold the last proposals. A value that differs from its proposal was chosen by the person.
    """

    proposed_due = forms.CharField(required=False, widget=forms.HiddenInput)
    proposed_place = forms.CharField(required=False, widget=forms.HiddenInput)
    hide_optional = True

    def __init__(
        self, *args: Any, action: Action, ticket: Ticket, actor: User | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, action=action, ticket=ticket, actor=actor, **kwargs)
        self.ticket = ticket
        if self.files_name:  # this page takes no files: it says where else to put them
            del self.fields[self.files_name], self.asks[self.files_name], self.asked[self.files_name]
        for name in CARDS:
            if name in self.asked:
                _draw_as_cards(self.fields[name])
        self._explain()

    def _explain(self) -> None:
        """Set this page's labels and help on the standard fields for which the process has none of its own."""
        own = {ask.field for ask in self.action.asks if ask.label}
        for name, label in LABELS.items():
            if name in self.asked and name not in own:
                self.fields[name].label = label
        for name, text in HELP.items():
            if name in self.asked and not self.fields[name].help_text:
                self.fields[name].help_text = text
        if "severity" in self.asked:
            self.fields["severity"].cards = _severity_cards(self.ticket)  # type: ignore[attr-defined]
        if "department" in self.asked:
            self.fields["department"].empty_label = gettext_lazy("Elige un departamento")  # type: ignore[attr-defined]
        if "note" in self.asked:
            self.fields["note"].widget.attrs["rows"] = 2

    # --- Proposals ----------------------------------------------------------------------------------------

    @classmethod
    def proposing(cls, *, action: Action, ticket: Ticket, actor: User | None = None) -> "PrepareForm":
        """Return the form as it opens: the ticket's values, with a proposed due date and queue position (S2.4)."""
        form = cls(action=action, ticket=ticket, actor=actor)
        form.propose(severity=ticket.severity, case_kind=ticket.case_kind)
        return form

    @classmethod
    def unbound_from(
        cls,
        typed: Mapping[str, Any],
        *,
        action: Action,
        ticket: Ticket,
        actor: User | None = None,
        anew: bool = False,
    ) -> "PrepareForm":
        """Return an unbound form with what was typed so far and the proposals that follow from it.

        A due date or position that the person chose stays, unless `anew` is true.
        """
        form = cls(action=action, ticket=ticket, actor=actor)
        form.initial = {
            name: field.widget.value_from_datadict(typed, {}, name) for name, field in form.fields.items()
        }
        severity, case_kind = typed.get("severity", ""), typed.get("case_kind", "")
        form.propose(
            severity=severity if severity in Severity.values else ticket.severity,
            case_kind=case_kind if case_kind in CaseKind.values else ticket.case_kind,
            department=form._department(),
            anew=anew,
        )
        return form

    def _department(self) -> Department | None:
        try:
            return self.fields["department"].clean(self.initial["department"])
        except (KeyError, ValidationError):
            return None

    @property
    def department_id(self) -> int | None:
        """The id of the department chosen so far, or None. If the action does not ask for it, the ticket's department
        id."""
        if "department" not in self.asked:
            return self.ticket.department_id
        chosen = str(self["department"].value() or "")
        return int(chosen) if re.fullmatch(r"[0-9]{1,18}", chosen) else None

    def propose(
        self, *, severity: str, case_kind: str, department: Department | None = None, anew: bool = True
    ) -> None:
        """Propose a due date and a queue position. With `anew`, the proposals also replace values that the person
        chose."""
        due = clocks.proposed_due(self.ticket, severity=severity, case_kind=case_kind, now=timezone.now())
        if "due_at" in self.asked and due is not None:
            self._propose("due_at", "proposed_due", _as_typed(due), anew=anew)
            self.fields["due_at"].help_text = _("Según los plazos del proceso.")
        if "queue_position" in self.asked:
            place = queues.proposed_place(self.ticket, department=department)
            self._propose("queue_position", "proposed_place", str(place.position), anew=anew)
            self.fields["queue_position"].help_text = _place_text(place.ahead)

    def _propose(self, name: str, memory: str, value: str, *, anew: bool) -> None:
        if anew or str(self.initial.get(name) or "") == str(self.initial.get(memory) or ""):
            self.initial[name] = value
        self.initial[memory] = value

    # --- People -------------------------------------------------------------------------------------------

    def offer(self, people: list[Colleague]) -> None:
        """Show the possible assignees as cards, in the order of `people`."""
        field: Any = self.fields["assignee"]
        field.widget = forms.RadioSelect(attrs=field.widget.attrs)
        nobody = [] if field.required else [("", _("Sin responsable todavía"))]
        field.choices = [*nobody, *((person.pk, person.name) for person in people)]
        most = max((person.load for person in people), default=0) or 1
        field.cards = {
            person.pk: {"person": person, "percent": round(100 * person.load / most)} for person in people
        }

    def people(self) -> dict[str, list[Any]]:
        """Return the cards of people: `first` are shown at once, `rest` behind «ver a … más».

        The chosen person is always in `first`.
        """
        bound = self["assignee"]
        field: Any = bound.field
        chosen = str(bound.value() or "")
        first: list[Any] = []
        rest: list[Any] = []
        for option in bound.subwidgets:
            value = option.data["value"]
            card = field.cards.get(value)
            is_near = card is None or card["person"].is_of_department
            is_first = str(value) == chosen or (is_near and len(first) < SHORT_LIST)
            (first if is_first else rest).append({"option": option, "card": card})
        while rest and len(first) < 3:
            first.append(rest.pop(0))
        return {"first": first, "rest": rest}

    def others(self) -> list[forms.BoundField]:
        """Return the asked fields that have no fixed place on the page."""
        return [self[name] for name in self.asked if name not in FIELDS_WITH_A_PLACE]


def _draw_as_cards(field: Any) -> None:
    choices = [choice for choice in field.choices if choice[0] != ""]
    field.widget = forms.RadioSelect()
    field.choices = choices


def _severity_cards(ticket: Ticket) -> dict[str, dict[str, Any]]:
    """Return the card of each severity: its colour token and its target (S0.19)."""
    return {
        severity: {"sev": Severity(severity).value, "aside": target_in_words(target, short=True)}
        for severity, target in targets_by_severity(ticket).items()
    }


def _as_typed(moment: datetime) -> str:
    """Return `moment` in the person's time zone, in the format of the browser's date and time input."""
    return timezone.localtime(moment).strftime(AS_TYPED)


def _place_text(ahead: int) -> str:
    if ahead >= MANY:
        return _(
            "Queda detrás de %(n)d o más que llegaron antes. En la misma posición va primero el más antiguo."
        ) % {"n": MANY}
    if not ahead:
        return _("Es el primero en orden de llegada.")
    text = ngettext(
        "Queda detrás de %(n)d que llegó antes. En la misma posición va primero el más antiguo.",
        "Queda detrás de %(n)d que llegaron antes. En la misma posición va primero el más antiguo.",
        ahead,
    )
    return text % {"n": ahead}
