"""Find who wrote a mail that somebody forwarded, and tell its words from those of the person who forwarded it."""

import re

from . import quoting
from .mime import Address, addresses_in

MOST_LINES, MOST_HEADERS, LEAST_HEADERS = 400, 12, 3
_FROM = re.compile(
    r"^(?:from|de|von|da|desde|remitente|mittente|absender|expéditeur)\s*:\s*(.+)$", re.IGNORECASE
)


def author_of(text: str) -> Address:
    """Return the author named in the headers of the first forwarded mail; an empty address if there is none."""
    for line in text.splitlines()[:MOST_LINES]:
        found = _FROM.match(_bare(line))
        if found and (
            addresses := addresses_in(re.sub(r"\[([^\]]*)\]\(mailto:([^)]*)\)", r"\1 <\2>", found[1]))
        ):
            return addresses[0]
    return Address()


def split(text: str) -> tuple[str, str]:
    """Return what somebody wrote above the mail that they forward, and that mail without its headers.

    Where no headers are found for certain (three of them, or a line that says «forwarded» above), all is the mail: the
    customer's words must not get lost among those of staff.
    """
    lines = text.splitlines()
    author = next((n for n, line in enumerate(lines[:MOST_LINES]) if _FROM.match(_bare(line))), None)
    if author is None:
        return "", text
    first = author
    while first and quoting.is_header(lines[first - 1]):
        first -= 1
    above = first - 1
    while above >= 0 and not lines[above].strip():
        above -= 1
    is_marked = above >= 0 and quoting.marks_forward(lines[above])
    headers, end = _headers_from(lines, first)
    forwarded = "\n".join(lines[end:]).strip()
    if not forwarded or not (is_marked or headers >= LEAST_HEADERS):
        return "", text
    return "\n".join(lines[: above if is_marked else first]).strip(), forwarded


def _headers_from(lines: list[str], first: int) -> tuple[int, int]:
    """Return how many headers begin at this line, and the line after them. HTML may leave lines empty in between."""
    count, end, place = 0, first, first
    while place < len(lines) and count < MOST_HEADERS:
        if quoting.is_header(lines[place]):
            count, end = count + 1, place + 1
        elif lines[place].strip():
            break
        place += 1
    return count, end


def _bare(line: str) -> str:
    return quoting.plain(line).lstrip("> ")
