"""A column to look words up in."""

from typing import Any

from django.db import models

from .text import fold


class FoldedField(models.TextField):
    """What other fields of the row say, folded: searches that mind neither case nor accents, the same on every
    database. Filled on every `save` and `bulk_create`, whatever was assigned; an `update` of those fields needs its
    own."""

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
