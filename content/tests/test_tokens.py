import re

from content.tokens import hash_token, new_token


def test_new_token_is_a_random_secret_and_its_hash():
    tokens = {new_token() for _ in range(100)}

    assert len({raw for raw, _hash in tokens}) == len({hashed for _raw, hashed in tokens}) == 100
    for raw, hashed in tokens:
        assert re.fullmatch(r"[A-Za-z0-9_-]{43}", raw)  # 256 bits
        assert hashed == hash_token(raw)


def test_hash_token_is_sha256():
    assert hash_token("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
