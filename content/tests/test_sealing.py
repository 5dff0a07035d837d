"""Secrets that are encrypted at rest (B37)."""

from typing import Any

import pytest

from content.sealing import CannotUnseal, resealed, seal, unseal


def test_sealed_text_is_read_again_and_never_the_same_twice():
    first, second = seal("secreto ñ"), seal("secreto ñ")

    assert first != second
    assert "secreto" not in first
    assert unseal(first) == unseal(second) == "secreto ñ"


@pytest.mark.parametrize("damaged", ["", "texto", "gAAAAA", "ñ"])
def test_damaged_text_is_an_error_and_not_a_text(damaged: str):
    for text in (damaged, seal("secreto")[:-4] + "xxxx"):
        with pytest.raises(CannotUnseal):
            unseal(text)


def test_key_may_be_rotated(settings: Any):
    sealed, old = seal("secreto"), settings.SECRET_KEY
    assert resealed(sealed) == sealed

    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "n" * 60, [old]
    again = resealed(sealed)
    settings.SECRET_KEY_FALLBACKS = []

    assert unseal(again) == "secreto"
    with pytest.raises(CannotUnseal):
        unseal(sealed)
