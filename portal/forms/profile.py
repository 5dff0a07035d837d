"""The form of a person's profile."""

import zoneinfo
from functools import lru_cache
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.enums import Theme
from accounts.models import User
from accounts.validators import phone_validator
from content.form_fields import LineField

# Zones where most customers live, by the names used there. They are listed before all others.
NEARBY_ZONES = {
    "America/Caracas": _("Caracas"),
    "America/Bogota": _("Bogotá"),
    "America/Mexico_City": _("Ciudad de México"),
    "America/Lima": _("Lima"),
    "America/Santiago": _("Santiago de Chile"),
    "America/Argentina/Buenos_Aires": _("Buenos Aires"),
    "America/Guayaquil": _("Guayaquil y Quito"),
    "America/La_Paz": _("La Paz"),
    "America/Asuncion": _("Asunción"),
    "America/Montevideo": _("Montevideo"),
    "America/Panama": _("Panamá"),
    "America/Costa_Rica": _("Costa Rica"),
    "America/Guatemala": _("Guatemala"),
    "America/Santo_Domingo": _("Santo Domingo"),
    "America/Havana": _("La Habana"),
    "America/Puerto_Rico": _("Puerto Rico"),
    "America/New_York": _("Nueva York y Miami"),
    "Europe/Madrid": _("Madrid"),
    "Atlantic/Canary": _("Canarias"),
}
REGIONS = {
    "Africa": _("África"),
    "America": _("América"),
    "Antarctica": _("Antártida"),
    "Asia": _("Asia"),
    "Atlantic": _("Atlántico"),
    "Australia": _("Australia"),
    "Europe": _("Europa"),
    "Indian": _("Índico"),
    "Pacific": _("Pacífico"),
}


@lru_cache(maxsize=1)
def _other_zones() -> list[tuple[str, str, str]]:
    known = sorted(zoneinfo.available_timezones() - NEARBY_ZONES.keys())
    split = [(zone, *zone.partition("/")[::2]) for zone in known]
    return [
        (zone, region, rest.replace("_", " ").replace("/", " · "))
        for zone, region, rest in split
        if region in REGIONS
    ]


def zone_choices(current: str) -> list[Any]:
    """Return the choices of time zones: nearby ones first, then the others. An unknown `current` is put on top.

    Each zone appears once, because a browser would select the second of two options with the same value.
    """
    far = [(zone, f"{REGIONS[region]} · {rest}") for zone, region, rest in _other_zones()]
    choices: list[Any] = [(_("Cercanas"), list(NEARBY_ZONES.items())), (_("Las demás"), far)]
    return (
        choices
        if current in NEARBY_ZONES or any(current == zone for zone, _label in far)
        else [(current, current), *choices]
    )


class ProfileForm(forms.ModelForm):
    name = LineField(
        label=_("Nombre"), max_length=120, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    phone = LineField(
        label=_("Teléfono o WhatsApp"),
        max_length=32,
        required=False,
        validators=[phone_validator],
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel"}),
    )
    theme = forms.ChoiceField(label=_("Tema"), choices=Theme.choices, widget=forms.RadioSelect)

    class Meta:
        model = User
        fields = ("name", "phone", "language", "time_zone", "theme", "notify_by_email", "keyboard_shortcuts")
        labels = {
            "language": _("Idioma"),
            "time_zone": _("Zona horaria"),
            "notify_by_email": _("Recibir un correo con cada novedad"),
            "keyboard_shortcuts": _("Atajos de una tecla"),
        }
        help_texts = {"notify_by_email": _("Lo puedes cambiar en cada ticket.")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["time_zone"].widget = forms.Select(choices=zone_choices(self.instance.time_zone))
        if not self.instance.is_desk_staff:
            del self.fields["keyboard_shortcuts"]

    def save(self, commit: bool = True) -> User:
        """Save only the fields of this form: a posted role or e-mail address changes nothing (B21)."""
        self.instance.save(update_fields=list(self.fields))
        return self.instance
