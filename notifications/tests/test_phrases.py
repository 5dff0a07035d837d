from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.utils import timezone, translation

from notifications.outgoing import phrases

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def in_caracas():
    with time_machine.travel(NOW, tick=False), timezone.override(ZoneInfo("America/Caracas")):
        yield


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (datetime(2026, 11, 20, 15, 27, tzinfo=UTC), "el viernes 20 de noviembre antes de las 11:27"),
        (datetime(2026, 11, 21, 3, 59, tzinfo=UTC), "el viernes 20 de noviembre antes de las 23:59"),
        (datetime(2026, 11, 21, 4, 0, tzinfo=UTC), "el sábado 21 de noviembre antes de las 0:00"),
        (datetime(2026, 11, 21, 5, 30, tzinfo=UTC), "el sábado 21 de noviembre antes de la 1:30"),
        (datetime(2026, 11, 21, 17, 30, tzinfo=UTC), "el sábado 21 de noviembre antes de las 13:30"),
        (datetime(2026, 11, 25, 5, 0, tzinfo=UTC), "el miércoles 25 de noviembre antes de la 1:00"),
        (datetime(2026, 11, 25, 13, 30, tzinfo=UTC), "el miércoles 25 de noviembre antes de las 9:30"),
        (datetime(2027, 1, 4, 13, 30, tzinfo=UTC), "el lunes 4 de enero de 2027 antes de las 9:30"),
        (datetime(2026, 11, 20, 14, 59, tzinfo=UTC), ""),
        (None, ""),
    ],
)
def test_before_uses_the_active_time_zone(value, words):
    assert phrases.before(value) == words


@pytest.mark.parametrize(
    ("day", "words"),
    [(20, "on Friday 20 November before 1:30"), (23, "on Monday 23 November before 1:30")],
)
def test_before_in_english(day, words):
    value = datetime(2026, 11, day, 5, 30, tzinfo=UTC)
    with (
        time_machine.travel(datetime(2026, 11, 20, 4, 30, tzinfo=UTC), tick=False),
        translation.override("en"),
    ):
        assert phrases.before(value) == words


def test_moment_in_both_languages():
    value = datetime(2026, 11, 20, 15, 27, tzinfo=UTC)

    assert phrases.moment(value) == "viernes 20 de noviembre, 11:27"
    with translation.override("en"):
        assert phrases.moment(value) == "Friday 20 November, 11:27"


def test_step_returns_plain_text_and_escaped_html():
    plain, html = phrases.step("Va {así}: %(what)s.", what="<b>")

    assert plain == "Va {así}: <b>."
    assert html == "Va {así}: <strong>&lt;b&gt;</strong>."
    assert phrases.step("A & B") == ("A & B", "A &amp; B")


def test_for_mail_adds_inline_styles():
    html = phrases.for_mail('<p>Mira <a href="https://x.test/">x</a></p><ol start="3"><li>uno</li></ol>')

    assert (
        '<p style="margin:8px 0 0;">Mira <a class="lk" style="color:#076C7D;" href="https://x.test/">' in html
    )
    assert '<ol style="margin:8px 0 0;padding-left:22px;" start="3">' in html
