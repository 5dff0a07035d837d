"""Asks: the fields that an action may ask for. They are standard fields or custom fields of the process.

A standard ask has a form field, and a function that puts its answer on the ticket. Pages show these fields, and
`perform` cleans the answers with the same fields, so that both follow one rule.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import OperationalError, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.enums import Standing
from accounts.models import Department, Membership, User
from content.errors import InvalidData
from content.form_fields import LongTextField

from .. import clocks, folios, policies
from ..actors import Actor, user_of
from ..attachments import attach_drafts
from ..definitions.definition import Action, Ask, Definition, FileLimits, Text
from ..definitions.fields import form_field, is_shown, to_json_value
from ..enums import CaseKind, ContactKind, ContactOutcome, MessageKind, Severity
from ..exceptions import NotAllowed
from ..models import Attachment, ContactEntry, Ticket
from ..models.ticket import LAST_POSITION
from ..record.messages import write_message
from ..requesters.accounts import require_another, set_requester
from ..requesters.guests import switch_contribution
from ..requesters.standing import apply_standing
from . import guards
from .step import Step

SCREENSHOT_LIMITS = FileLimits(kinds=("image",), max_files=5, max_mb=10)
LATEST_DUE = timedelta(days=3 * 365)


@dataclass(frozen=True)
class StandardAsk:
    """One standard field: `build` makes its form field, `initial` reads its value, `apply` sets it."""

    build: Callable[[Ticket, dict[str, Any]], forms.Field]
    initial: Callable[[Ticket], Any]
    apply: Callable[[Step, Any], None]


def _set(name: str) -> Callable[[Step, Any], None]:
    def apply(step: Step, value: Any) -> None:
        setattr(step.ticket, name, value)

    return apply


def _get(name: str) -> Callable[[Ticket], Any]:
    return lambda ticket: getattr(ticket, name)


def _apply_nothing(step: Step, value: Any) -> None:
    """Do nothing: no column stores the answer, and `perform` posts it as a message."""


def validate_due_date(value: Any) -> None:
    """Raise `ValidationError` for a date that has passed or is further away than `LATEST_DUE`."""
    if value <= timezone.now():
        raise ValidationError(_("Elige una fecha y hora que todavía no pasó."))
    if value > timezone.now() + LATEST_DUE:
        raise ValidationError(_("Esa fecha está a más de tres años."))


class DuplicateField(forms.CharField):
    """The folio of the ticket that stays open. `clean` returns that ticket; it must be of the same requester.

    A ticket that `actor` may not see does not exist for this field, so that its errors tell nobody whose it is (B17).
    """

    actor: Actor | None = None

    default_error_messages = {
        "unknown": _("No encontramos un ticket del mismo solicitante con ese folio."),
        "several": _("Escribiste más de un folio. Deja solo el del ticket que queda vigente."),
    }

    def __init__(self, ticket: Ticket, **kwargs: Any) -> None:
        self.ticket = ticket
        super().__init__(max_length=folios.LONGEST, **kwargs)

    def clean(self, value: Any) -> Ticket | None:
        text = super().clean(value)
        if not text:
            return None
        others = Ticket.objects.exclude(pk=self.ticket.pk).filter(folio__in=folios.named_in(text))
        if self.ticket.requester_id:
            others = others.filter(requester=self.ticket.requester_id)
        else:
            others = others.filter(requester=None, requester_email__iexact=self.ticket.requester_email)
        found = [other for other in others if self.actor is None or policies.can_view(self.actor, other)]
        if len(found) != 1:
            problem = "several" if found else "unknown"
            raise ValidationError(self.error_messages[problem], code=problem)
        survivor: Ticket = found[0]
        return survivor


class ScreenshotsField(forms.CharField):
    """Pictures uploaded for the action. `clean` takes and returns the `draft_key` under which they wait."""

    default_error_messages = {"required": _("Adjunta al menos una captura.")}
    limits = SCREENSHOT_LIMITS

    def clean(self, value: Any) -> str:
        key = str(value or "")
        if key and Attachment.objects.drafts(key).filter(kind="image").exists():
            return key
        return str(super().clean(""))


class AccountField(forms.EmailField):
    """The address of an existing, active account (S2.26). `clean` returns its user."""

    default_error_messages = {"unknown": _("No hay una cuenta con ese correo. Créala primero.")}

    def clean(self, value: Any) -> User | None:
        address = super().clean(value)
        if not address:
            return None
        user = User.objects.filter(email__iexact=address, is_active=True).first()
        if user is None:
            raise ValidationError(self.error_messages["unknown"], code="unknown")
        return user


def _set_due(step: Step, value: Any) -> None:
    clocks.agree_due(step.ticket, due=value, now=step.now)


def _set_standing(step: Step, value: str) -> None:
    apply_standing(step.ticket, Standing(value), now=step.now)


def _set_contribution(step: Step, value: bool) -> None:
    switch_contribution(step.ticket, is_open=value)


def _set_requester(step: Step, value: User) -> None:
    require_another(step.ticket, value, actor=step.actor)
    set_requester(step.ticket, value)


def _set_duplicate(step: Step, value: Ticket) -> None:
    """Set the ticket that stays, as it is now and locked, so that two tickets cannot become duplicates of each other.

    Does not wait for that lock: whoever holds it may wait for ours.
    """
    try:
        with transaction.atomic():
            row = Ticket.objects.select_for_update(of=("self",), nowait=True).get(pk=value.pk)
    except OperationalError as error:
        problem = str(_("Alguien está cambiando ese ticket ahora. Inténtalo otra vez."))
        raise InvalidData({"duplicate_of": [problem]}) from error
    step.ticket.duplicate_of = row


def _record_call(step: Step, value: str) -> None:
    """Log a call with its outcome, «fallida/ Exitosa», and its caller (S2.22). Raises `NotAllowed` if `actor` is no
    user."""
    user = user_of(step.actor)
    if user is None:
        raise NotAllowed
    entry = ContactEntry.objects.create(
        ticket=step.ticket, kind=ContactKind.CALL, outcome=value, by=user, at=step.now
    )
    step.ticket.call_due_since = None
    step.facts |= {"contact": entry.pk, "outcome": value}


def _keep_screenshots(step: Step, draft_key: str) -> None:
    """Put the pictures into an internal note, because what WhatsApp shows is for the team (S2.14)."""
    body = _("Capturas de la conversación de WhatsApp.")
    note = write_message(step.ticket, MessageKind.NOTE, author=step.actor, body=str(body), at=step.now)
    attach_drafts(step.ticket, draft_key, actor=step.actor, message=note)


def _staff(ticket: Ticket, common: dict[str, Any]) -> forms.Field:
    """Return a field to choose a staff member, those of the ticket's department first."""
    here = Membership.objects.filter(user=OuterRef("pk"), department=ticket.department_id)
    people = User.objects.staff().order_by(Exists(here).desc(), "name")
    return forms.ModelChoiceField(
        people, **{"label": _("Responsable"), "empty_label": _("Elige una opción"), **common}
    )


