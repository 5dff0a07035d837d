"""Articles as HTML: headings, steps, pictures and links, and nothing else (B7, B8)."""

import re

import pytest

from content.article_markdown import MAX_ARTICLE, Picture, linked_articles, pictures_in, render, steps_of
from content.text import render_markdown

PICTURES = {"entrar.png": Picture("/ayuda/archivos/1/", 300, 200)}
ARTICLES = {"cuenta-bloqueada": "/ayuda/cuenta-bloqueada/"}


def html(text):
    return render(text, pictures=PICTURES, articles=ARTICLES).html


def test_headings_have_anchors_for_the_table_of_contents():
    rendered = render(
        "## Si el código no llega\n\nEspera.\n\n### Más\n\n## Si el código no llega", pictures={}, articles={}
    )

    assert [(heading.level, heading.anchor, heading.text) for heading in rendered.headings] == [
        (2, "s-si-el-codigo-no-llega", "Si el código no llega"),
        (3, "s-mas", "Más"),
        (2, "s-si-el-codigo-no-llega-2", "Si el código no llega"),
    ]
    assert [heading.level for heading in rendered.contents] == [2, 2]
    assert '<h2 id="s-si-el-codigo-no-llega-2">' in rendered.html


def test_step_has_its_picture_with_words_for_who_cannot_see_it():
    shown = html('1. Toca **Entrar**.\n   ![El botón "Entrar"](entrar.png "Debajo del logo")\n2. Listo.')

    assert '<ol class="kb-steps">' in shown
    assert (
        '<figure class="kb-fig"><img src="/ayuda/archivos/1/" alt="El botón &quot;Entrar&quot;" width="300" '
        'height="200" loading="lazy"><figcaption>Debajo del logo</figcaption></figure></li>'
    ) in shown


def test_links_lead_to_articles_that_may_be_read():
    text = "Mira [bloqueada](articulo:cuenta-bloqueada), [secreta](articulo:nomina) y [abajo](#fin)."

    assert html(text) == (
        '<p>Mira <a href="/ayuda/cuenta-bloqueada/" rel="noopener noreferrer">bloqueada</a>, secreta y '
        '<a href="#s-fin" rel="noopener noreferrer">abajo</a>.</p>'
    )
    assert linked_articles(text) == {"cuenta-bloqueada", "nomina"}


def test_code_keeps_what_looks_like_a_link():
    assert (
        html("`[a](#b)` y `[a](articulo:b)`") == "<p><code>[a](#b)</code> y <code>[a](articulo:b)</code></p>"
    )


@pytest.mark.parametrize(
    "text",
    [
        "![x](https://evil.example/p.png)",
        "![x](//evil.example/p.png)",
        "![x](otra.png)",
        '![x](entrar.png "<script>alert(1)</script>")',
        '![" onerror="alert(1)](entrar.png)',
        "## <img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "[x](articulo:javascript:alert(1))",
        "<iframe src=//evil.example></iframe>",
        "<h2 id=a class=b style=c onclick=d>x</h2>",
        "1. <form action=//evil.example><button>x</button></form>",
    ],
)
def test_hostile_text_is_shown_and_does_nothing(text):
    shown = html(text)

    tags = [re.sub(r'"[^"]*"', '""', tag) for tag in re.findall(r"<[^>]*>", shown)]
    assert not [tag for tag in tags if re.search(r"script|onerror|onclick|style|iframe|form", tag)]
    assert "javascript:" not in "".join(re.findall(r'(?:src|href)="[^"]*"', shown))
    assert not re.search(r'<img[^>]*src="(?!/ayuda/)', shown)


def test_messages_have_no_headings_or_pictures():
    assert "<h2" not in render_markdown("## 5 pagos")
    assert "<img" not in render_markdown("![x](entrar.png)")


def test_text_over_the_limit_is_shown_unformatted():
    assert "<h2" not in html("## a\n" + "x" * MAX_ARTICLE)


def test_pictures_and_steps_of_a_text():
    text = "Antes\n1. Uno\n   ![a](a.png)\n2. Dos\n\nFin\n![b](b.png)"

    assert pictures_in(text) == ["a.png", "b.png"]
    assert steps_of(text) == ["Uno", "Dos"]
