"""Opening hours in words."""

from datetime import date

import pytest
from django.utils import translation

from tickets.calendars import CalendarRules
from tickets.tests.test_calendar_rules import OFFICE
from web.opening_hours import hours_of


@pytest.mark.parametrize(("language", "name"), [("es", "Navidad"), ("en", "Christmas")])
def test_hours_name_what_closes_a_day_in_the_readers_language(language, name):
    with translation.override(language):
        hours, _total, reason = hours_of(CalendarRules.read(OFFICE), date(2026, 12, 25))
    assert (hours, reason) == ([], name)
