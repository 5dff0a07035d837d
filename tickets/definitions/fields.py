"""Custom fields of a process: build form fields, validate answers from any channel, and format stored answers."""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext, pgettext

from accounts.validators import phone_validator
from content.errors import InvalidData
from content.form_fields import LINE_LENGTH, LineField, LongTextField
from content.text import MAX_TEXT

from .definition import FieldDefinition


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
        help_text = str(definition.pattern_help) or gettext("Ese dato no tiene la forma esperada.")
        field.validators.append(RegexValidator(rf"^(?:{definition.pattern})$", help_text))
    return field


def _choice(definition: FieldDefinition, common: dict[str, Any]) -> forms.Field:
    options = [(option.key, str(option.label)) for option in definition.options]
    if definition.type == "multi_choice":
        return forms.MultipleChoiceField(choices=options, widget=forms.CheckboxSelectMultiple, **common)
    return forms.ChoiceField(choices=[("", gettext("Elige una opción")), *options], **common)


_BUILDERS: dict[str, Any] = {
    "text": _text,
    "long_text": lambda d, common: LongTextField(max_length=d.max_length or MAX_TEXT, **common),
    "choice": _choice,
    "multi_choice": _choice,
    "number": lambda d, common: forms.DecimalField(
        min_value=d.minimum, max_value=d.maximum, max_digits=18, decimal_places=4, localize=True, **common
    ),
    "date": lambda d, common: forms.DateField(
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}), **common
    ),
    "yes_no": lambda d, common: forms.BooleanField(**{**common, "required": False}),
    "phone": lambda d, common: LineField(max_length=32, validators=[phone_validator], **common),
}


def is_shown(definition: FieldDefinition, values: Mapping[str, Any]) -> bool:
    """Whether the field is shown, given the answers in `values`."""
    return answers_match(definition.shown_when, values)


def answers_match(conditions: Mapping[str, Iterable[str]], values: Mapping[str, Any]) -> bool:
    """Whether each field named in `conditions` has one of the answers listed for it. If a field has several answers in
    `values`, one of them is enough."""
    for key, expected in conditions.items():
        given = values.get(key)
        answers = given if isinstance(given, list | tuple) else [given]
        if not any(str(answer) in expected for answer in answers):
            return False
    return True


def answers_of(values: Mapping[str, Any], key: str) -> list[str]:
    """Return the answers stored for the choice or multi-choice field `key`, as a list of option keys."""
    given = values.get(key)
    return [str(answer) for answer in (given if isinstance(given, list | tuple) else [given]) if answer]


def clean_values(definitions: Iterable[FieldDefinition], raw: Mapping[str, Any]) -> dict[str, Any]:
    """Validate raw answers (strings, lists, booleans) and return the JSON values that a ticket stores, by field key.

    Answers to fields that are not shown are dropped, and so are empty ones. Raises `InvalidData` with the messages of
    every wrong field.
    """
    values: dict[str, Any] = {}
    errors: dict[str, list[str]] = {}
    for definition in definitions:
        if not is_shown(definition, {**raw, **values}):
            continue
        field = form_field(definition)
        field.required = definition.required and definition.type != "yes_no"
        try:
            value = field.clean(raw.get(definition.key, [] if definition.type == "multi_choice" else ""))
        except ValidationError as error:
            errors[definition.key] = error.messages
            continue
        if value not in (None, "", []):
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
            return date_format(date.fromisoformat(value))
        case "number":
            return number_format(value)
    return str(value)


def displayed_answers(
    definitions: Iterable[FieldDefinition], values: Mapping[str, Any]
) -> list[tuple[FieldDefinition, str]]:
    """Return each field that has an answer together with its displayed answer, in the order of `definitions`."""
    return [(d, display(d, values[d.key])) for d in definitions if d.key in values]
