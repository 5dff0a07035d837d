"""A model field that stores folded text (lower case, without accents) for searching."""

from typing import Any

from django.db import models

from .text import fold


class FoldedField(models.TextField):
    """Stores the folded text of other fields of the row, which `of` names. Searches in it ignore case and accents on
    every database.

    It is computed on every `save` and `bulk_create`, whatever was assigned to it. `QuerySet.update`, and `save` with
    `update_fields` that do not name this field, do not compute it: code that changes one of the other fields that way
    must update this field too.
    """

    def __init__(self, *, of: tuple[str, ...], **kwargs: Any) -> None:
        super().__init__(**{"default": "", "editable": False, **kwargs})
        self.of = tuple(of)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, "of": self.of}

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        value = fold("\n".join(getattr(model_instance, name) for name in self.of))
        setattr(model_instance, self.attname, value)
        return value
