"""Finding articles: any form of a word, without accents, with typing errors, by synonyms, and for the right people."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from accounts.enums import Role
from accounts.tests.factories import make_user
from knowledge import articles, misses, synonyms
from knowledge.enums import Audience
from knowledge.models import Posting, SearchMiss, Stem, Word
from knowledge.ranking import rank, search
from knowledge.tests.factories import make_article, make_supervisor

pytestmark = pytest.mark.django_db


@pytest.fixture
def shelf():
    """Three public articles."""
    return [
        make_article(
            "No puedo entrar a mi cuenta", body="Crea una contraseña nueva desde la pantalla de entrada."
        ),
        make_article(
            "Me cobraron dos veces", body="El banco devuelve el pago repetido en tres días hábiles."
        ),
        make_article("Cambiar el celular", body="Abre tu perfil y escribe el número nuevo."),
    ]


def find(query, **fields):
    return search(query, **{"reader": None, "language": "es", **fields})


def titles(query, **fields):
    return [hit.title for hit in find(query, **fields).hits]


@pytest.mark.parametrize(
    "query", ["cuenta", "CUENTAS", "entrar a la cuenta", "contrasena", "contraseñas", "no puedo entrar"]
)
def test_any_form_of_a_word_finds_the_article(shelf, query):
    assert titles(query)[0] == "No puedo entrar a mi cuenta"


def test_typing_error_is_corrected_and_told(shelf):
    found = find("no puedo entar")

    assert (found.analysis.corrected, found.analysis.wrong) == ("no puedo entrar", ("entar",))
    assert found.hits[0].title == "No puedo entrar a mi cuenta"
    assert find("no puedo entar", correct=False).analysis.corrected == ""


def test_synonym_finds_and_is_marked(shelf):
    synonyms.save("clave, contraseña, password", actor=make_supervisor())
    synonyms.save("entrar, iniciar sesión", actor=make_supervisor())

    found = find("olvidé la clave")
    assert found.hits[0].title == "No puedo entrar a mi cuenta"
    assert (("contraseña", True) in found.marked("Crea una contraseña nueva")) is True
    assert titles("iniciar sesión")[0] == "No puedo entrar a mi cuenta"


def test_title_counts_more_than_text(shelf):
    make_article("Otra cosa", body="Aquí se habla de la cuenta. " * 3)

    assert titles("cuenta")[0] == "No puedo entrar a mi cuenta"


def test_unrelated_text_gets_no_suggestion(shelf):
    rank_ = lambda text: [hit.title for hit in rank(text, reader=None, language="es")]  # noqa: E731

    assert rank_("Hola, buenas tardes. No puedo entrar a mi cuenta desde ayer, ¿me ayudan?")[
        0
    ] == shelf_title(shelf, 0)
    assert rank_("¿Cuál es la receta del ajiaco santafereño con guascas?") == []
    assert rank_("") == []


def shelf_title(shelf, at):
    return shelf[at].published_text("es").published.title


def test_internal_and_unpublished_texts_are_not_found():
    secret = make_article("Nómina reservada", audience=Audience.INTERNAL, body="Pasos de la nómina.")
    customers = make_article("Solo con cuenta", audience=Audience.CUSTOMERS, body="Pasos de la nómina.")
    agent, customer = make_user(role=Role.AGENT), make_user()

    assert titles("nómina") == []
    assert titles("nómina", reader=customer) == ["Solo con cuenta"]
    assert titles("nómina", reader=agent) == ["Solo con cuenta"]
    assert set(titles("nómina", reader=agent, in_portal=False)) == {"Nómina reservada", "Solo con cuenta"}
    articles.archive(customers, actor=make_supervisor())
    articles.archive(secret, actor=make_supervisor())
    assert titles("nómina", reader=agent, in_portal=False) == []


def test_corrections_tell_no_word_of_internal_texts():
    make_article("Interno", audience=Audience.INTERNAL, body="El proyecto Zafiro empieza en marzo.")
    agent = make_user(role=Role.AGENT)

    assert find("zafro").analysis.corrected == ""
    assert find("zafro", reader=agent).analysis.corrected == ""
    assert find("zafro", reader=agent, in_portal=False).analysis.corrected == "zafiro"


def test_article_that_becomes_internal_is_no_longer_found(shelf):
    articles.edit_card(shelf[0], actor=make_supervisor(), audience=Audience.INTERNAL)

    assert titles("contraseña") == []
    assert not Word.objects.filter(text="contrasena", public__gt=0).exists()


def test_index_forgets_what_is_archived(shelf):
    for article in shelf:
        articles.archive(article, actor=make_supervisor())

    assert not Posting.objects.exists()
    assert not Word.objects.exists()
    assert not Stem.objects.filter(texts__gt=0).exists()


def test_publishing_again_counts_a_word_once(shelf):
    before = {stem.text: stem.texts for stem in Stem.objects.all()}
    article = shelf[0]
    articles.save_version(
        article,
        actor=make_supervisor(),
        language="es",
        title="No puedo entrar a mi cuenta",
        body="Otra redacción.",
    )
    articles.publish(article, actor=make_supervisor())
    articles.save_version(
        article,
        actor=make_supervisor(),
        language="es",
        title="No puedo entrar a mi cuenta",
        body="Crea una contraseña nueva desde la pantalla de entrada.",
    )
    articles.publish(article, actor=make_supervisor())

    assert {stem.text: stem.texts for stem in Stem.objects.filter(texts__gt=0)} == before


def test_hit_is_shown_in_the_readers_language():
    article = make_article("No puedo entrar", body="Contraseña nueva.")
    articles.save_version(
        article, actor=make_supervisor(), language="en", title="I cannot sign in", body="New password."
    )
    articles.publish(article, actor=make_supervisor())

    assert titles("contraseña", language="en") == ["I cannot sign in"]
    assert titles("password", language="es") == ["No puedo entrar"]


def test_common_words_read_a_bounded_number_of_rows(monkeypatch, shelf):
    monkeypatch.setattr("knowledge.ranking.MOST_OF_A_STEM", 1)

    assert titles("cuenta")[0] == "No puedo entrar a mi cuenta"
    assert titles("una contraseña nueva")[0] == "No puedo entrar a mi cuenta"


def test_greatest_postings_are_read_from_their_index(monkeypatch, shelf):
    """A foreign key in `order_by` would sort by the order of articles, and read all postings of the stem for that."""
    monkeypatch.setattr("knowledge.ranking.MOST_OF_A_STEM", 1)
    with CaptureQueriesContext(connection) as queries:
        find("una contraseña nueva")

    of_postings = [query["sql"] for query in queries if 'FROM "knowledge_posting"' in query["sql"]]
    assert of_postings
    assert not [sql for sql in of_postings if "knowledge_section" in sql]


@pytest.mark.parametrize("count", [1, 12])
def test_search_takes_the_same_queries(django_assert_max_num_queries, count):
    for number in range(count):
        make_article(f"No puedo entrar {number}", body="Contraseña nueva.")
    synonyms.save("clave, contraseña", actor=make_supervisor())

    with django_assert_max_num_queries(11):
        assert find("clave entar").hits


def test_miss_is_counted_and_keeps_nothing_personal():
    for query in ("Torniquete bicicleta", "torniquete  bicicleta", "TORNIQUETE bicicleta"):
        misses.report(query)
    for query in ("ana@example.com", "mi número es 3005550142", "MA-10012", "x", "una frase muy larga " * 9):
        assert misses.report(query) is None

    assert list(SearchMiss.objects.values_list("query", "count")) == [("torniquete bicicleta", 3)]


def test_misses_are_bounded(monkeypatch):
    monkeypatch.setattr(misses, "MOST_ROWS", 2)
    for query in ("uno", "dos", "dos", "tres"):
        misses.report(query)

    assert {miss.query for miss in SearchMiss.objects.all()} == {"dos", "tres"}


def test_only_supervisors_edit_synonyms():
    with pytest.raises(synonyms.NotAllowed):
        synonyms.save("a, b", actor=make_user(role=Role.AGENT))
    with translation.override("es"), pytest.raises(synonyms.InvalidData):
        synonyms.save("solo", actor=make_supervisor())
