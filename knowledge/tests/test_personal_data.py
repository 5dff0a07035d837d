"""Personal data is found and marked once, whatever else stands around it."""

import pytest

from knowledge.personal_data import is_about_one, mark, marks_in


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        ("Llama a Julián Torres.", "Llama a [[Julián Torres]]."),
        ("JULIÁN y Torres", "[[JULIÁN]] y [[Torres]]"),
        ("torres.julian@correo.example", "[[torres.julian@correo.example]]"),
        ("[[Julián Torres]] llamó", "[[Julián Torres]] llamó"),
        ("Torresmolino no es nadie", "Torresmolino no es nadie"),
        ("Al 313 555 0188 por MA-10012", "Al [[313 555 0188]] por [[MA-10012]]"),
        ("Cédula V-12.345.678 y J-1.234.567-8", "Cédula [[V-12.345.678]] y [[J-1.234.567-8]]"),
        ("Placas ABC123, AB123CD y ab123cd", "Placas [[ABC123]], [[AB123CD]] y [[ab123cd]]"),
        ("La versión 12.345 de los 120 equipos", "La versión 12.345 de los 120 equipos"),
    ],
)
def test_personal_data_is_marked_once(text: str, marked: str):
    names = ("Julián Torres", "Julián", "Torres", " ")

    assert mark(text, names=names) == marked
    assert mark(marked, names=names) == marked


def test_names_with_signs_are_no_patterns():
    assert marks_in(mark("a+b (c", names=("a+b", "(c"))) == ["a+b"]


@pytest.mark.parametrize(
    "text",
    [
        "Devolvimos 45,50 USD.",
        "Se cobraron $12.000 dos veces.",
        "Va a la tarjeta terminada en 4411.",
        "Su clave temporal es Perro-99.",
        "Contraseña: abc123",
        "Entra por https://mesa.example/enlace/s3cr3t/ y cámbiala.",
        "Habla con la señora Gómez.",
        "Mrs. Jones has the key.",
    ],
)
def test_what_was_true_for_one_ticket_is_noticed(text):
    assert is_about_one(text)


@pytest.mark.parametrize(
    "text",
    [
        "Pide una contraseña nueva en la pantalla de entrada.",
        "El código es de un solo uso.",
        "Espera 30 minutos y prueba otra vez.",
        "La app 4.12 lo corrige.",
        "Un señor del taller te llama.",
    ],
)
def test_what_helps_everybody_is_not_taken_for_somebodys(text):
    assert not is_about_one(text)
