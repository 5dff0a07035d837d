"""Public holidays of countries and regions, from the package `holidays`, to be copied into a calendar.

The package knows hundreds of calendars and is loaded only when somebody copies.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from content.errors import InvalidData

from ..calendars import CalendarRules
from ..calendars.rules import OwnDay

COUNTRIES = {
    "AR": "Argentina",
    "BO": "Bolivia",
    "BR": gettext_lazy("Brasil"),
    "CL": "Chile",
    "CO": "Colombia",
    "CR": "Costa Rica",
    "CU": "Cuba",
    "DO": gettext_lazy("República Dominicana"),
    "EC": "Ecuador",
    "ES": gettext_lazy("España"),
    "GQ": gettext_lazy("Guinea Ecuatorial"),
    "GT": "Guatemala",
    "HN": "Honduras",
    "MX": gettext_lazy("México"),
    "NI": "Nicaragua",
    "PA": gettext_lazy("Panamá"),
    "PE": gettext_lazy("Perú"),
    "PR": "Puerto Rico",
    "PT": "Portugal",
    "PY": "Paraguay",
    "SV": "El Salvador",
    "US": gettext_lazy("Estados Unidos"),
    "UY": "Uruguay",
    "VE": "Venezuela",
}
YEARS = range(1990, 2101)


@dataclass(frozen=True)
class Copied:
    """The rules with the holidays added, and the days that were added. Days that the calendar had stay as they were."""

    rules: CalendarRules
    added: tuple[OwnDay, ...]


def regions(country: str) -> tuple[str, ...]:
    """Return the codes of the country's regions that have holidays of their own."""
    from holidays import list_supported_countries

    return tuple(sorted(list_supported_countries(include_aliases=False).get(country, ())))


def copy_holidays(rules: CalendarRules, *, country: str, region: str = "", years: Iterable[int]) -> Copied:
    """Add the holidays of `years`. Raises `InvalidData` for a country, region or year that is not known."""
    has = {own.day for own in rules.days}
    added = tuple(own for own in holidays_of(country, region, years) if own.day not in has)
    days = tuple(sorted((*rules.days, *added), key=lambda own: own.day))
    return Copied(replace(rules, days=days), added)


def holidays_of(country: str, region: str, years: Iterable[int]) -> list[OwnDay]:
    """Return the holidays of these years in order, named in Spanish and English where the package knows the names."""
    import holidays

    wanted = sorted(set(years))
    if country not in COUNTRIES:
        raise InvalidData({"country": [_("Elige un país de la lista.")]})
    if region and region not in regions(country):
        raise InvalidData({"region": [_("Ese país no tiene esa región.")]})
    if not wanted or wanted[0] not in YEARS or wanted[-1] not in YEARS or len(wanted) > 10:
        raise InvalidData({"year": [_("Elige un año entre 1990 y 2100.")]})
    source = f"{country}-{region}" if region else country
    in_spanish, in_english = (
        holidays.country_holidays(country, subdiv=region or None, years=wanted, language=language)
        for language in ("es", "en_US")
    )
    return [
        OwnDay(day, name[:120], name_en=in_english.get(day, "")[:120], source=source)
        for day, name in sorted(in_spanish.items())
    ]
