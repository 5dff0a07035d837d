import json
import re
import unicodedata
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.utils.html import escape
from django.utils.safestring import SafeString
from hypothesis import given, settings
from hypothesis import strategies as st

from content.text import (
    MAX_TEXT,
    TextTooLong,
    clean_line,
    clean_text,
    fold,
    plain_excerpt,
    render_markdown,
    sanitize,
    sentences,
    without_list_mark,
)

DATA = Path(__file__).parent / "data"
VECTORS = [row["payload"] for row in json.loads((DATA / "xss_vectors.json").read_text("utf-8"))]
NAUGHTY = json.loads((DATA / "naughty_strings.json").read_text("utf-8"))
ALLOWED = {
    *("p", "br", "strong", "em", "s", "code", "pre", "blockquote", "ul", "ol", "li", "a"),
    *("table", "thead", "tbody", "tr", "th", "td"),
}
HARMFUL = [
    *(
        "\x00",
        "\x08",
        "\x1b",
        "\x7f",
        "\x85",
        "\u202a",
        "\u202e",
        "\u2066",
        "\u2069",
        "\u200b",
        "\u200e",
        "\u200f",
    ),
    *("\ufeff", "\u2028", "\u2029", "\ud800", "\ufffe", "\u3164", "\U000e0041"),
]
PIECES = st.one_of(
    st.sampled_from([*HARMFUL, "\r", "\r\n", "\n", "\t", " ", "\u00a0", "\u0301", "e\u0301"]),
    st.sampled_from(["ñ", "🏴", "👩‍💻", "🏴\U000e0067\U000e007f", "\u200d"]),
    st.sampled_from(["**", "_", "`", "```\n", "> ", "- ", "1. ", "|", "[", "](", ")", "![", "<", "</", "&lt;", "\\"]),
    st.sampled_from(["https://a.test/", "javascript:", "www.a.test", "a@b.test", "<script>", "data:text/html,", "~~"]),
    st.text(max_size=8),
)  # fmt: skip
TYPED = st.lists(PIECES, max_size=25).map("".join)


