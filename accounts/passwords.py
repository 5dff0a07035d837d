"""Unicode forms of passwords.

One keyboard sends «ñ» as one character, another as «n» and a combining tilde, and a third sends full-width digits.
They look alike to the person who types, so they are the same password.
"""

from content.text import NormalForm, normalize

FORMS: tuple[NormalForm, ...] = ("NFKC", "NFC", "NFD", "NFKD")
LONGEST = 512
"""Characters. Longer passwords are used as typed: normalising takes time that grows with the square of the length."""


def canonical(password: str) -> str:
    """Return the form of `password` that is hashed (NFKC)."""
    return password if len(password) > LONGEST else normalize("NFKC", password)


def spellings(password: str) -> list[str]:
    """Return `canonical(password)`, and the other forms that may have been hashed before passwords were normalised.

    ASCII passwords have one form. How many others have depends only on what was typed, not on the account.
    """
    if password.isascii() or len(password) > LONGEST:
        return [password]
    forms = [normalize(form, password) for form in FORMS]
    return list(dict.fromkeys([*forms, password]))
