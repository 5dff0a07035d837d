"""Suggestions before a report is filed: what fits, for the people who may read it, and never a foreign ticket."""

import pytest

from accounts.tests.factories import make_user
from knowledge.articles import Scope
from knowledge.enums import Audience
from knowledge.models import SolutionPattern
from knowledge.suggestions import find, suggest
from knowledge.tests.factories import make_article
from tickets.tests.factories import make_process

pytestmark = [pytest.mark.django_db, pytest.mark.demand("S3.20")]


@pytest.fixture
def shelf():
    return [
        make_article(
            "No puedo entrar a mi cuenta", summary="Crea una contraseña nueva.", body="Toca **Olvidé**."
        ),
        make_article("Me cobraron dos veces", body="El banco devuelve el pago repetido en tres días."),
        make_article("Cambiar el celular", body="Abre tu perfil y escribe el número nuevo."),
    ]


def make_pattern(**fields) -> SolutionPattern:
    values = {
        "digest": str(SolutionPattern.objects.count()),
        "process": make_process().key,
        "category": "acceso",
        "title": "El código no llega",
        "text": "Borra los códigos anteriores y pide uno nuevo.",
        "stems": {"codig": 1.0, "codigo": 1.0, "lleg": 0.9},
        "cases": 14,
        "customers": 9,
    }
    return SolutionPattern.objects.create(**{**values, **fields})


def offered(text, **fields):
    return suggest(text, **{"reader": None, "language": "es", **fields}).items


def test_article_fits_what_is_written(shelf):
    first = offered("Hola, buenas. No puedo entrar a la cuenta desde ayer")[0]

    assert (first.title, first.article, first.cases) == ("No puedo entrar a mi cuenta", shelf[0], 0)
    assert first.plain_excerpt == "Crea una contraseña nueva."
    assert first.address == "/ayuda/no-puedo-entrar-a-mi-cuenta/"
    assert find(first.key, reader=None).article == shelf[0]


def test_pattern_fits_what_is_written(shelf):
    pattern = make_pattern()
    first = offered("No me llega el código", process=pattern.process, category="acceso")[0]

    assert (first.pattern, first.cases, first.address) == (pattern, 14, "")
    assert find(first.key, reader=None).pattern == pattern
    assert offered("No me llega el código", process="otro") == ()
    assert offered("La lluvia no llega", process=pattern.process) == ()


def test_article_of_the_chosen_topic_comes_first(shelf, monkeypatch):
    sure = make_article(
        "Cuenta bancaria", body="Datos del banco.", scopes=[Scope(process="pagos", category="banco")]
    )

    assert offered("no puedo entrar a la cuenta", process="otro")[0].article == shelf[0]
    assert offered("la cuenta", process="pagos", category="banco")[0].article == sure
    monkeypatch.setattr("knowledge.suggestions.lexical.FITS", 1.1)
    assert offered("la cuenta", process="pagos", category="otra") == ()
    assert [each.article for each in offered("la cuenta", process="pagos", category="banco")] == [sure]


def test_only_readers_get_what_is_not_for_everybody(shelf):
    article = make_article("Nómina reservada", audience=Audience.CUSTOMERS, body="Pasos de la nómina.")
    secret = make_article("Nómina interna", audience=Audience.INTERNAL, body="Pasos de la nómina.")
    pattern = make_pattern(needs_account=True)
    hidden = make_pattern(is_hidden=True)
    customer = make_user()

    assert offered("nómina reservada interna") == ()
    assert [each.article for each in offered("pasos de la nómina", reader=customer)] == [article]
    assert [each.pattern for each in offered("No me llega el código", reader=customer)] == [pattern]
    assert offered("No me llega el código") == ()
    for key in (f"articulo-{article.pk}", f"solucion-{pattern.pk}", f"articulo-{secret.pk}"):
        assert find(key, reader=None) is None
    for key in (
        f"articulo-{secret.pk}",
        f"solucion-{hidden.pk}",
        "articulo-x",
        "otra-1",
        "",
        "articulo-" + "9" * 30,
    ):
        assert find(key, reader=customer) is None


def test_unrelated_text_gets_nothing(shelf):
    make_pattern()

    for text in ("", "Receta del ajiaco santafereño con guascas", "¿" * 9000, "\x00", "de la que no"):
        assert not suggest(text, reader=None, language="es")


def test_provider_that_fails_is_not_noticed(shelf, settings, caplog):
    settings.SUGGESTIONS_PROVIDER = "knowledge.tests.test_suggestions.broken"

    assert offered("no puedo entrar", answer=True)[0].title == "No puedo entrar a mi cuenta"
    assert "the provider of suggestions failed" in caplog.text


def broken(question, found):
    raise RuntimeError
