"""Names in the order of Spanish dictionaries, in Python and in the database that runs the tests."""

import random
import unicodedata

import pytest
from django.db import connection

from content.sorting import NAME_COLLATION, sort_key

SORTED = [
    "¿Quién?", "«Taller»", "(CCA)", "@soporte", "€ y $", "12", "A 1", "A-B", "A1", "Académico", "Aero", "Ærø",
    "Alvarez", "Álvarez", "alvaro", "Alvaro", "Álvaro", "Asa", "Åsa", "Celik", "Çelik", "chico", "cobra", "fin",
    "Ibanez", "Ibáñez", "José Luis", "Jose-Luis", "JoséLuis", "llama", "lobo", "Lukasz", "Łukasz", "Muller", "Müller",
    "Nando", "Nguyen", "Nguyễn", "Nunez", "Nuno", "Nuñez", "Núñez", "Núñez Ana", "nz", "ñ", "Ñ", "Ñandú", "O Neill",
    "O'Neill", "O’Neill", "Oca", "Oneill", "Pérez", "Pérez A.", "Pérez, A.", "Samuel Pérez", "Samuel Pérez 🚗",
    "Samuel Pérez A", "Soporte tecnico", "Soporte técnico", "Soporte Técnico", "Strasse", "Straße", "Zoe", "Zoé", "Zoë",
    "Ωmega", "Иван", "日本",
]  # fmt: skip


def test_sort_key_follows_the_dictionary():
    assert sorted(set(SORTED), key=sort_key) == SORTED


def test_unicode_form_does_not_change_the_place():
    decomposed = [unicodedata.normalize("NFD", name) for name in SORTED]
    assert sorted(set(decomposed), key=sort_key) == decomposed


def in_database(names: list[str]) -> list[str]:
    rows = " UNION ALL ".join(["SELECT %s AS name"] * len(names))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT name FROM ({rows}) AS names ORDER BY name COLLATE {NAME_COLLATION}", names)
        return [name for (name,) in cursor.fetchall()]


@pytest.mark.django_db
def test_database_and_python_sort_alike():
    """On PostgreSQL this compares `sort_key` with ICU."""
    chance = random.Random(17)
    invented = {
        "".join(chance.choices("aAáÁnNñÑoOüzZ é-.,'1", k=chance.randint(1, 6))) for _name in range(400)
    }

    assert in_database(SORTED[::-1]) == SORTED
    assert in_database(sorted(invented)) == sorted(invented, key=sort_key)
