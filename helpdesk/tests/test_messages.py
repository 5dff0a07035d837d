"""The translations: the English catalogue is complete and compiled."""

import ast
import re
import shutil
from collections.abc import Iterator

import polib
import pytest

from helpdesk.tests.code import PACKAGES, modules_of
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


@pytest.mark.parametrize(
    ("spanish", "other_word"),
    [
        (r"\belev", r"\belevat"),  # escalated
        (r"\bmeta\b", r"\btarget is\b"),  # goal: a target is «plazo»
        (r"\bfecha de cierre\b", r"\bclosing date\b"),  # due date
        (r"\bfolio\b", r"\bfolio\b"),  # number
        (r"\bhorarios y plazos\b", r"\bdeadlines\b"),  # targets
    ],
)
def test_concept_has_one_english_word(spanish, other_word) -> None:
    pairs = [
        (entry.msgid, PLACEHOLDER.sub("", entry.msgstr)) for entry in polib.pofile(str(messages.CATALOGUE))
    ]
    of_concept = [(text, english) for text, english in pairs if re.search(spanish, text, re.IGNORECASE)]
    assert of_concept
    assert [text for text, english in of_concept if re.search(other_word, english, re.IGNORECASE)] == []


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


NOW = {"gettext", "ngettext", "pgettext", "npgettext"}
LATER = {f"{name}_lazy" for name in NOW}
JOINING = {"format", "join", "lower", "upper", "title", "capitalize", "replace", "strip"}
JOINING_CALLS = {"str", "format_html", "format_html_join", "mark_safe"}


def run_at_import(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes that run when the module is imported: everything but the bodies of functions."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
        parts: list[ast.AST | None] = [*node.args.defaults, *node.args.kw_defaults]
        if not isinstance(node, ast.Lambda):
            parts += node.decorator_list
    else:
        yield node
        parts = list(ast.iter_child_nodes(node))
    for part in parts:
        if part is not None:
            yield from run_at_import(part)


def fixed_at_import(source: str) -> list[str]:
    """Return the expressions that fix the language of a text when the module is imported: a text translated there, or
    a lazy translation that is put together with another text."""
    tree = ast.parse(source)
    names = {
        alias.asname or alias.name: alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "django.utils.translation"
        for alias in node.names
    }

    def calls(node: ast.AST, among: set[str]) -> bool:
        return (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and names.get(node.func.id) in among
        )

    def joins(node: ast.AST) -> bool:
        if isinstance(node, ast.BinOp):
            return isinstance(node.op, (ast.Add, ast.Mod))
        if not isinstance(node, ast.Call):
            return isinstance(node, ast.JoinedStr)
        if isinstance(node.func, ast.Attribute):
            return node.func.attr in JOINING
        return isinstance(node.func, ast.Name) and node.func.id in JOINING_CALLS

    return [
        ast.unparse(node)
        for node in run_at_import(tree)
        if calls(node, NOW) or (joins(node) and any(calls(part, LATER) for part in ast.walk(node)))
    ]


def test_no_text_is_translated_at_import() -> None:
    wrong = {
        path.name: found
        for path in modules_of(*PACKAGES)
        if (found := fixed_at_import(path.read_text("utf-8")))
    }
    assert wrong == {}


IMPORTS = "from django.utils.translation import gettext, gettext_lazy as _\n"


@pytest.mark.parametrize(
    "statement",
    [
        'A = gettext("Nuevo")',
        'A = _("Hola, %s") % NAME',
        'A = f"{_(1)}, {NAME}"',
        'class A:\n    help = ", ".join([_("uno"), _("dos")])',
        'def f(text=gettext("Nuevo")): ...',
        'A = {"a": str(_("Nuevo"))}',
        'A = _("Nuevo").lower()',
    ],
)
def test_text_translated_at_import_is_found(statement: str) -> None:
    assert fixed_at_import(IMPORTS + statement) != []


def test_text_translated_in_a_function_is_not_reported() -> None:
    assert fixed_at_import(f'{IMPORTS}A = _("x")\ndef f():\n    return gettext("a") + _("b") % 1') == []
