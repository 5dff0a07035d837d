"""Custom fields of a process: build form fields, validate answers from any channel, and format stored answers."""

import logging
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.formats import number_format
from django.utils.timezone import localdate
from django.utils.translation import gettext, pgettext

from accounts.validators import phone_validator
from content.dates import whole_day
from content.errors import InvalidData
from content.form_fields import LINE_LENGTH, LineField, LongTextField
from content.text import MAX_TEXT

from .definition import Definition, FieldDefinition
from .patterns import PatternError, compiled

logger = logging.getLogger(__name__)
FieldOf = Callable[[str], FieldDefinition | None]


def form_field(definition: FieldDefinition) -> forms.Field:
    """Return the Django form field for `definition`. `clean_values` validates with it too, so that every channel has
    the same rules."""
    common: dict[str, Any] = {
        "label": str(definition.label),
        "help_text": str(definition.help),
        # A field with `shown_when` is required only if it is shown, which depends on other answers. Functions that have
        # those answers set `required` themselves.
        "required": definition.required and not definition.shown_when,
    }
    field = _BUILDERS[definition.type](definition, common)
    if definition.placeholder:
        field.widget.attrs["placeholder"] = str(definition.placeholder)
    return field


def _text(definition: FieldDefinition, common: dict[str, Any]) -> forms.Field:
    field = LineField(max_length=definition.max_length or LINE_LENGTH, **common)
    if definition.pattern:
        field.validators.append(_pattern_validator(definition))
    return field


def _pattern_validator(definition: FieldDefinition) -> Callable[[str], None]:
    """Return the validator of the field's pattern. A pattern of an old version that cannot be matched in linear time
    accepts every answer: refusing them all would close the process."""

    def validate(value: str) -> None:
        try:
            fits = compiled(definition.pattern).fits(value)
        except PatternError:
            logger.warning(
                "the pattern of field %s cannot be checked safely: %s", definition.key, definition.pattern
            )
            return
        if not fits:
            raise ValidationError(
                str(definition.pattern_help) or gettext("Ese dato no tiene la forma esperada."),
                code="invalid",
            )

    return validate


def _choice(definition: FieldDefinition, common: dict[str, Any]) -> forms.Field:
    options = [(option.key, str(option.label)) for option in definition.options]
    if definition.type == "multi_choice":
        return forms.MultipleChoiceField(choices=options, widget=forms.CheckboxSelectMultiple, **common)
    return forms.ChoiceField(choices=[("", gettext("Elige una opción")), *options], **common)


def _date(definition: FieldDefinition, common: dict[str, Any]) -> forms.Field:
    """Return a field for the days that the definition accepts. Today is that of the active time zone."""
    attributes = {"type": "date"}
    validators = []
    if definition.days:
        today = localdate()
        is_past = definition.days == "past"
        attributes["max" if is_past else "min"] = today.isoformat()
        validators = [
            MaxValueValidator(today, gettext("Elige una fecha que ya pasó, o la de hoy."))
            if is_past
            else MinValueValidator(today, gettext("Elige la fecha de hoy o una que venga."))
        ]
    widget = forms.DateInput(format="%Y-%m-%d", attrs=attributes)
    return forms.DateField(widget=widget, validators=validators, **common)


class YesNoField(forms.BooleanField):
    """A checkbox that also reads the words of `YES` and `NO`: channels without checkboxes send those."""

    def to_python(self, value: Any) -> bool:
        answer = _yes_or_no(value)
        if answer not in ("yes", "no"):
            raise ValidationError(gettext("Responde sí o no."), code="invalid")
        return answer == "yes"


_BUILDERS: dict[str, Any] = {
    "text": _text,
    "long_text": lambda d, common: LongTextField(max_length=d.max_length or MAX_TEXT, **common),
    "choice": _choice,
    "multi_choice": _choice,
    "number": lambda d, common: forms.DecimalField(
        min_value=d.minimum, max_value=d.maximum, max_digits=18, decimal_places=4, localize=True, **common
    ),
    "date": _date,
    "yes_no": lambda d, common: YesNoField(**{**common, "required": False}),
    "phone": lambda d, common: LineField(max_length=32, validators=[phone_validator], **common),
}


def is_shown(definition: FieldDefinition, values: Mapping[str, Any], field_of: FieldOf) -> bool:
    """Whether the field is shown, given the answers in `values`, posted or stored."""
    return answers_match(definition.shown_when, values, field_of)


def answers_match(
    conditions: Mapping[str, Iterable[str]], values: Mapping[str, Any], field_of: FieldOf
) -> bool:
    """Whether each field named in `conditions` has one of the answers listed for it. If a field has several answers in
    `values`, one of them is enough. `field_of` returns a field's definition by its key."""
    return all(
        any(is_answer(values.get(key), answer, field_of(key)) for answer in expected)
        for key, expected in conditions.items()
    )


