"""Find who wrote a mail that somebody forwarded."""

import re

from . import quoting
from .mime import Address, addresses_in

_FROM = re.compile(
    r"^(?:from|de|von|da|desde|remitente|mittente|absender|expéditeur)\s*:\s*(.+)$", re.IGNORECASE
)


def author_of(text: str) -> Address:
    """Return the author named in the headers of the first forwarded mail; an empty address if there is none."""
    for line in text.splitlines()[:400]:
        found = _FROM.match(quoting.plain(line).lstrip("> "))
        if found and (
            addresses := addresses_in(re.sub(r"\[([^\]]*)\]\(mailto:([^)]*)\)", r"\1 <\2>", found[1]))
        ):
            return addresses[0]
    return Address()
