"""The choices of time zones that forms offer."""

from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from accounts.zones import canonical_zones, is_known
from content.sorting import sort_key

from .zone_names import SPANISH_PLACES

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
    "Arctic": _("Ártico"),
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
            far.append((zone, f"{REGIONS[region]} · {_spanish(zone) or _english(place)}"))
    far.sort(key=lambda choice: sort_key(choice[1]))
    choices: list[Any] = [(_("Cercanas"), list(NEARBY_ZONES.items())), (_("Las demás"), far)]
    is_offered = current in NEARBY_ZONES or any(current == zone for zone, _label in far)
    return choices if is_offered or not is_known(current) else [(current, current), *choices]


def place_of(zone: str) -> str:
    """Return the place that a time zone is named after: «Bogotá»."""
    found = NEARBY_ZONES.get(zone) or _spanish(zone) or _english(zone.partition("/")[2] or zone)
    return str(found).rpartition(" · ")[2]


def _spanish(zone: str) -> str:
    """Return the zone's place in Spanish for readers of Spanish, «Argentina · Córdoba»; "" if it has no other name."""
    return SPANISH_PLACES.get(zone, "") if (get_language() or "es").startswith("es") else ""


def _english(place: str) -> str:
    return place.replace("_", " ").replace("/", " · ")