class Reader(HTMLParser):
    """Parses a fragment of HTML as a browser would. `oddities` holds comments and declarations."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.oddities: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.words.append(data)

    def handle_comment(self, data):
        self.oddities.append(data)

    handle_decl = handle_pi = unknown_decl = handle_comment

    @property
    def text(self) -> str:
        return "".join(self.words)


def assert_is_inert(html: str) -> None:
    page = Reader(html)
    assert page.oddities == []
    for tag, attributes in page.tags:
        assert tag in ALLOWED
        assert set(attributes) <= ({"href", "rel"} if tag == "a" else {"start"} if tag == "ol" else set())
        assert re.match(r"(https?://|mailto:)", attributes.get("href") or "mailto:", re.IGNORECASE)
        assert attributes.get("rel") == ("nofollow noopener noreferrer" if tag == "a" else None)
        assert re.fullmatch(r"\d*", attributes.get("start") or "")
    assert "<script" not in html.lower()


# --- Cleaning ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "clean"),
    [
        ("  No   puedo entrar ", "No puedo entrar"),
        ("Asunto\r\nBcc: todos@example.com", "Asunto Bcc: todos@example.com"),
        ("uno\rdos\ntres\x0bcuatro\u2028cinco\x85seis\tsiete", "uno dos tres cuatro cinco seis siete"),
        ("Ana\x00 Pe\u0301rez\x1b[31m", "Ana Pérez[31m"),
        ("cod\u202egpj.exe \u2066x\u2069", "codgpj.exe x"),
        ("a\u200bb\ufeffc\u00add", "abcd"),
        ("Ñandú 👩‍💻 👍🏽 🏴󠁧󠁢󠁥󠁮󠁧󠁿 ❤️", "Ñandú 👩‍💻 👍🏽 🏴󠁧󠁢󠁥󠁮󠁧󠁿 ❤️"),
        ("hola\U000e0069\U000e0067\U000e006e", "hola"),
        ("\ud83d rota \ud800", "rota"),
        ("می\u200cخواهم", "می\u200cخواهم"),
    ],
)
def test_clean_line_returns_one_clean_line(typed, clean):
    assert clean_line(typed, max_length=100) == clean


@pytest.mark.parametrize(
    ("typed", "clean"),
    [
        ("\n\n uno\r\ndos\rtres\u2029cuatro \n", "uno\ndos\ntres\ncuatro"),
        ("Pasos:\n\n\t1. abrir\n    2. cerrar", "Pasos:\n\n\t1. abrir\n    2. cerrar"),
        ("nin\u0303o\x00 🙂\u202e", "niño 🙂"),
        (" \x00\u200b ", ""),
        ("\n    solo\n", "solo"),
        ("\n \n\tEne\tFeb\nVentas\t1\t2\n", "\tEne\tFeb\nVentas\t1\t2"),
        ("    at a.B(C.java:1)\n    at a.D", "    at a.B(C.java:1)\n    at a.D"),
    ],
)
def test_clean_text_keeps_lines_and_indents(typed, clean):
    assert clean_text(typed) == clean


def test_text_over_its_limit_is_refused_with_its_length():
    with pytest.raises(TextTooLong) as caught:
        clean_text("ñ" * 1_000_000)

    assert (caught.value.limit, caught.value.length) == (MAX_TEXT, 1_000_000)
    assert (
        str(caught.value) == "El texto tiene 1000000 caracteres y caben 20000. Acórtalo o adjunta el resto."
    )
    with pytest.raises(TextTooLong):
        clean_line("x" * 101, max_length=100)


def test_limit_counts_the_cleaned_text():
    assert clean_line("  " + "e\u0301" * 100 + "\u200b" * 500, max_length=100) == "é" * 100
    assert clean_text("\n" * 50_000 + "x" * MAX_TEXT) == "x" * MAX_TEXT


@settings(max_examples=100, deadline=None)
@given(TYPED)
def test_cleaning_is_idempotent_and_removes_harmful_characters(typed):
    line, text = clean_line(typed, max_length=10_000), clean_text(typed, max_length=10_000)

    assert clean_line(line, max_length=10_000) == line == " ".join(line.split())
    assert clean_text(text, max_length=10_000) == text == text.rstrip()
    assert text.partition("\n")[0].strip() or not text
    for clean in (line, text):
        assert unicodedata.is_normalized("NFC", clean)
        assert not set(clean) & set(HARMFUL[:-1])
        clean.encode("utf-8")
    assert {char for char in line if unicodedata.category(char) in {"Cc", "Zl", "Zp"}} == set()
    assert {char for char in text if unicodedata.category(char) == "Cc"} <= {"\n", "\t"}


def test_naughty_strings_keep_their_visible_characters():
    for typed in NAUGHTY:
        clean = clean_text(typed)
        seen = [
            char for char in unicodedata.normalize("NFC", typed) if unicodedata.category(char)[0] in "LNPS"
        ]
        kept = [char for char in clean if unicodedata.category(char)[0] in "LNPS"]
        assert kept == [char for char in seen if char not in "\u115f\u1160\u3164\uffa0"]
        assert_is_inert(render_markdown(clean))


# --- Markdown ---------------------------------------------------------------------------------------------

LINK = 'rel="nofollow noopener noreferrer"'


@pytest.mark.parametrize(
    ("typed", "html"),
    [
        ("Hola **mundo** y *niño* 🙂", "<p>Hola <strong>mundo</strong> y <em>niño</em> 🙂</p>"),
        ("uno\ndos", "<p>uno<br>\ndos</p>"),
        ("3. tres\n4. cuatro", '<ol start="3">\n<li>tres</li>\n<li>cuatro</li>\n</ol>'),
        ("> dijo\n\n- uno", "<blockquote>\n<p>dijo</p>\n</blockquote>\n<ul>\n<li>uno</li>\n</ul>"),
        ("```py\n<b>\n```", "<pre><code>&lt;b&gt;\n</code></pre>"),
        ("# 123", "<p># 123</p>"),
        ("Título\n======", "<p>Título<br>\n======</p>"),
        ("    sangrado", "<p>    sangrado</p>"),
        ("[oculto]: https://a.test", f'<p>[oculto]: <a href="https://a.test" {LINK}>https://a.test</a></p>'),
        ("![foto](https://a.test/pixel.gif)", f'<p>!<a href="https://a.test/pixel.gif" {LINK}>foto</a></p>'),
        ("<b>hola</b>", "<p>&lt;b&gt;hola&lt;/b&gt;</p>"),
        ("[a](https://a.test 'título')", f'<p><a href="https://a.test" {LINK}>a</a></p>'),
        ("[a](mailto:a@b.test)", f'<p><a href="mailto:a@b.test" {LINK}>a</a></p>'),
    ],
)
def test_markdown_subset_is_rendered(typed, html):
    rendered = render_markdown(typed)

    assert rendered.strip() == html
    assert isinstance(rendered, SafeString)


@pytest.mark.parametrize(
    ("typed", "href", "shown"),
    [
        ("ver https://a.test/x_(1).", "https://a.test/x_(1)", "https://a.test/x_(1)"),
        ("(https://a.test/?a=1&b=2)", "https://a.test/?a=1&b=2", "https://a.test/?a=1&b=2"),
        ("«http://a.test»", "http://a.test", "http://a.test"),
        ("**https://a.test/b_c_d*e**", "https://a.test/b_c_d*e", "https://a.test/b_c_d*e"),
        ("www.a.test/ñ,", "https://www.a.test/%C3%B1", "www.a.test/ñ"),
        ("a ana.p+x@b.test.", "mailto:ana.p+x@b.test", "ana.p+x@b.test"),
        ("<https://a.test>", "https://a.test", "https://a.test"),
        ("[https://b.test](https://a.test)", "https://a.test", "https://b.test"),
    ],
)
def test_addresses_become_links(typed, href, shown):
    page = Reader(render_markdown(typed))

    assert [attributes["href"] for tag, attributes in page.tags if tag == "a"] == [href]
    assert shown in page.text


@pytest.mark.parametrize(
    "typed",
    [
        *(
            "javascript:alert(1)",
            "[x](javascript:alert(1))",
            "[x](JaVaScRiPt:alert(1))",
            "[x](java\nscript:alert(1))",
        ),
        *(
            "[x](&#106;avascript:alert(1))",
            "[x](data:text/html,<script>)",
            "[x](vbscript:x)",
            "[x](file:///etc)",
        ),
        *(
            "[x](//a.test)",
            "[x](/agentes/)",
            "[x](#a)",
            "[x](ftp://a.test)",
            "<javascript:alert(1)>",
            "[x](https:///a)",
        ),
        *(
            "`https://a.test`",
            "```\nwww.a.test a@b.test\n```",
            "xhttps://a.test",
            "https://",
            "http://.",
            "a@b",
        ),
    ],
)
def test_other_text_does_not_become_a_link(typed):
    html = render_markdown(typed)

    assert "<a" not in html
    assert_is_inert(html)


def test_attack_vectors_are_inert_in_markdown_and_html():
    assert len(VECTORS) > 1000
    for payload in VECTORS:
        assert_is_inert(render_markdown(payload))
        assert_is_inert(sanitize(payload))
    for payload in VECTORS[::5]:
        assert_is_inert(render_markdown(f"[x]({payload})\n\n> {payload}\n\n- `{payload}`"))


def test_attack_vectors_stay_readable_as_text():
    for payload in VECTORS[::20]:
        text = clean_text(payload)
        page = Reader(escape(text))
        assert page.tags == []
        assert page.text == text


@settings(max_examples=100, deadline=None)
@given(TYPED)
def test_rendered_html_is_inert_for_any_text(typed):
    assert_is_inert(render_markdown(clean_text(typed)))
    assert_is_inert(render_markdown(typed))


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="abcñé 🙂", max_size=60))
def test_plain_words_survive_rendering(typed):
    text = clean_text(typed)

    assert Reader(render_markdown(text)).text.split() == text.split()


def test_text_over_the_limit_is_shown_without_formatting():
    html = render_markdown("**a** <b>\n" * 3000)

    assert html.startswith("<p>**a** &lt;b&gt;<br>\n**a**")
    assert_is_inert(html)


# --- Excerpts ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "excerpt"),
    [
        ("", ""),
        ("No puedo **entrar**\n\n- `uno`\n- [dos](https://a.test)", "No puedo entrar uno dos"),
        ("> Hola\n\n1. *Abrir* la ~~puerta~~", "Hola Abrir la puerta"),
        ("```py\nx = 1\n```", "x = 1"),
        ("a_b_c y 2 * 3 y -5", "a_b_c y 2 * 3 y -5"),
        ("Una frase que no cabe entera en la lista", "Una frase que no cabe entera…"),
        ("x" * 60, "x" * 29 + "…"),
        ("niño 👩‍💻", "niño 👩‍💻"),
        ("<b>hola</b>", "<b>hola</b>"),
    ],
)
def test_plain_excerpt_removes_markdown_and_shortens(typed, excerpt):
    assert plain_excerpt(typed, 30) == excerpt


@settings(max_examples=100, deadline=None)
@given(TYPED, st.integers(5, 200))
def test_plain_excerpt_is_short_and_not_marked_safe(typed, length):
    excerpt = plain_excerpt(typed * 4, length)

    assert len(excerpt) <= length
    assert excerpt == " ".join(excerpt.split())
    assert not isinstance(excerpt, SafeString)
    assert not set(excerpt) & set(HARMFUL[:-1])  # tag characters are allowed after a black flag


@pytest.mark.parametrize(
    ("typed", "folded"),
    [
        ("Pago MÓVIL", "pago movil"),
        ("Pingüino, ÑANDÚ", "pinguino, nandu"),
        ("mo\u0301vil", "movil"),
        ("Straße", "strasse"),
        ("100 % 🙂", "100 % 🙂"),
    ],
)
def test_fold_lowers_case_and_drops_accents(typed, folded):
    assert fold(typed) == folded


def test_sentences_end_at_marks_and_lines():
    text = "Apaga el lector. Espera… y enciéndelo\n\n¿Sigue igual? Versión 3.1\n  "
    assert sentences(text) == ["Apaga el lector.", "Espera…", "y enciéndelo", "¿Sigue igual?", "Versión 3.1"]


def test_lines_of_a_list_lose_their_mark():
    lines = ("1. Apaga", "12) Apaga", " - Apaga", "• Apaga ", "Apaga")
    assert {without_list_mark(line) for line in lines} == {"Apaga"}
    assert without_list_mark("1.5 segundos") == "1.5 segundos"
