"""Versions are compared word by word, within bounds."""

import time

from knowledge.comparing import AROUND, compare


def written(before: str, after: str) -> str:
    marks = {"added": "+{}+", "removed": "-{}-", "same": "{}", "left_out": "…"}
    return "".join(marks[piece.kind].format(piece.text) for piece in compare(before, after))


def test_changed_words_are_removed_and_added():
    assert written("Vence en 5 minutos.", "Vence en 10 minutos.") == "Vence en -5-+10+ minutos."
    assert written("Igual", "Igual") == ""
    assert written("", "Nuevo") == "+Nuevo+"


def test_unchanged_text_far_from_a_change_is_left_out():
    far = "línea igual\n" * 100

    shown = written(f"{far}viejo\n{far}", f"{far}nuevo\n{far}")

    assert "-viejo-+nuevo+" in shown
    assert (shown[0], shown[-1]) == ("…", "…")
    assert len(shown) < 3 * AROUND


def test_comparing_the_longest_texts_ends_soon():
    begun = time.process_time()
    compare("a b " * 10_000, "b a " * 10_000)
    compare("a\n" * 20_000, "b\n" * 20_000)

    assert time.process_time() - begun < 2
