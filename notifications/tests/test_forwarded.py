"""What somebody wrote above a mail that they forward is told from that mail."""

import pytest

from notifications.incoming.forwarded import split

GMAIL = """Cuidado con este.

---------- Forwarded message ---------
De: Luis Ortega <luis@cliente.test>
Date: vie, 27 nov 2026 a las 10:12
Subject: Cobro
To: <ana@mesa.test>

Me cobraron dos veces.

Luis"""
OUTLOOK = """Para ustedes

________________________________
**De:** Luis Ortega <luis@cliente.test>

**Enviado:** viernes, 27 de noviembre de 2026 10:12

**Asunto:** Cobro

Me cobraron dos veces.

Luis"""


@pytest.mark.parametrize(("text", "above"), [(GMAIL, "Cuidado con este."), (OUTLOOK, "Para ustedes")])
def test_words_above_are_told_from_the_forwarded_mail(text: str, above: str):
    assert split(text) == (above, "Me cobraron dos veces.\n\nLuis")


def test_mail_forwarded_without_a_word_has_no_words_above():
    assert split(GMAIL.partition("\n\n")[2]) == ("", "Me cobraron dos veces.\n\nLuis")


@pytest.mark.parametrize(
    "text",
    [
        "Llamó la señora.\nDe: Luis Ortega <luis@cliente.test>\nMe cobraron dos veces.",
        "Sin nada reenviado.",
        "Hola\n\n---------- Forwarded message ---------\nDe: Luis <luis@cliente.test>\nAsunto: Cobro\n",
        "",
    ],
)
def test_where_it_is_uncertain_all_is_the_mail(text: str):
    assert split(text) == ("", text)
