"""Patterns of fields: they mean what `re` means, in linear time, whatever the text."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from content.errors import InvalidData
from content.tests.hostile_text import assert_grows_linearly
from tickets.definitions.definition import FieldDefinition, Text
from tickets.definitions.fields import clean_values
from tickets.definitions.patterns import PatternError, compiled

ATOMS = st.sampled_from(
    ["a", "b", "ñ", r"\d", r"\w", r"\W", r"\s", ".", "[ab]", "[^a]", r"[a-c\d]", r"\b", "^", "$"]
)
PATTERNS = st.recursive(
    ATOMS,
    lambda parts: st.one_of(
        st.tuples(parts, parts).map("".join),
        st.tuples(parts, parts).map(lambda two: f"(?:{two[0]}|{two[1]})"),
        st.tuples(parts, st.sampled_from(["*", "+", "?", "{2}", "{1,3}", "*?", "{2,}"])).map(
            lambda both: f"({both[0]}){both[1]}"
        ),
    ),
    max_leaves=8,
)
CATASTROPHES = [
    "(a+)+$",
    "(a|a)*b",
    r"(\w*)*x",
    "(.*a){20}",
    "([a-z]+)*1",
    r"(a?){50}a{50}\b",
    "(?i)(a|A|aA)*!b",
]


@given(PATTERNS, st.text("ab1 ñ_Z", max_size=6))
def test_pattern_fits_what_re_fits(pattern, text):
    expected = re.fullmatch(pattern, text) is not None
    assert compiled(pattern).fits(text) == expected


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        ("(?i)[a-z]{3}-\\d{2}".replace("\\\\", "\\"), "ABC-12", True),
        ("(?x) a  b", "ab", True),
        ("[A-Za-z0-9-]{5,40}", "SN-4417", True),
        ("[A-Za-z0-9-]{5,40}", "SN-4417 ", False),
        (r"\w+", "Ñandú", True),
        ("a|b", "b", True),
        ("", "", True),
        ("()*", "", True),
        ("a{0}", "a", False),
    ],
)
def test_usual_patterns(pattern, text, fits):
    assert compiled(pattern).fits(text) is fits


@pytest.mark.parametrize("pattern", CATASTROPHES)
def test_ten_times_the_text_costs_about_ten_times_as_much(pattern):
    def fit(length: int) -> None:
        compiled.cache_clear()
        compiled(pattern).fits("a" * length + "!")

    fit(1_000)
    assert_grows_linearly(fit, short=2_000, floor=0.001)


@pytest.mark.parametrize(
    "pattern",
    [
        "(?=a)b",
        "(?<!a)b",
        r"(a)\1",
        "(?>a)b",
        "a*+b",
        "(?s).",
        "(?i:a)b",
        "(",
        "a{1,100000}",
        "((a{99}){99})",
        "(" * 4000,
    ],
)
def test_pattern_that_cannot_be_run_safely_is_refused(pattern):
    with pytest.raises(PatternError):
        compiled(pattern)


@pytest.mark.parametrize("pattern", ["(()){9999999}", "(?:(?:){99999999}){99999999}"])
def test_empty_repeats_cost_nothing(pattern):
    assert compiled(pattern).fits("")


def answer(pattern: str, text: str) -> dict[str, object]:
    field = FieldDefinition(
        "serie", Text("Serie"), "text", pattern=pattern, pattern_help=Text("Letras."), max_length=20_000
    )
    return clean_values([field], {"serie": text})


def test_published_catastrophe_answers_at_once():
    def refuse(length: int) -> None:
        with pytest.raises(InvalidData) as refused:
            answer("(a+)+$", "a" * (length - 1) + "!")
        assert refused.value.errors == {"serie": ["Letras."]}

    assert_grows_linearly(refuse, short=2_000, floor=0.001)


def test_published_pattern_that_cannot_be_run_accepts_every_answer(caplog):
    assert answer("(?=A)[A-Z]+", "cualquiera") == {"serie": "cualquiera"}
    assert "cannot be checked safely" in caplog.text
