"""Encrypt secrets that must be read again, such as the key that another program signs with (B37).

Secrets that only need to be recognised are hashed instead: see `tokens`. The key of the encryption is made from
SECRET_KEY; after a rotation, what was sealed with an earlier one is read with SECRET_KEY_FALLBACKS.
"""

import base64
import hashlib
import hmac

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

PURPOSE = b"content.sealing"


class CannotUnseal(Exception):
    """The text was sealed with a SECRET_KEY that this installation does not have, or is damaged."""


def seal(text: str) -> str:
    """Return `text` encrypted and authenticated, as ASCII."""
    return _fernet().encrypt(text.encode()).decode()


def unseal(sealed: str) -> str:
    """Return the text that `seal` was given. Raises `CannotUnseal`; never returns what is not the text."""
    try:
        return _fernet().decrypt(sealed.encode()).decode()
    except (InvalidToken, UnicodeError) as error:
        raise CannotUnseal from error


def resealed(sealed: str) -> str:
    """Return the same secret sealed with SECRET_KEY, if it was sealed with an earlier one; else `sealed` as it is."""
    try:
        Fernet(_fernet_key(settings.SECRET_KEY)).decrypt(sealed.encode())
    except InvalidToken:
        return seal(unseal(sealed))
    return sealed


def _fernet() -> MultiFernet:
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return MultiFernet([Fernet(_fernet_key(key)) for key in keys])


def _fernet_key(key: str) -> bytes:
    """Return a key that only this purpose uses: SECRET_KEY signs other things, too."""
    return base64.urlsafe_b64encode(hmac.new(key.encode(), PURPOSE, hashlib.sha256).digest())
