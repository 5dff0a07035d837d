"""Spans of time in words: round ones such as targets, and ranges from experience."""

from datetime import timedelta

import pytest
from django.utils import translation

from tickets.calendars import Target
from tickets.enums import TargetUnit
from tickets.facts.experience import Experience
from tickets.sla import ClockStatus
from web.wording import NBSP, duration_in_words, target_in_words, until_due, usual_time

PROMISES = [
    (timedelta(minutes=30), "30 minutos", "30 min"),
    (timedelta(minutes=1), "1 minuto", "1 min"),
    (timedelta(hours=1), "1 hora", "1 h"),
    (timedelta(hours=36), "36 horas", "36 h"),
    (timedelta(days=1), "1 día", "1 día"),
    (timedelta(days=30), "30 días", "30 días"),
    (None, "", ""),
]


@pytest.mark.parametrize(("time", "words", "short"), PROMISES)
def test_duration_in_words_uses_the_largest_whole_unit(time: timedelta | None, words: str, short: str):
    assert duration_in_words(time) == words
    assert duration_in_words(time, short=True) == short


@pytest.mark.parametrize(
    ("text", "es", "en"),
    [
        ("24h", "1 día", "1 day"),
        ("1 working hour", "1 hora hábil", "1 working hour"),
        ("90 working minutes", "90 minutos hábiles", "90 working minutes"),
        ("16 working hours", "16 horas hábiles", "16 working hours"),
        ("5 working days", "5 días hábiles", "5 working days"),
        ("30 calendar days rolled", "30 días calendario", "30 calendar days"),
    ],
)
def test_target_says_how_it_is_counted(text, es, en):
    assert target_in_words(Target.parse(text)) == es
    with translation.override("en"):
        assert target_in_words(Target.parse(text)) == en


def test_odd_targets_are_written_in_hours_and_minutes():
    """As when a person agreed on a date: nobody reads «2401 minutos»."""
    assert target_in_words(Target(timedelta(minutes=2401))) == "40\N{NO-BREAK SPACE}h 1\N{NO-BREAK SPACE}min"
    odd = Target(timedelta(minutes=215), TargetUnit.WORKING)
    assert target_in_words(odd) == "3\N{NO-BREAK SPACE}h 35\N{NO-BREAK SPACE}min hábiles"
    with translation.override("en"):
        assert target_in_words(odd) == "3\N{NO-BREAK SPACE}h 35\N{NO-BREAK SPACE}min working"


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [
        (0.2, 0.9, "Casi siempre en 1 hora"),
        (2.5, 7.2, "Casi siempre en 3 a 8 horas"),
        (5, 23.5, "Casi siempre en 5 a 24 horas"),
        (20, 30, "Casi siempre en 1 a 2 días"),
        (25, 47, "Casi siempre en 2 días"),
        (1, 24, "Casi siempre en 1 día"),
    ],
)
def test_usual_time_is_told_in_whole_hours_or_days(low: float, high: float, text: str):
    with translation.override("es"):
        assert usual_time(Experience(low * 3600, high * 3600, 30)) == text
        assert usual_time(None) == ""


@pytest.mark.parametrize(
    ("state", "minutes"),
    [("ok", 13), ("risk", 13), ("paused", 13), ("breached", 12), ("missed", 12)],
)
def test_time_left_is_rounded_up_and_a_delay_down(state: str, minutes: int):
    status = ClockStatus(state, timedelta(minutes=12, seconds=20), 0.5)
    assert until_due(status) == f"{minutes}{NBSP}min"
