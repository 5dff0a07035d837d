"""Cleaning costs time in proportion to the text, whatever a stranger sends, and a refusal costs almost nothing."""

import ast
from contextlib import suppress
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError

from content.errors import DeskError
from content.files import clean_name
from content.form_fields import LineField, LongTextField
from content.tests.hostile_text import HOSTILE, assert_grows_linearly, hostile
from content.text import (
    MAX_MARKS,
    MAX_TEXT,
    TextTooLong,
    clean_line,
    clean_text,
    fold,
    normalize,
    plain_excerpt,
)

CLEANERS = {
    "clean_line": lambda text: clean_line(text, max_length=10_000_000),
    "clean_text": lambda text: clean_text(text, max_length=10_000_000),
    "clean_line refuses": lambda text: clean_line(text, max_length=200),
    "clean_text refuses": clean_text,
    "LineField": LineField(max_length=120).clean,
    "LongTextField": LongTextField().clean,
    "clean_name": clean_name,
    "fold": fold,
    "plain_excerpt": lambda text: plain_excerpt(text, 200),
}


def attempt(work, text):
    with suppress(DeskError, ValidationError):
        work(text)


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.parametrize("cleaner", CLEANERS)
def test_cleaning_time_grows_with_the_text(cleaner, kind):
    short = 4_000 if kind == "long decompositions" else 20_000  # each character becomes eighteen
    assert_grows_linearly(
        lambda size: attempt(CLEANERS[cleaner], hostile(kind, size)), short=short, floor=0.002
    )


@pytest.mark.parametrize("field", [LineField(max_length=120), LongTextField()])
@pytest.mark.parametrize("kind", HOSTILE)
def test_refusing_a_huge_text_costs_almost_nothing(field, kind):
    texts = {size: "x" + hostile(kind, size) + "x" for size in (500_000, 5_000_000)}

    def refuse(size: int) -> None:
        with pytest.raises(ValidationError, match="caracteres y caben"):
            field.clean(texts[size])

    assert_grows_linearly(refuse, short=500_000, floor=0.002)


def test_text_that_could_still_fit_is_cleaned_before_it_is_refused():
    accented = "a\u0302\u0323"  # Vietnamese «ậ» in the decomposed form that macOS writes

    assert len(clean_text(accented * MAX_TEXT)) == MAX_TEXT
    with pytest.raises(TextTooLong) as caught:
        clean_text(accented * (MAX_TEXT + 1))
    assert caught.value.length == MAX_TEXT + 1


@pytest.mark.parametrize("mark", ["\u0301", "\u0f73", "\u0344", "\uff9e", "\U0001d165"])
@pytest.mark.parametrize("letter", ["a", "é", "語", ""])
def test_marks_in_a_row_are_capped(letter, mark):
    for form in ("NFC", "NFKD"):
        capped = normalize(form, letter + mark * 500 + "b")

        assert len(capped) <= MAX_MARKS + 3
        assert capped.endswith("b")
        assert normalize(form, capped) == capped


def test_scripts_that_use_many_marks_are_not_touched():
    for text in (
        "Việt Nam",
        "நமஸ்காரம்",
        "แก้ไขปัญหานี้ให้ที",
        "שָׁלוֹם עֲלֵיכֶם",
        "བཀྲ་ཤིས",
        "カ\u3099キ\u3099",
        "👨‍👩‍👧‍👦" * 20,
    ):
        assert normalize("NFD", text) == normalize("NFD", normalize("NFC", text))
        assert fold(text)
        assert len(normalize("NFD", text)) >= len(text)


def test_only_one_module_normalizes():
    """Elsewhere `unicodedata.normalize` would meet a stranger's text without the cap."""
    root = Path(__file__).parents[2]
    found = [
        str(path.relative_to(root))
        for package in (
            "content",
            "accounts",
            "tickets",
            "web",
            "portal",
            "agents",
            "notifications",
            "helpdesk",
        )
        for path in (root / package).rglob("*.py")
        if "tests" not in path.parts
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Attribute)
        and node.attr == "normalize"
        and isinstance(node.value, ast.Name)
        and node.value.id == "unicodedata"
    ]

    assert set(found) == {"content/text.py"}
