"""The forms of sections and synonyms."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from content.form_fields import LineField
from knowledge.models import Section
from knowledge.sections import DESCRIPTION, LAST, NAME

ICONS = (
    ("journal-text", _("Cuaderno")),
    ("person", _("Persona")),
    ("credit-card", _("Tarjeta")),
    ("phone", _("Teléfono")),
    ("tools", _("Herramientas")),
    ("mortarboard", _("Estudios")),
    ("lock", _("Candado")),
    ("question-circle", _("Pregunta")),
)


class SectionForm(forms.Form):
    name = LineField(label=_("Nombre"), max_length=NAME)
    name_en = LineField(label=_("Nombre en inglés"), max_length=NAME, required=False)
    description = LineField(label=_("Descripción"), max_length=DESCRIPTION, required=False)
    description_en = LineField(label=_("Descripción en inglés"), max_length=DESCRIPTION, required=False)
    icon = forms.ChoiceField(label=_("Icono"), choices=ICONS)
    position = forms.IntegerField(
        label=_("Orden"),
        min_value=0,
        max_value=LAST,
        initial=0,
        help_text=_("La de menor número va primero."),
    )

    def __init__(self, *args: Any, section: Section | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if section is not None:
            for name in self.fields:
                self.initial[name] = getattr(section, name)
            if section.icon not in dict(ICONS):
                self.fields["icon"].choices = [*ICONS, (section.icon, section.icon)]  # type: ignore[attr-defined]


class SynonymsForm(forms.Form):
    words = LineField(
        label=_("Palabras que significan lo mismo"),
        max_length=300,
        help_text=_("Separadas por comas: clave, contraseña, password."),
    )
