"""The translations: the English catalogue is complete and compiled."""

import re
import shutil

import polib
import pytest

from tools import messages

PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}|<[^>]+>")


@pytest.mark.skipif(shutil.which("xgettext") is None, reason="needs gettext: apt install gettext")
def test_english_catalogue_is_complete_and_current() -> None:
    assert messages.problems() == []


def test_catalogues_are_compiled() -> None:
    assert messages.stale() == [], "run python -m tools.messages"


@pytest.mark.parametrize("name", ["CATALOGUE", "REWORDED"])
def test_uncompiled_catalogue_is_reported(name, monkeypatch, tmp_path) -> None:
    language = getattr(messages, name).parts[-3]
    shutil.copytree(messages.ROOT / "locale" / language, tmp_path / language)
    changed = tmp_path / language / "LC_MESSAGES" / "django.po"
    changed.write_text(changed.read_text("utf-8") + '\nmsgid "Nuevo"\nmsgstr "New"\n', "utf-8")
    monkeypatch.setattr(messages, name, changed)

    assert messages.stale() == [f"not compiled: locale/{language}"]


def test_translations_keep_their_placeholders() -> None:
    wrong = []
    for entry in polib.pofile(str(messages.CATALOGUE)):
        pairs = [(entry.msgid, entry.msgstr)]
        if entry.msgid_plural:
            pairs = [(entry.msgid, entry.msgstr_plural[0]), (entry.msgid_plural, entry.msgstr_plural[1])]
        wrong += [
            text
            for text, english in pairs
            if english and sorted(PLACEHOLDER.findall(text)) != sorted(PLACEHOLDER.findall(english))
        ]
    assert wrong == []


def test_page_exists_in_both_languages(client, db) -> None:
    spanish = client.get("/", headers={"accept-language": "es"}).content.decode()
    english = client.get("/", headers={"accept-language": "en"}).content.decode()
    assert "¿Cómo podemos ayudarte?" in spanish
    assert "How can we help you?" in english
    assert "¿Cómo podemos ayudarte?" not in english


def test_gettext_is_imported_only_as_underscore() -> None:
    other_name = re.compile(
        r"^from django\.utils\.translation import \w*gettext\w* as (?!_$)\w+", re.MULTILINE
    )
    sources = [path for name in messages.SOURCES for path in (messages.ROOT / name).rglob("*.py")]
    assert sources
    assert [path.name for path in sources if other_name.search(path.read_text())] == []
