"""`duration_in_words`, which writes round durations such as targets."""

from datetime import timedelta

import pytest

from web.wording import duration_in_words

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
