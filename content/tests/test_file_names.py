import json
import unicodedata
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from content.files import RefusedFile, clean_name
from content.files.formats import BY_EXTENSION
from content.files.names import MAX_NAME, extension_of

DATA = Path(__file__).parent / "data"
HOSTILE = json.loads((DATA / "hostile_file_names.json").read_text("utf-8"))
PIECES = st.one_of(
    st.sampled_from(
        [".", "..", "/", "\\", " ", ".png", ".pdf", ".php", "con", "aux", ":", "%00", "\u202e", "\u200b"]
    ),
    st.sampled_from(
        ["\u0301", "\x00", "\r\n", "\ud800", "\u3164", "\uff0f", "\u2024", "ñ", "e\u0301", "🙂", "~", "-"]
    ),
    st.text(max_size=6),
    st.text(alphabet="abc.e\u0301 ", min_size=100, max_size=130),
)


def assert_is_safe(name: str) -> None:
    assert 0 < len(name) <= MAX_NAME
    assert name == unicodedata.normalize("NFC", name)
    assert name == name.strip(" .-~")
    assert not set(name) & set('/\\<>:"|?*')
    assert {unicodedata.category(char)[0] for char in name} <= set("LMNPSZ")
    assert ".." not in name
    assert name.partition(".")[0].lower() not in {"con", "prn", "aux", "nul", "com1", "lpt9", "clock$"}


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("Captura de pantalla.png", "Captura de pantalla.png"),
        (
            "Captura 2026-11-21 a la(s) 9.30.15\u202fa.\u00a0m..png",
            "Captura 2026-11-21 a la(s) 9.30.15 a. m.png",
        ),
        ("nin\u0303o.pdf", "niño.pdf"),
        ("factura 🙂 ñandú.PDF", "factura 🙂 ñandú.PDF"),
        ("C:\\Documents and Settings\\Ana\\foto.jpg", "foto.jpg"),
        ("../../../etc/passwd.txt", "passwd.txt"),
        ("/carpeta/", "carpeta"),
        ("..", "archivo"),
        ("", "archivo"),
        ("\u200b\u202e\x00", "archivo"),
        (".htaccess", "htaccess"),
        ("foto.png.", "foto.png"),
        ("-rf foto.png", "rf foto.png"),
        ("cod\u202egpj.exe", "codgpj.exe"),
        ("fo\u200bto.p\u200eng", "foto.png"),
        ("foto.png\r\nX-Header: 1.png", "foto.pngX-Header_ 1.png"),
        ("foto.png:Zone.Identifier", "foto.png_Zone.Identifier"),
        ("con.png", "_con.png"),
        ("COM¹.png", "_COM¹.png"),
        ('<img src=x onerror="alert(1)">.png', "_img src=x onerror=_alert(1)__.png"),
        ("www.ejemplo.com.png", "www.ejemplo.com.png"),
        ("a" * 300 + ".docx", "a" * 115 + ".docx"),
        ("a" * 115 + "e\u0301" * 9 + ".png", "a" * 115 + "é" + ".png"),
        ("x" * 115 + "q\u0301\u0301" + ".png", "x" * 115 + ".png"),  # a letter is cut with its accents
    ],
)
def test_clean_name_returns_a_safe_name(name, clean):
    assert clean_name(name) == clean
    assert_is_safe(clean)


@pytest.mark.parametrize(
    "name",
    [
        *(
            "shell.php.png",
            "shell.PHP.png",
            "shell.pht.jpg",
            "shell.php%00.jpg",
            "shell.asp;.jpg",
            "a.html.pdf",
        ),
        *(
            "shell.p\u200bhp.png",
            "shell\u2024php.png",
            "shell.ｐｈｐ.png",
            "shell.php::$DATA",
            "a.svg.png",
            "a.exe.pdf",
        ),
        *("a.docm.docx", "shell.php .png", "shell.php\u00e1"),
    ],
)
def test_clean_name_refuses_a_program_extension_inside(name):
    with pytest.raises(RefusedFile) as caught:
        clean_name(name)

    assert caught.value.code == "name"


@pytest.mark.parametrize("source", sorted({row["source"] for row in HOSTILE}))
def test_hostile_names_are_cleaned_or_refused(source):
    for name in (row["name"] for row in HOSTILE if row["source"] == source):
        for candidate in (name, name.replace("{EXT}", "png"), f"{name}.png"):
            try:
                clean = clean_name(candidate)
            except RefusedFile:
                continue
            assert_is_safe(clean)
            assert clean_name(clean) == clean


def test_allow_list_has_no_server_script_extensions():
    scripts = [row["name"] for row in HOSTILE if row["source"].startswith("alt-extensions")]

    assert len(scripts) > 200
    for extension in scripts:
        plain = extension.partition("%")[0].rstrip(". ").lower()
        assert extension_of(clean_name(f"captura.{plain}")) == plain
        assert plain not in BY_EXTENSION


@settings(max_examples=150, deadline=None)
@given(st.lists(PIECES, max_size=8).map("".join))
@example("con~.png")
def test_clean_name_is_safe_and_idempotent(name):
    try:
        clean = clean_name(name)
    except RefusedFile:
        return
    assert_is_safe(clean)
    assert clean_name(clean) == clean


def test_clean_name_ignores_the_language(settings):
    settings.LANGUAGE_CODE = "en"

    assert clean_name("...") == "archivo"
