"""Read what our own mail server found out about the sender: SPF, DKIM and DMARC (RFC 8601).

Anybody can write such headers, so only those of the server that `DESK_MAIL_AUTH_SERVER` names count. Without it nothing
is known, and nobody is taken for forged or proven.
"""

import re
from dataclasses import dataclass

from .mime import ReadMail

_RESULT = re.compile(r"\b(spf|dkim|dmarc)\s*=\s*([a-z]+)", re.IGNORECASE)
_FAILED = frozenset({"fail", "softfail", "permerror", "none"})
_RECEIVED_FROM = re.compile(
    r"^from\s+(\S{1,200})(?:\s+\((?:[^()]{0,200}\[)?([0-9a-f.:]{3,45})\]?\))?", re.IGNORECASE
)


@dataclass(frozen=True)
class Checks:
    """The result of each check, in lower case; empty if it is unknown."""

    spf: str = ""
    dkim: str = ""
    dmarc: str = ""

    @property
    def is_forged(self) -> bool:
        """Whether the domain in From says that the mail is not its own."""
        return self.dmarc == "fail" or (
            not self.dmarc and self.spf == "fail" and self.dkim in ("fail", "none")
        )

    @property
    def is_proven(self) -> bool:
        """Whether the domain in From says that the mail is its own."""
        return self.dmarc == "pass"

    def as_dict(self) -> dict[str, str]:
        return {name: value for name, value in vars(self).items() if value}


def checks_of(mail: ReadMail, *, trusted: str) -> Checks:
    """Return what the `trusted` server found out. Its header is the topmost of that name."""
    for value in mail.all("authentication-results"):
        server = value.partition(";")[0].strip().partition(" ")[0].lower()
        if trusted and server == trusted.lower():
            found: dict[str, str] = {}
            for name, result in _RESULT.findall(value):
                found.setdefault(name.lower(), result.lower())
            return Checks(**found)
    return Checks()


def server_of(mail: ReadMail) -> str:
    """Return the name and address of the server that handed the mail over, as our server noted it."""
    for value in mail.all("received")[:1]:
        if found := _RECEIVED_FROM.match(value):
            return " ".join(filter(None, (found[1], f"({found[2]})" if found[2] else "")))
    return ""
