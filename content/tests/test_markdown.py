# ruff: noqa: E501  # lists of examples
"""What people type is shown: only deliberate markup is drawn, and it never becomes much more than the text."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from content.markdown import LITERAL, MAX_CELLS, literal
from content.text import MAX_HTML, MAX_TEXT, as_typed, clean_text, plain_excerpt, render_markdown

from .hostile_text import assert_grows_linearly
from .test_text import TYPED, Reader, assert_is_inert

pytestmark = pytest.mark.slow


def shown(text: str) -> str:
    return Reader(render_markdown(text)).text


def letters(text: str) -> str:
    return re.sub(r"[\W\d_]", "", text)


# --- Text that is no markup -------------------------------------------------------------------------------

REPORTED = [
    *(r"\\servidor\_comun\notas", r"C:\dir\*.log", r"C:\Users\ana\_temp\**\x.txt", r"\\10.0.0.5\c$\!importante!"),
    *("*123*4#", "*#06#", "*611*", "**21*600123456#", "**61*101**30#", "##002#", "marca *111*1# y *123# hoy"),
    *(r"^\d+(\.\d{1,2})?$", r"(.*)error(.*)", ".*error.*", "[a-z]+*[0-9]_*", r"s/\*//g", "a|b", "^(a|b)*$"),
    *("snake_case_name", "__init__", "_privado_", "self.__dict__ y __name__ == '__main__'", "~/path ~otro", "~~~", "~~"),
    *("<tag> </tag> <br> <Nombre Apellido>", "<http://a.test>", "a < b && c > d", "&nbsp; &amp; &#1; &copy;", "a &lt; b"),
    *("#5", "# 5", "## Título", "----", "----------", "***", "* * *", "===", "___", "_ _ _", "- - -", "-", "*", "- --", "* ** *", "+ 58 212 555 0101"),
    *("Título\n=====", "Título\n-----", "2*3*4 = 24", "5 * 3 * 2", "f(*args, **kwargs)", "int *p, *q;", "SELECT *, a FROM b"),
    *("src/**/*.py", "**/*.log, **/*.txt", "*.log y *.txt", "/* nota */", "-- nota", "precio* sin iva*", "**", "****", "*sin cerrar"),
    *("2026. Fue un año", "1) uno\n2) dos", "007. Bond", "1.5 kg", "- 5 °C", "- 40\n- 20", "> ", ">= 5", ">>> import os", ">_<", ">>"),
    *("`sin cerrar", "l`a d`b", "``", "`` ``", "```", "```error 500", "!", "![foto]", "[ ] hecho", "[x] hecho", "[a](b)", "[](https://)"),
    *("\tat com.a.B(C.java:1)\n\t... 3 more", "    sangrado\n        más", "a\tb\tc\n1\t2\t3", "\tEne\tFeb\nSuma\t1\t2", "a    b  c"),
    *("| a | b", "a | b\n1 | 2", "+---+---+\n| a | b |\n+---+---+", " id | n\n----+---\n  1 | x", "|a|b|\n|-|\n|1|2|", "|a|\n|x|"),
    *("👩‍💻 👍🏽 🏴󠁧󠁢󠁥󠁮󠁧󠁿 ❤️", "שלום *לכם", "مرحبا_بكم_", "¿*Qué pasó?", "Traceback (most recent call last):\n  File \"a.py\", line 1, in <module>\n    f(**x)"),
    *("$HOME/*/x", "C:/a/*b*/c", "{{ variable }}", "%(nombre)s", "{0.__class__}", "a\\nb", "\\*no\\*", "\\", "\\\\", "^C^V", "x^2^"),
    *("[2026-11-26 10:00:01] ERROR [main] a.b - fallo", "git diff\n+nuevo\n-viejo\n@@ -1 +1 @@", "[oculto]: /x 'y'"),
]  # fmt: skip


@pytest.mark.parametrize("typed", REPORTED)
def test_text_without_markup_is_shown_as_typed(typed):
    assert shown(typed) == typed.rstrip(" ")
    assert shown(f"Dice:\n{typed}\ny nada más") == f"Dice:\n{typed.rstrip(' ')}\ny nada más"


@pytest.mark.parametrize("typed", REPORTED)
def test_text_without_markup_keeps_its_words_inside_markup(typed):
    if "\n" not in typed and "`" not in typed:
        assert typed.strip() in shown(f"`{typed.strip()}`")
        assert shown(f"```\n{typed}\n```") == f"{typed}\n"
    quoted = "\n".join(f"> {line}" for line in f"Dice {typed}".split("\n"))
    assert shown(quoted).split() == f"Dice {typed}".split()


INERT = st.text(alphabet="abñÁ 09\t\n\\_#<>&;:.,()!?/=+^%$\"'{}@", max_size=60)


@settings(max_examples=300, deadline=None)
@given(INERT)
def test_every_character_that_is_no_mark_is_shown(typed):
    text = re.sub(r"(?m)^([ ]{0,3})>(?=\s|\Z)", r"\1", re.sub(r"\b([0-9]{1,3})\.", r"\1:", typed))

    assert shown(text).split() == text.split()


@settings(max_examples=300, deadline=None)
@given(TYPED)
def test_only_marks_and_addresses_may_not_be_shown(typed):
    """Everything shown was typed, in that order, and what is missing are marks, unless a link or a language was typed."""
    text = clean_text(typed)
    missing, rest = [], iter(as_typed(text))
    for char in "".join(shown(text).split()):
        for typed_char in rest:
            if typed_char == char:
                break
            missing.append(typed_char)
        else:
            pytest.fail(f"{char!r} was not typed in this place")
    missing += rest
    if "](" not in text and "```" not in text:
        assert set("".join(missing)) <= set("*`~>-|: \t\n0123456789.") | {c for c in missing if c.isspace()}


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.sampled_from(["a", " ", "\t", "\n", "  ", "1", "x\ty", "\\", "_"]), max_size=30).map("".join)
)
def test_indentation_and_tabs_survive(typed):
    text = clean_text(typed)

    lines = [line.rstrip() for line in shown(text).split("\n") if line.strip()]
    paragraphs = re.sub(r"\n\s*\n", "\n", text)
    if "<p>" in render_markdown(text) and "\n\n" not in re.sub(r"[ \t]+\n", "\n", text):
        assert lines == [line.rstrip() for line in paragraphs.split("\n") if line.strip()]


# --- Deliberate markup ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "html"),
    [
        (
            "> ¿Cuál es tu correo?\nana@b.test no",
            "<blockquote>\n<p>¿Cuál es tu correo?</p>\n</blockquote>\n<p>",
        ),
        ("- uno\nsigue", "<ul>\n<li>uno</li>\n</ul>\n<p>sigue</p>"),
        ("- uno\n  sigue", "<ul>\n<li>uno<br>\nsigue</li>\n</ul>"),
        (
            "- a\n  - b\n    - c\n- d",
            "<ul>\n<li>a<ul>\n<li>b<ul>\n<li>c</li>\n</ul></li>\n</ul></li>\n<li>d</li>\n</ul>",
        ),
        ("7. siete\n8. ocho", '<ol start="7">\n<li>siete</li>\n<li>ocho</li>\n</ol>'),
        ("1. a\n1. b", "<ol>\n<li>a</li>\n</ol>\n<ol>\n<li>b</li>\n</ol>"),
        ("3. a\n\n9. b", '<ol start="3">\n<li>a</li>\n</ol>\n<ol start="9">\n<li>b</li>\n</ol>'),
        ("1. a\n\n2. b", "<ol>\n<li><p>a</p></li>\n<li><p>b</p></li>\n</ol>"),
        ("1. 2. algo", "<ol>\n<li>2. algo</li>\n</ol>"),
        ("- 2 sillas\n- una mesa", "<ul>\n<li>2 sillas</li>\n<li>una mesa</li>\n</ul>"),
        ("> > a\n> b", "<blockquote>\n<blockquote>\n<p>a</p>\n</blockquote>\n<p>b</p>\n</blockquote>"),
        ("```\n\tx  y\n```\nfin", "<pre><code>\tx  y\n</code></pre>\n<p>fin</p>"),
        ("```error 500\n  at x```", "<pre><code>error 500\n  at x\n</code></pre>"),
        ("```hola\n```", "<pre><code>hola\n</code></pre>"),
        ("usa `a  *b*\\_c`", "<p>usa <code>a  *b*\\_c</code></p>"),
        (
            "**¿Sí?** y **100%**, «*ojo*»",
            "<p><strong>¿Sí?</strong> y <strong>100%</strong>, «<em>ojo</em>»</p>",
        ),
        ("**a *b* c** ~~d~~", "<p><strong>a <em>b</em> c</strong> <s>d</s></p>"),
        ("***ya***", "<p><strong>ya</strong></p>"),
        ("**a* b", "<p>**a* b</p>"),
        (
            "|a|b|\n|-|:-:|\n|**1**|2|3|\n|4|\nfin",
            "<table>\n<thead>\n<tr><th>a</th><th>b</th></tr>\n</thead>\n<tbody>\n<tr><td><strong>1</strong></td><td>2</td><td>3</td></tr>\n<tr><td>4</td></tr>\n</tbody>\n</table>\n<p>fin</p>",
        ),
    ],
)
def test_deliberate_markup_is_drawn(typed, html):
    assert render_markdown(typed).strip().startswith(html)


@settings(max_examples=200, deadline=None)
@given(TYPED)
def test_answer_under_a_quote_or_list_is_not_part_of_it(typed):
    first = clean_text(typed).split("\n")[0]
    if not re.match(r"[ \t]|>|[-*]|\d+\.|```|$", first):
        for above in ("> pregunta", "- uno", "1. uno"):
            html = str(render_markdown(f"{above}\n{first}"))
            assert re.match(r"<(blockquote|ul|ol)>.*?(uno|pregunta)(</p>)?(</li>)?\n</\1>", html, re.DOTALL)


# --- Literal values ---------------------------------------------------------------------------------------

NAMES = [
    "[Pague aqui](http://malo.test)", "http://malo.test", "HTTPS://malo.test/x", "www.malo.test", "Www.malo.test", "ana@malo.test",
    "**Ana**", "*Ana*", "`Ana`", "~~Ana~~", "> Ana", "- Ana", "* Ana", "7. Ana", "```", "a | b", "**", "`", "[", "](http://malo.test)",
]  # fmt: skip


@pytest.mark.parametrize("value", NAMES)
@pytest.mark.parametrize(
    "around",
    ["{}", "Hola, {}:", "{}\n{}", "**{}**", "*{}*", "[{}", "{}](http://a.test)", "> {}", "|a|\n|-|\n|{}|"],
)
def test_literal_value_is_shown_as_it_is(around, value):
    text = clean_text(around.replace("{}", literal(value)))

    html = str(render_markdown(text))
    assert value in Reader(html).text
    assert "malo.test" not in "".join(re.findall(r"<[^>]*>", html))
    assert as_typed(text) == around.replace("{}", value)
    assert value in plain_excerpt(text, 200) or "\n" in around


@pytest.mark.parametrize(
    "name", ["Ana Pérez", "Cap. Ramón Acosta", "O'Brien-Núñez (hija)", "MA-10482", "{folio} a_b #5"]
)
def test_literal_changes_no_ordinary_name(name):
    assert literal(name) == name


@settings(max_examples=200, deadline=None)
@given(TYPED)
def test_any_value_can_be_made_literal(typed):
    value = " ".join(clean_text(typed).replace(LITERAL, "").split())
    html = str(render_markdown(f"Hola, {literal(value)}."))

    assert " ".join(Reader(html).text.split()) == f"Hola, {value}.".replace("  ", " ")
    assert not re.search(r"<(?!/?p>|br>)", html)


# --- Bounds -----------------------------------------------------------------------------------------------


def wide_table(size: int) -> str:
    columns = int((size / 6) ** 0.5)
    return "|" * columns + "\n" + "|-" * columns + "|\n" + "|\n" * ((size - 3 * columns) // 2)


CONSTRUCTS = [
    *("[", "![[", "[a](", "[](", "[ ](", "[a](b", "*", "*a", "**a", "**a *b ", "_a", "~~a", "~~", "`", "`a", "`a`", "``a`", "`` ` "),
    *("> ", "> a\n", ">\n", "> > > > > > a\n", "> a\n\n", "- ", "-\n", "- a\n", "- 5\n", "- a\n\n", "- a\n  - b\n    - c\n", "1. a\n"),
    *("1. a\n2. b\n", "7. a\n\n", "- a\n\n\n\n", "*a* ", "**a** ", "*a **b** c* ", "~~a~~ ", "[a](https://b.test) ", "[x](https://a.test/ "),
    *("http://", "https://a", "https://a.test ", "www.", "www.a.test ", "a@", "a@b.co ", "a.b@c.", "a-", ":", "(", "\\", "\\*", "<", "<a ", "&", "&amp;", '"'),
    *("|", "|\n", "||\n", "|a|\n|-|\n", "a|b\n-|-\n", "|a|b|\n", "```\n", "```x\n", "```a```\n", "``` a\n", "a\n", "a\n\n", "\n", "    a\n", "\t\n"),
    *(f"{LITERAL}*", f"{LITERAL}`", LITERAL, "é", "😀", "\u0301\u0316", wide_table),
]  # fmt: skip


def built(construct, size: int) -> str:
    return construct(size)[:size] if callable(construct) else (construct * size)[:size]


def name_of(construct: object) -> str:
    """Return a name that is the same in every process, as parameters of tests must be."""
    return construct.__name__ if callable(construct) else repr(construct)


@pytest.mark.parametrize("construct", CONSTRUCTS, ids=name_of)
def test_drawing_a_message_is_bounded(construct):
    """In time, in the length of its HTML, and in its elements; and nothing of it is lost."""
    render = render_markdown.__wrapped__  # without the cache

    assert_grows_linearly(lambda size: render(built(construct, size)), short=MAX_TEXT // 10, floor=0.002)

    text = built(construct, MAX_TEXT)
    html = render(text)
    assert len(html) <= MAX_HTML + 4 * len(text)
    assert len(re.findall(r"<(?!br>|/)", html)) <= 10_000
    if "](http" not in text and "```" not in text:
        assert letters(Reader(html).text) == letters(text)
    assert_is_inert(html)


def test_large_table_is_shown_as_text():
    row = "|uno|dos|\n"
    table = "|a|b|\n|-|-|\n" + row * (MAX_CELLS // 2 - 1)

    assert render_markdown(table).count("<td>") == MAX_CELLS - 2
    assert "<td>" not in render_markdown(table + row)
    assert shown(table + row) == (table + row).rstrip()


def test_message_with_too_many_links_is_shown_without_them():
    addresses = "\n".join(f"persona{n}@ejemplo.test" for n in range(850))

    html = render_markdown(addresses)

    assert "<a" not in html
    assert shown(addresses) == addresses
    assert render_markdown(addresses[:2_000]).count("<a") > 80


@pytest.mark.parametrize("construct", CONSTRUCTS, ids=name_of)
def test_excerpt_time_grows_with_the_text(construct):
    assert_grows_linearly(
        lambda size: plain_excerpt(built(construct, size), 200), short=MAX_TEXT // 10, floor=0.005
    )