def _choices(enum: Any, label: Any) -> Callable[[Ticket, dict[str, Any]], forms.Field]:
    return lambda ticket, common: forms.ChoiceField(**{"choices": enum.choices, "label": label, **common})


def _found(enum: Any, label: Any) -> Callable[[Ticket, dict[str, Any]], forms.Field]:
    """Build the choice of what somebody found out. No option is chosen in advance: pressing a button must not confirm a
    fact that nobody has verified."""
    choices = [("", _("Elige una opción")), *enum.choices]
    return lambda ticket, common: forms.ChoiceField(**{"choices": choices, "label": label, **common})


def _long(label: Any) -> Callable[[Ticket, dict[str, Any]], forms.Field]:
    return lambda ticket, common: LongTextField(**{"label": label, **common})


DIFFICULTIES = [
    (1, _("1 · Muy simple")),
    (2, _("2 · Conocida")),
    (3, _("3 · Normal")),
    (4, _("4 · Difícil")),
    (5, _("5 · Muy difícil")),
]


def _no_initial(ticket: Ticket) -> None:
    return None


STANDARD_ASKS: dict[str, StandardAsk] = {
    "assignee": StandardAsk(_staff, _get("assignee"), _set("assignee")),
    "department": StandardAsk(
        lambda ticket, common: forms.ModelChoiceField(
            Department.objects.filter(is_active=True),
            **{"label": _("Departamento"), "empty_label": _("Elige una opción"), **common},
        ),
        _get("department"),
        _set("department"),
    ),
    "severity": StandardAsk(_choices(Severity, _("Severidad")), _get("severity"), _set("severity")),
    "case_kind": StandardAsk(_choices(CaseKind, _("Clase de caso")), _get("case_kind"), _set("case_kind")),
    "difficulty": StandardAsk(
        lambda ticket, common: forms.TypedChoiceField(
            **{
                "choices": DIFFICULTIES,
                "coerce": int,
                "empty_value": None,
                "label": _("Nivel de dificultad"),
                **common,
            }
        ),
        lambda ticket: ticket.difficulty or 2,
        _set("difficulty"),
    ),
    "queue_position": StandardAsk(
        lambda ticket, common: forms.IntegerField(
            min_value=1, max_value=LAST_POSITION, **{"label": _("Ubicación en la cola"), **common}
        ),
        _get("queue_position"),
        _set("queue_position"),
    ),
    "due_at": StandardAsk(
        lambda ticket, common: forms.DateTimeField(
            validators=[validate_due_date],
            widget=forms.DateTimeInput(format="%Y-%m-%dT%H:%M", attrs={"type": "datetime-local"}),
            input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%d/%m/%Y %H:%M", "%Y-%m-%d %H:%M"],
            **{"label": _("Fecha de cierre"), **common},
        ),
        lambda ticket: clocks.closing_date(ticket, now=timezone.now()),
        _set_due,
    ),
    "standing": StandardAsk(
        _found(Standing, _("Estatus administrativo")),
        lambda ticket: ticket.requester.standing if ticket.requester and ticket.standing_checked_at else None,
        _set_standing,
    ),
    "contribution_open": StandardAsk(
        lambda ticket, common: forms.BooleanField(**{"label": _("Habilitar aporte de usuario"), **common}),
        _get("contribution_open"),
        _set_contribution,
    ),
    "requester": StandardAsk(
        lambda ticket, common: AccountField(**{"label": _("Cuenta del solicitante"), **common}),
        _get("requester_email"),
        _set_requester,
    ),
    "duplicate_of": StandardAsk(
        lambda ticket, common: DuplicateField(
            ticket, **{"label": _("Folio del ticket que queda vigente"), **common}
        ),
        _no_initial,
        _set_duplicate,
    ),
    "call_outcome": StandardAsk(
        _found(ContactOutcome, _("Resultado de la llamada")), _no_initial, _record_call
    ),
    "solution_done": StandardAsk(_long(_("Qué se hizo")), _get("solution_done"), _set("solution_done")),
    "solution_steps": StandardAsk(
        _long(_("Pasos para el solicitante")), _get("solution_steps"), _set("solution_steps")
    ),
    "screenshots": StandardAsk(
        lambda ticket, common: ScreenshotsField(**{"label": _("Capturas de WhatsApp"), **common}),
        _no_initial,
        _keep_screenshots,
    ),
    "message": StandardAsk(_long(_("Mensaje")), _no_initial, _apply_nothing),
    "note": StandardAsk(_long(_("Nota interna")), _no_initial, _apply_nothing),
}


