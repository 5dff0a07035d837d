import re

import pytest

from tickets.tokens import hash_token, matches, new_token


def test_new_token_is_a_random_secret_and_its_hash():
    tokens = {new_token() for _ in range(100)}

    assert len({raw for raw, _hash in tokens}) == len({hashed for _raw, hashed in tokens}) == 100
    for raw, hashed in tokens:
        assert re.fullmatch(r"[A-Za-z0-9_-]{43}", raw)  # 256 bits
        assert hashed == hash_token(raw)
        assert matches(raw, hashed)


def test_hash_token_is_sha256():
    assert hash_token("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@pytest.mark.parametrize("raw", ["", "x", "ñ", "\ud800", "\x00", "0" * 100_000, "0e1", "ba7816bf"])
def test_matches_nothing_but_the_secret(raw):
    _raw, hashed = new_token()

    assert not matches(raw, hashed)
    assert not matches(raw, "")
    assert not matches(raw, raw)
    assert not matches(f"{_raw}x", hashed)
    assert matches(_raw, hashed)


def test_an_empty_secret_matches_not_even_its_own_hash():
    assert not matches("", hash_token(""))
