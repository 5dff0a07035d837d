"""Make and hash the secrets of guests' links. Only the hash is stored (B15, B27)."""

import hashlib
import secrets
from typing import NamedTuple


class NewToken(NamedTuple):
    raw: str  # goes into the link and nowhere else
    hash: str  # goes into the database


def new_token() -> NewToken:
    """Return a new secret of 256 random bits, safe in a URL, and its hash."""
    raw = secrets.token_urlsafe(32)
    return NewToken(raw, hash_token(raw))


def hash_token(raw: str) -> str:
    """Return the SHA-256 of a secret in hex. A random secret of 256 bits needs no salt and no slow hash."""
    return hashlib.sha256(raw.encode("utf-8", "surrogatepass")).hexdigest()
