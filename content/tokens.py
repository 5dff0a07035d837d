"""The secret in a guest's link: made here, sent once, kept only as a hash (B15, B27)."""

import hashlib
import secrets
from typing import NamedTuple


class NewToken(NamedTuple):
    raw: str  # goes into the link and nowhere else
    hash: str  # goes into the database


def new_token() -> NewToken:
    """256 random bits, safe in a URL. Derived from nothing, so it cannot be guessed from ids or keys."""
    raw = secrets.token_urlsafe(32)
    return NewToken(raw, hash_token(raw))


def hash_token(raw: str) -> str:
    """SHA-256 in hex. A random secret of this length needs no salt and no slow hash."""
    return hashlib.sha256(raw.encode("utf-8", "surrogatepass")).hexdigest()
