"""Form fields for text that people type, and the same validation for values that come without a form."""

from collections.abc import Callable, Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from .errors import InvalidData
from .text import MAX_TEXT, TextTooLong, clean_line, clean_text

LINE_LENGTH = 200


class LineField(forms.CharField):
    """One line, cleaned with `clean_line`. `max_length` counts the cleaned text."""

    def to_python(self, value: Any) -> str:
        return _cleaned(clean_line, super().to_python(value), self.max_length or LINE_LENGTH)


class LongTextField(forms.CharField):
    """Several lines, cleaned with `clean_text`. `max_length` counts the cleaned text."""

    widget = forms.Textarea

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_length": MAX_TEXT, "strip": False, **kwargs})

    def to_python(self, value: Any) -> str:
        return _cleaned(clean_text, super().to_python(value), self.max_length or MAX_TEXT)


def cleaned_values(given: Mapping[str, Any], **fields: forms.Field) -> dict[str, Any]:
    """Clean each value of `given` with the form field of the same name and return the results by name.

    Raises `InvalidData` with the messages of every field that refuses its value.
    """
    values: dict[str, Any] = {}
    errors: dict[str, list[str]] = {}
    for name, field in fields.items():
        try:
            values[name] = field.clean(given.get(name))
        except ValidationError as error:
            errors[name] = error.messages
    if errors:
        raise InvalidData(errors)
    return values


def _cleaned(clean: Callable[..., str], value: Any, max_length: int) -> str:
    try:
        return clean(value or "", max_length=max_length)
    except TextTooLong as error:
        raise ValidationError(str(error)) from error
