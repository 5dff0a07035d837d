"""The filters of the list of articles."""

from typing import Any

from django import forms
from django.conf import settings
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from knowledge.enums import Audience
from knowledge.models import Section

MOST_SECTIONS = 200


class ArticleFilter(forms.Form):
    """Choose articles by words, section, audience, language and owner. A value that is none of the choices counts for
    nothing."""

    q = forms.CharField(label=_("Buscar artículos"), required=False, max_length=200)
    seccion = forms.ChoiceField(label=_("Sección"), required=False)
    quien = forms.ChoiceField(
        label=_("Quién lo lee"), required=False, choices=[("", _("Todas las audiencias")), *Audience.choices]
    )
    idioma = forms.ChoiceField(
        label=_("Idioma"), required=False, choices=[("", _("Todos los idiomas")), *settings.LANGUAGES]
    )
    propios = forms.BooleanField(label=_("Solo los míos"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        sections = [(each.slug, str(each)) for each in Section.objects.all()[:MOST_SECTIONS]]
        self.fields["seccion"].choices = [("", _("Todas las secciones")), *sections]  # type: ignore[attr-defined]
        self.full_clean()

    def chosen(self) -> dict[str, Any]:
        """Return what was chosen, by the names of the fields."""
        return {name: value for name, value in self.cleaned_data.items() if value}

    def query(self, **more: str) -> str:
        """Return the query string with what was chosen and with `more`; empty values are left out."""
        values = {name: "1" if value is True else value for name, value in self.chosen().items()} | more
        return urlencode({name: value for name, value in values.items() if value})
