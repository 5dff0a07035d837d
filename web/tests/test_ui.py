import re
from datetime import UTC, datetime, timedelta

import pytest
from django.template import Context, Template
from django.utils import timezone, translation
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy

from web.templatetags import ui

NBSP = "\N{NO-BREAK SPACE}"


def draw(source: str, **values: object) -> str:
    return Template("{% load ui %}" + source).render(Context(values))


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("Lucía Fernández", "LF"),
        ("Garaje El Roble", "GR"),
        ("maría de los ángeles ñañez", "MÑ"),
        ("mateo.rios@correo.example", "MR"),
        ("Élan", "É"),
        ("  ", "?"),
        ("🙂 Ana", "A"),
        ("O'Brien", "OB"),
        ("Mateo R. (mateo.rios.98@correo.example)", "MR"),
    ],
)
def test_initials_use_first_and_last_word(name, letters):
    assert ui.initials(name) == letters


def test_avatar_colour_is_one_of_six_and_stable():
    colours = {ui.avatar_color(f"persona {n}") for n in range(60)}

    assert colours == {1, 2, 3, 4, 5, 6}
    assert ui.avatar_color("Ana Beltrán") == ui.avatar_color(" ana beltrán")


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (482_000, "482 kB"),
        (999_600, "1 MB"),
        (1_240_000, "1,2 MB"),
        (24_000_000, "24 MB"),
        (120_400_000, "120 MB"),
        (3_400_000_000, "3,4 GB"),
        (None, "0 B"),
    ],
)
def test_filesize_uses_decimal_units(size, text):
    with translation.override("es"):
        assert ui.filesize(size) == text.replace(" ", NBSP)


def test_filesize_uses_a_point_in_english():
    with translation.override("en"):
        assert ui.filesize(1_240_000) == f"1.2{NBSP}MB"


@pytest.mark.parametrize(
    ("span", "text"),
    [
        (timedelta(seconds=30), "< 1 min"),
        (22 * 60, "22 min"),
        (-18 * 60, "18 min"),
        (timedelta(hours=2, minutes=5), "2 h 05 min"),
        (3 * 3600, "3 h"),
        (timedelta(days=1, hours=2), "1 d 2 h"),
        (timedelta(days=12, hours=5), "12 d"),
        (None, ""),
    ],
)
def test_duration_shows_two_units_at_most(span, text):
    assert ui.duration(span).replace(NBSP, " ") == text


@pytest.mark.parametrize(
    ("span", "text"),
    [
        (timedelta(seconds=30), "< 1 min"),
        (timedelta(minutes=52), "52 min"),
        (timedelta(hours=9, minutes=20), "9 h"),
        (timedelta(days=8, hours=14), "8 d"),
        (None, ""),
    ],
)
def test_brief_duration_keeps_the_first_unit(span, text):
    assert ui.brief_duration(span).replace(NBSP, " ") == text


class TestDates:
    @pytest.fixture(autouse=True)
    def bogota(self, late_evening_in_bogota):
        with timezone.override("America/Bogota"):
            yield

    @pytest.fixture
    def late_evening_in_bogota(self):
        import time_machine

        # 02:30 UTC on the 21st is still the 20th in Bogotá.
        with time_machine.travel(datetime(2026, 11, 21, 2, 30, tzinfo=UTC), tick=False):
            yield

    def test_short_date_uses_the_active_time_zone(self):
        now = timezone.now()
        with translation.override("es"):
            assert ui.short_date(now) == "hoy, 21:30"
            assert ui.short_date(now - timedelta(hours=22)) == "ayer, 23:30"
            assert ui.short_date(now - timedelta(days=2)) == "mié 18 nov, 21:30"
            assert ui.short_date(now - timedelta(days=400)) == "16 oct 2025, 21:30"
            assert ui.short_day(now.date() + timedelta(days=3)) == "mar 24 nov"

    def test_long_date_in_both_languages(self):
        with translation.override("es"):
            assert ui.long_date(timezone.now()) == "viernes 20 de noviembre de 2026, 21:30"
        with translation.override("en"):
            assert ui.long_date(timezone.now()) == "Friday 20 November 2026, 21:30"

    def test_ago_counts_minutes_hours_and_days(self):
        now = timezone.now()
        with translation.override("es"):
            assert ui.ago(now - timedelta(seconds=20)) == "ahora"
            assert ui.ago(now - timedelta(minutes=12)) == "hace 12 min"
            assert ui.ago(now - timedelta(hours=3)) == "hace 3 h"
            assert ui.ago(now - timedelta(hours=25)) == "hace 1 d"
            assert ui.ago(now + timedelta(hours=1)) == "hoy, 22:30"

    def test_when_draws_instant_and_whole_date(self):
        with translation.override("es"):
            drawn = draw("{% when at %}|{% when at relative=True %}|{% when nothing %}", at=timezone.now())

        fixed, relative, nothing = drawn.split("|")
        instant = 'datetime="2026-11-21T02:30:00+00:00" title="viernes 20 de noviembre de 2026, 21:30"'
        assert fixed == f"<time {instant}>hoy, 21:30</time>"
        words = 'data-minutes="hace {n} min" data-hours="hace {n} h" data-days="hace {n} d"'
        assert relative == f'<time {instant} data-behaviour="relative-time" {words}>ahora</time>'
        assert nothing == ""


def test_icon_is_hidden_unless_it_has_a_label():
    plain = draw('{% icon "search" %}')
    spoken = draw('{% icon "ma-lighthouse" size="lg" label=label %}', label='«Faro» <"1">')

    assert (
        plain == '<svg class="icon" aria-hidden="true"><use href="/static/icons.svg#bi-search"></use></svg>'
    )
    assert 'role="img" aria-label="«Faro» &lt;&quot;1&quot;&gt;"' in spoken
    assert "icons.svg#ma-lighthouse" in spoken


def test_small_components_escape_their_text():
    drawn = draw(
        "{% pill 'in-progress' label %}{% avatar name %}{% sev 'high' label %}{% sla 'ok' label 50 label %}",
        label="<b>",
        name="<i> x",
    )

    assert "<b>" not in drawn
    assert drawn.count("&lt;b&gt;") == 4
    assert re.search(r">\s*IX\s*</span>", drawn)


def test_cached_components_use_the_active_language():
    """A lazy label must not be cached in the language of its first reader."""
    label = gettext_lazy("January")
    with translation.override("es"):
        assert ">enero</span>" in draw("{% pill 'in-progress' label %}", label=label)
    with translation.override("en"):
        assert ">January</span>" in draw("{% pill 'in-progress' label %}", label=label)


def test_cache_separates_safe_and_unsafe_labels():
    safe, unsafe = mark_safe("<b>En curso</b>"), "<b>En curso</b>"

    assert unsafe in draw("{% pill 'in-progress' label %}", label=safe)
    assert unsafe not in draw("{% pill 'in-progress' label %}", label=unsafe)


def test_avatar_without_name_is_an_empty_circle():
    assert 'class="avatar avatar--none avatar--sm"' in draw('{% avatar "" "sm" %}')


def test_current_marks_pages_with_the_prefix(rf):
    class Match:
        view_name = "portal:ticket_detail"

    request = rf.get("/")
    request.resolver_match = Match
    drawn = draw('{% current "portal:ticket" %}|{% current "portal:home" %}', request=request)

    assert drawn == 'aria-current="page"|'


@pytest.mark.parametrize(
    ("tags", "kind"), [("success", "ok"), ("extra error", "error"), ("warning", "info"), ("", "ok")]
)
def test_message_kind_follows_the_level(tags, kind):
    assert ui.message_kind(tags) == kind