def asked_by(action: Action, ticket: Ticket, *, actor: Actor | None) -> list[Ask]:
    """Return what `action` asks, and after it what its guards lack today, if the actor may answer that as staff.

    So a guard refuses nobody for something that the form could have asked.
    """
    asks = list(action.asks)
    if actor is None or not action.guards or not policies.can_answer(actor, ticket):
        return asks
    step = Step(ticket, ticket.definition, action, actor, {}, timezone.now())
    for refusal in guards.refusals(step):
        known = {ask.field for ask in asks}
        asks += [
            Ask(name, help=Text(str(refusal)), by_guard=True) for name in refusal.asks if name not in known
        ]
    return asks


def fields_of(asks: Iterable[Ask], ticket: Ticket, *, actor: Actor | None = None) -> dict[str, forms.Field]:
    """Return the form fields of `asks`, by name, with the ticket's present values as initial ones. With an `actor`,
    they find only what that person may see."""
    fields = {ask.field: _field(ask, ticket, ticket.definition) for ask in asks}
    for field in fields.values():
        if isinstance(field, DuplicateField):
            field.actor = actor
    return fields


def _field(ask: Ask, ticket: Ticket, definition: Definition) -> forms.Field:
    common: dict[str, Any] = {"required": ask.required}
    if ask.label:
        common["label"] = str(ask.label)
    if ask.help:
        common["help_text"] = str(ask.help)
    standard = STANDARD_ASKS.get(ask.field)
    if standard is not None:
        if ask.field == "contribution_open":
            common["required"] = False  # a required switch would refuse «off»
        if ask.field == "severity" and definition.severity_label:
            common.setdefault("label", str(definition.severity_label))
        field = standard.build(ticket, common)
        field.initial = standard.initial(ticket)
        return field
    own = definition.field(ask.field)
    if own is None:
        raise LookupError(f"publishing checks that field {ask.field} exists")
    field = form_field(own)
    # `clean` requires it only when it is shown
    field.required = ask.required and (ask.by_guard or not own.shown_when)
    field.label = common.get("label", field.label)
    # The guard's «Completa «…»» says no more than the asterisk; the field's own help says how.
    if not (ask.by_guard and field.help_text):
        field.help_text = common.get("help_text", field.help_text)
    field.initial = ticket.fields.get(ask.field)
    return field


