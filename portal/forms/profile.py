"""The form of a person's profile."""

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from accounts.enums import Theme
from accounts.models import User
from accounts.validators import phone_validator
from accounts.zones import canonical_zones, is_known
from content.form_fields import LineField
from content.sorting import sort_key

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


def zone_choices(current: str) -> list[Any]:
    """Return the choices of time zones: nearby ones first, then the others by region. If `current` is an old name of a
    zone, which the system still knows, it is put on top. A name that it does not know is left out.

    Each zone appears once, because a browser would select the second of two options with the same value.
    """
    far = []
    for zone in canonical_zones() - NEARBY_ZONES.keys():
        region, _slash, place = zone.partition("/")
        if region in REGIONS:
            far.append((zone, f"{REGIONS[region]} · {place.replace('_', ' ').replace('/', ' · ')}"))
    far.sort(key=lambda choice: sort_key(choice[1]))
    choices: list[Any] = [(_("Cercanas"), list(NEARBY_ZONES.items())), (_("Las demás"), far)]
    is_offered = current in NEARBY_ZONES or any(current == zone for zone, _label in far)
    return choices if is_offered or not is_known(current) else [(current, current), *choices]


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
        if not is_known(self.instance.time_zone):
            self.initial["time_zone"] = settings.DESK_TIME_ZONE
        self.fields["time_zone"].widget = forms.Select(choices=zone_choices(self.instance.time_zone))
        for field in self.fields.values():  # Django would add hidden inputs where a default is a function
            field.show_hidden_initial = False
        if not self.instance.is_desk_staff:
            del self.fields["keyboard_shortcuts"]

    def save(self, commit: bool = True) -> User:
        """Save only the fields of this form: a posted role or e-mail address changes nothing (B21)."""
        self.instance.save(update_fields=list(self.fields))
        return self.instance
