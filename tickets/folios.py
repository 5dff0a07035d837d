"""Folios as people type and paste them: «#ma-10119», «ticket MA 10119», «10119», the address of a page.

Nothing here says whether a ticket exists: callers look the folios up among the tickets that the person may see.
"""

import re
import unicodedata
from urllib.parse import unquote

from django.conf import settings
from django.db import connection

from content.text import normalize

from .models import FolioCounter

LONGEST = 300
"""Characters of a text in which folios are looked for: an address and some words."""

_DASHES = (
    "\u2212\u2043\u30fc_"  # characters that stand for a dash and are not in the Unicode category of dashes
)
_NUMBER = r"(?P<number>[0-9]{1,15})"
_WITH_PREFIX = re.compile(rf"(?<![A-Z0-9-])(?P<prefix>[A-Z][A-Z0-9]{{0,19}}) ?- ?{_NUMBER}(?![A-Z0-9-])")
_BARE = re.compile(rf"(?<![A-Z0-9-]){_NUMBER}(?![A-Z0-9-])")
_NAMING = {  # words that say of a bare number that it is a ticket's
    *("TICKET", "TICKETS", "FOLIO", "FOLIOS", "CASO", "CASOS", "CASE", "SOLICITUD", "REPORTE"),
    *("N", "O", "NO", "NRO", "NUM", "NUMERO", "NUMBER", "EL", "LA", "MI"),
}


def named_in(text: str) -> list[str]:
    """Return the folios that `text` names, in the form in which they are stored and in the order of the text.

    A number without a prefix names the tickets of every prefix that the desk has used, but only if nothing else is
    written beside it. Reads the prefixes with one query if there is a number in the text.
    """
    plain = _plain(text)
    if not any(character.isdigit() for character in plain):
        return []
    prefixes = _prefixes()
    known = "|".join(map(re.escape, sorted(prefixes, key=len, reverse=True)))
    plain = re.sub(rf"(?<![A-Z0-9-])({known})[ #:]*(?=[0-9])", r"\1-", plain)
    found = [
        f"{prefixes.get(match['prefix'], match['prefix'])}-{int(match['number'])}"
        for match in _WITH_PREFIX.finditer(plain)
    ]
    if not found and set(re.findall(r"[^\W0-9_]+", _BARE.sub(" ", plain))) <= _NAMING:
        found = [
            f"{prefix}-{int(match['number'])}"
            for match in _BARE.finditer(plain)
            for prefix in prefixes.values()
        ]
    return list(dict.fromkeys(found))


def next_folio() -> str:
    """Count one further and return the new folio. Locks the counter until the transaction ends, so that folios have no
    gaps: call it last."""
    name = settings.DESK_FOLIO_PREFIX
    counter = connection.ops.quote_name(FolioCounter._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {counter} (name, last) VALUES (%s, %s)"  # noqa: S608  (the model's own table)
            f" ON CONFLICT (name) DO UPDATE SET last = {counter}.last + 1 RETURNING last",
            [name, settings.DESK_FOLIO_START + 1],
        )
        (number,) = cursor.fetchone()
    return f"{name}-{number}"


def canonical(text: str) -> str:
    """Return the folio that `text` stands for, as `text` itself if it stands for none or for several. No query."""
    own = settings.DESK_FOLIO_PREFIX
    whole = re.fullmatch(
        rf"#?(?:(?:{re.escape(own.upper())})?[ #]*-?[ #]*|(?P<prefix>[A-Z][A-Z0-9]*) ?- ?){_NUMBER}",
        _plain(text),
    )
    return f"{whole['prefix'] or own}-{int(whole['number'])}" if whole else text


def _prefixes() -> dict[str, str]:
    """Return the prefixes that the desk has used, by their capital letters; its present one first."""
    names = [
        settings.DESK_FOLIO_PREFIX,
        *FolioCounter.objects.order_by("name").values_list("name", flat=True),
    ]
    return {name.upper(): name for name in dict.fromkeys(names)}


def _plain(text: str) -> str:
    """Return the beginning of `text` in ASCII capitals, digits, spaces and one kind of dash, as far as it has them."""
    text = unquote(text[: LONGEST * 2])[:LONGEST]
    return " ".join("".join(map(_plain_character, text)).upper().split())


def _plain_character(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Cf":  # soft hyphens and invisible marks
        return ""
    if category == "Pd" or character in _DASHES:
        return "-"
    if category == "Nd":
        return str(unicodedata.decimal(character))
    if category[0] in "ZC":
        return " "
    return "".join(c for c in normalize("NFKD", character) if not unicodedata.combining(c))