def clean(
    action: Action,
    ticket: Ticket,
    definition: Definition,
    raw: Mapping[str, Any],
    *,
    actor: Actor | None = None,
) -> dict[str, Any]:
    """Return the cleaned answers to what `action` asks. Raises `InvalidData` with every field's messages.

    What only a guard asks for may be left out of `raw`: then the guard itself refuses.

    `raw` may hold what a form posted or values already cleaned (a user, a date): both are accepted. Answers to fields
    that `shown_when` hides are left out.
    """
    values: dict[str, Any] = {}
    errors: dict[str, list[str]] = {}
    more = raw.keys() - {ask.field for ask in action.asks}
    asked = asked_by(action, ticket, actor=actor if more else None)
    fields = fields_of(asked, ticket, actor=actor)
    for ask in asked:
        name, own = ask.field, definition.field(ask.field)
        if ask.by_guard and name not in raw:
            continue
        if own is not None and own.shown_when and not ask.by_guard:
            if not is_shown(own, {**ticket.fields, **raw, **values}, definition.field):
                continue
            fields[name].required = ask.required
        try:
            values[name] = fields[name].clean(_raw(raw.get(name), fields[name]))
        except ValidationError as error:
            errors[name] = error.messages
    if errors:
        raise InvalidData(errors)
    return values


def _raw(value: Any, field: forms.Field) -> Any:
    """Return `value` as a form would post it (a key, an address, a folio), so that its field can clean it."""
    if isinstance(field, AccountField):
        return getattr(value, "email", value)
    if isinstance(value, User | Department):
        return value.pk
    return getattr(value, "folio", value)


def apply(step: Step) -> None:
    """Put the answers on the ticket, without saving it.

    Blank answers to optional asks change nothing, except that a solution without steps removes the steps of an earlier
    one. The requester is set first, because other answers, such as standing, are about them.
    """
    for name, value in sorted(step.data.items(), key=lambda answer: answer[0] != "requester"):
        if value in (None, "", []) and name != "solution_steps":
            continue
        standard = STANDARD_ASKS.get(name)
        if standard is not None:
            standard.apply(step, value)
        else:
            step.ticket.fields = {**step.ticket.fields, name: to_json_value(value)}
