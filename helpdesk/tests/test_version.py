"""The version in the code and the releases in CHANGELOG.md agree."""

import re
from datetime import date

from django.conf import settings

from helpdesk import __version__

HEADINGS = re.findall(r"(?m)^## (.+)$", (settings.BASE_DIR / "CHANGELOG.md").read_text("utf-8"))
RELEASES = [heading.split(" - ") for heading in HEADINGS if heading != "Unreleased"]


def numbers(version: str) -> tuple[int, ...]:
    """Return the version as numbers, so that `0.10.0` sorts after `0.9.0`."""
    found = re.fullmatch(r"(\d+)\.(\d+)\.(\d+)", version)
    assert found, f"{version} is not MAJOR.MINOR.PATCH"
    return tuple(map(int, found.groups()))


def test_newest_release_is_the_version_of_the_code():
    assert RELEASES[0][0] == __version__


def test_releases_stand_newest_first_with_their_dates():
    versions = [numbers(version) for version, _day in RELEASES]
    days = [date.fromisoformat(day) for _version, day in RELEASES]

    assert versions == sorted(set(versions), reverse=True)
    assert days == sorted(days, reverse=True)


def test_unreleased_changes_stand_above_every_release():
    assert "Unreleased" not in HEADINGS[1:]
