"""The mailboxes that `DESK_MAILBOXES` names."""

from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from django.conf import settings


@dataclass(frozen=True)
class Account:
    """A mailbox of the environment: `imaps://user:password@host:993/INBOX?address=soporte@example.com`. `address` is
    that of the desk whose mails it holds."""

    scheme: str
    host: str
    port: int
    user: str
    password: str
    folder: str
    address: str

    @classmethod
    def of(cls, url: str) -> "Account":
        """Return the account that a URL names. Raises `ValueError`."""
        parts = urlsplit(url)
        if parts.scheme not in ("imap", "imaps", "imap+tls") or not parts.hostname or not parts.username:
            raise ValueError(url)
        user = unquote(parts.username)
        wanted = dict(pair.partition("=")[::2] for pair in parts.query.split("&") if pair)
        address = unquote(wanted.get("address", "")) or (user if "@" in user else settings.DESK_SUPPORT_EMAIL)
        port = parts.port or (993 if parts.scheme == "imaps" else 143)
        folder = unquote(parts.path.strip("/")) or "INBOX"
        return cls(parts.scheme, parts.hostname, port, user, unquote(parts.password or ""), folder, address)

    @property
    def name(self) -> str:
        return f"{self.user}@{self.host}:{self.port}/{self.folder}"[:300]


def accounts() -> list[Account]:
    """Return the mailboxes of the environment."""
    return [Account.of(url) for url in settings.DESK_MAILBOXES]


def mailbox_names() -> list[str]:
    """Return the names under which `MailboxMark` keeps how far they have been read."""
    return [account.name for account in accounts()]