def is_answer(given: Any, expected: str, field: FieldDefinition | None) -> bool:
    """Whether `given`, posted or stored, is the answer that a process file writes as `expected`.

    Numbers are compared by value. A yes/no field that was never ticked has the answer «no».
    """
    if isinstance(given, list | tuple):
        return any(is_answer(answer, expected, field) for answer in given)
    if field is not None and field.type == "yes_no":
        return _yes_or_no(given) == _yes_or_no(expected)
    if field is not None and field.type == "number":
        return given not in (None, "") and _number(given) == _number(expected)
    return str(given) == expected


YES, NO = (
    frozenset({"yes", "true", "sí", "si", "on", "1"}),
    frozenset({"no", "false", "none", "off", "0", ""}),
)
"""The ways to write the answers of a yes/no field in lower case. «true» and «on» are what rows and forms hold."""


def _yes_or_no(answer: Any) -> str:
    word = str(answer).strip().lower()
    return "yes" if word in YES else "no" if word in NO else word


def _number(answer: Any) -> Decimal | str:
    """Return the answer as a number; as text if it is none. «NaN» is none: comparing «sNaN» raises an error."""
    try:
        number = Decimal(str(answer).strip().replace(",", "."))
    except InvalidOperation:
        return str(answer)
    return number if number.is_finite() else str(answer)


def is_possible_answer(expected: str, field: FieldDefinition) -> bool:
    """Whether the field could have the answer that a process file writes as `expected`."""
    match field.type:
        case "choice" | "multi_choice":
            return expected in {option.key for option in field.options}
        case "yes_no":
            return expected.strip().lower() in YES | NO
        case "number":
            return isinstance(_number(expected), Decimal)
    return True


def is_blank(answer: Any) -> bool:
    """Whether a stored answer says nothing. The number 0 and an unticked yes/no say something."""
    return answer is None or answer in ("", [])


def answers_of(values: Mapping[str, Any], key: str) -> list[str]:
    """Return the answers stored for the choice or multi-choice field `key`, as a list of option keys."""
    given = values.get(key)
    return [str(answer) for answer in (given if isinstance(given, list | tuple) else [given]) if answer]


def clean_values(definitions: Iterable[FieldDefinition], raw: Mapping[str, Any]) -> dict[str, Any]:
    """Validate raw answers (strings, lists, booleans) and return the JSON values that a ticket stores, by field key.

    Answers to fields that are not shown are dropped, and so are empty ones. Raises `InvalidData` with the messages of
    every wrong field.
    """
    definitions = list(definitions)
    field_of = {definition.key: definition for definition in definitions}.get
    values: dict[str, Any] = {}
    errors: dict[str, list[str]] = {}
    for definition in definitions:
        if not is_shown(definition, {**raw, **values}, field_of):
            continue
        field = form_field(definition)
        field.required = definition.required and definition.type != "yes_no"
        try:
            value = field.clean(raw.get(definition.key, [] if definition.type == "multi_choice" else ""))
        except ValidationError as error:
            errors[definition.key] = error.messages
            continue
        if not is_blank(value):
            values[definition.key] = to_json_value(value)
    if errors:
        raise InvalidData(errors)
    return values


def to_json_value(value: Any) -> Any:
    """Return a cleaned answer as a JSON value: dates become ISO strings, decimals numbers."""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value


def display(definition: FieldDefinition, value: Any) -> str:
    """Return a stored answer as text in the active language: option labels, «Sí» or «No», local dates and numbers."""
    match definition.type:
        case "choice":
            return definition.option_label(value)
        case "multi_choice":
            return ", ".join(definition.option_label(item) for item in value)
        case "yes_no":
            return pgettext("answer", "Sí") if value else pgettext("answer", "No")
        case "date":
            return whole_day(date.fromisoformat(value))
        case "number":
            return number_format(value)
    return str(value)


def title_from_answers(definition: Definition, values: Mapping[str, Any]) -> str:
    """Return the title that the answers in `values` make («Pantalla rota · Samsung»), in the active language. Empty if
    the process makes none."""
    fields = filter(None, map(definition.field, definition.title_from))
    return " · ".join(text for _field, text in displayed_answers(fields, values))


def displayed_answers(
    definitions: Iterable[FieldDefinition], values: Mapping[str, Any]
) -> list[tuple[FieldDefinition, str]]:
    """Return each field that has an answer together with its displayed answer, in the order of `definitions`."""
    return [(d, display(d, values[d.key])) for d in definitions if d.key in values]
