"""Searching by words: forms, accents, common words, and the cost of long queries."""

import pytest

from content.search import MAX_WORDS, compounds_of, dice, score, stems_in, stems_of, words_of


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("pago", "PAGOS"),
        ("puedo", "puedes"),
        ("facturación", "facturacion"),
        ("contraseña", "contrasena"),
        ("inscripción", "inscripciones"),
        ("password", "passwords"),
        ("Móvil", "movil"),
    ],
)
def test_forms_of_a_word_share_a_stem(one, other):
    assert stems_of(one) & stems_of(other)


@pytest.mark.parametrize(("one", "other"), [("pago", "pagina"), ("vuelo", "duelo"), ("nota", "moto")])
def test_different_words_share_no_stem(one, other):
    assert not stems_of(one) & stems_of(other)


def test_common_words_count_only_alone():
    assert words_of("No puedo entrar a la App") == ["puedo", "entrar", "app"]
    assert words_of("la que no") == ["la", "que", "no"]
    assert words_of("¿¡?!") == []


def test_any_word_counts_and_the_best_text_decides():
    texts = [(3, "Pagos y facturas"), (1, "Cobros duplicados en tu tarjeta")]
    assert score(words_of("me cobraron la factura"), texts) == 4
    assert score(words_of("vuelo cobro"), texts) == 1
    assert score(words_of("vuelo"), texts) == 0
    assert score([], texts) == 0


def test_neighbours_are_one_word_too():
    assert score(words_of("I can't log in") + compounds_of("I can't log in"), [(3, "login")]) == 3
    assert score(compounds_of("in the log"), [(3, "login")]) == 0


def test_long_queries_are_cut():
    assert len(compounds_of(" ".join(f"palabra{n}" for n in range(100)))) == MAX_WORDS - 1
    assert compounds_of("x" * 100_000 + " y") == []
    assert len(words_of(" ".join(f"palabra{n}" for n in range(100)))) == MAX_WORDS
    assert words_of("x" * 100_000) == []


def test_sets_share_from_nothing_to_all():
    one, other = stems_in("el lector no lee la placa", 20), stems_in("los lectores leen placas", 20)
    assert dice(one, other) > 0.6
    assert (dice(one, one), dice(one, frozenset()), dice(frozenset(), frozenset())) == (1.0, 0.0, 0.0)
    assert stems_in("uno dos tres", 1) == stems_of("uno")
