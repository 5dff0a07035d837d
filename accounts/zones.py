"""Time zones: which ones are offered, and what to use when one is not known."""

import zoneinfo
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

from django.conf import settings


def zone_or_default(name: str) -> ZoneInfo:
    """Return the time zone `name`, or the desk's if `name` is empty or this system does not know it.

    Releases of the time zone database rename and remove zones, and another server may have an older one.
    """
    try:
        return ZoneInfo(name or settings.DESK_TIME_ZONE)
    except (KeyError, ValueError, OSError):  # not found; not a relative path; a folder
        return ZoneInfo(settings.DESK_TIME_ZONE)


def is_known(name: str) -> bool:
    """Whether this system knows the time zone `name`."""
    return name in zoneinfo.available_timezones()


@lru_cache(maxsize=1)
def canonical_zones() -> frozenset[str]:
    """Return the zones of zone.tab, which lists one for each place without old names such as «America/Buenos_Aires».

    Without that file, return all zones that are named after a place.
    """
    known = zoneinfo.available_timezones()
    for folder in zoneinfo.TZPATH:
        table = Path(folder) / "zone.tab"
        if table.is_file():
            rows = (line.split("\t") for line in table.read_text("utf-8").splitlines() if line[:1] != "#")
            return frozenset(row[2] for row in rows if len(row) > 2) & known
    return frozenset(name for name in known if "/" in name)
