"""Find personal data in a text that is to become an article, and mark it for removal.

A mark is written `[[…]]` around the words. An article with marks cannot be published: a person must remove them.
"""

import re
from collections.abc import Callable

_MARK = re.compile(r"\[\[([^\[\]\n]{1,200})\]\]")
_PERSONAL = re.compile(
    r"(?P<mail>[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4})"
    r"|(?P<number>(?<![\w.,/-])\+?\d(?:[ .()-]{0,2}\d){5,18}(?![\w/-]))"
    r"|(?P<plate>\b(?:[A-Z]{3}[ -]?\d{2,3}[A-Z]?|[A-Z]{2}[ -]?\d{3}[ -]?[A-Z]{2}|[a-z]{2}\d{3}[a-z]{2})\b)"
    r"|(?P<document>\b[VEJGPvejgp]-?\d{1,3}(?:\.\d{3}){2}(?:-\d)?\b)"
    r"|(?P<folio>\b[A-Z]{1,5}-\d{3,9}\b)"
)
_MONEY = "usd|eur|cop|ves|bs|d[oó]lares|euros|pesos|bol[ií]vares"
_ABOUT_ONE = re.compile(
    rf"(?i:[$€£]\s?\d|\b\d[\d.,]{{0,14}}\s?(?:{_MONEY})\b"
    r"|\b(?:terminad[ao]s?|acabad[ao]s?|ending) (?:en|in)\s+\d"
    r"|\b(?:clave|contraseña|c[oó]digo|pin|token|password|passcode|code)\b[^.\n]{0,40}?(?::|\b(?:es|is)\b)\s*(?=\S{0,60}\d)"
    r"|/(?:enlace|desde/app|asistente/marco)/\S)"
    r"|\b(?:[Ss]eñora?|[Ss]rt?a?\.?|[Dd]ra?\.|[Dd]oña?|Mrs?\.?|Ms\.?)\s+[A-ZÁÉÍÓÚÑ]"
)


def mark(text: str, *, names: tuple[str, ...] = ()) -> str:
    """Return the text with mail addresses, long numbers (phones, cards, documents), plates, folios and these names
    between marks. What is marked already stays so."""
    known = sorted(filter(None, (name.strip() for name in names)), key=len, reverse=True)
    marked = _outside_marks(text, lambda piece: _PERSONAL.sub(r"[[\g<0>]]", piece))
    if not known:
        return marked
    named = re.compile(rf"\b(?:{'|'.join(map(re.escape, known))})\b", re.IGNORECASE)
    return _outside_marks(marked, lambda piece: named.sub(r"[[\g<0>]]", piece))


def without(text: str) -> str:
    """Return the text with «…» in the place of mail addresses, long numbers, plates and folios."""
    return _PERSONAL.sub("…", text)


def marks_in(text: str) -> list[str]:
    """Return the words between marks, in order."""
    return _MARK.findall(text)


def looks_personal(text: str) -> bool:
    """Whether the text has an address, a long number, a plate or a folio."""
    return _PERSONAL.search(text) is not None


def is_about_one(text: str) -> bool:
    """Whether the text names an amount of money, the end of a card's number, a given password, somebody's own link, or
    a person by their title: what was true for one ticket alone."""
    return _ABOUT_ONE.search(text) is not None


def _outside_marks(text: str, change: Callable[[str], str]) -> str:
    """Return the text with `change` done to what stands between no marks."""
    pieces = _MARK.split(text)  # every second piece stood between marks
    return "".join(f"[[{piece}]]" if at % 2 else change(piece) for at, piece in enumerate(pieces))
