"""Check the environment variables before anything reads them: a value that would fail later stops the start, with one
message that names every wrong variable and the value it wants. docs/operations.md explains the variables.

Imports no settings, so that Gunicorn's own configuration can be checked too.
"""

import ipaddress
import logging
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from email.utils import parseaddr
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.validators import validate_email

TRUE, FALSE = ("1", "true", "yes", "on", "y", "ok"), ("0", "false", "no", "off", "n")
ANYMAIL_OWN = {"base", "base_requests", "console", "test", "__init__"}  # modules there that are no provider
DEFAULT_POOL, DEFAULT_THREADS = 10, 8  # settings.DATABASES, gunicorn_conf.threads


class WrongVariables(ImproperlyConfigured):
    """The environment is wrong. The message lists every variable and shows no secret."""

    def __init__(self, complaints: list[str]) -> None:
        super().__init__("Not starting:\n" + "\n".join(f"  - {line}" for line in complaints))


@dataclass(frozen=True)
class Variable:
    """`wanted` ends the sentence «NAME must be …». The value of a secret is never shown."""

    wanted: str
    accepts: Callable[[str], object]
    secret: bool = False

    def complaint(self, name: str, value: str) -> str:
        """Return what is wrong with `value`, or "". A parser that raises ValueError refuses it."""
        try:
            if self.accepts(value):
                return ""
        except ValueError:
            pass
        shown = "" if self.secret else f", not «{value if value.isprintable() else ascii(value)[1:-1]}»"
        return f"{name} must be {self.wanted}{shown}"


def _whole(least: int, most: int = 10**9) -> Variable:
    return Variable(f"a whole number from {least} to {most}", lambda value: least <= int(value) <= most)


def _one_of(*choices: str) -> Variable:
    named = f"{', '.join(choices[:-1])} or {choices[-1]}"
    return Variable(named, lambda value: value in choices)


def _matching(pattern: str, wanted: str, *, secret: bool = False) -> Variable:
    return Variable(wanted, re.compile(pattern).fullmatch, secret)


def _every(accepts: Callable[[str], object], wanted: str, *, secret: bool = False) -> Variable:
    """A list of values, separated by commas."""
    return Variable(wanted, lambda value: all(accepts(part) for part in value.split(",") if part), secret)


def _address(value: str) -> bool:
    try:
        validate_email(value)
    except ValidationError:
        return False
    return True


def _sender(value: str) -> bool:
    return value.isprintable() and _address(parseaddr(value)[1])


def _network(value: str) -> bool:
    ipaddress.ip_network(value)
    return True


def _web_address(value: str) -> bool:
    """Whether `value` is http or https with a host, and a port that is a number. `port` raises ValueError."""
    parts = urlsplit(value)
    return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0


def _base_url(value: str) -> bool:
    parts = urlsplit(value)
    extra = parts.path.strip("/") or parts.query or parts.fragment or parts.username
    return _web_address(value) and not extra


def _database(value: str) -> bool:
    parts = urlsplit(value.replace("#", "%23"))  # as django-environ does: a password may contain one
    if parts.scheme == "sqlite":
        return value.startswith("sqlite:///") and len(value) > len("sqlite:///")
    named = parts.scheme in ("postgres", "postgresql", "psql", "pgsql") and parts.path.strip("/")
    return bool(named) and parts.port != 0


def _redis(value: str) -> bool:
    parts = urlsplit(value)
    return (
        parts.scheme in ("redis", "rediss")
        and bool(parts.hostname)
        and parts.port != 0
        and re.fullmatch(r"/?\d*", parts.path) is not None
    )


def _mail_server(value: str) -> bool:
    """Whether `value` names an SMTP server. Schemes that show or drop mail are for developers (`complaints`)."""
    parts = urlsplit(value)
    if parts.scheme in ("consolemail", "dummymail", "memorymail", "filemail"):
        return True
    return (
        parts.scheme in ("smtp", "smtp+tls", "smtp+ssl", "smtps") and bool(parts.hostname) and parts.port != 0
    )


def _mail_provider(value: str) -> bool:
    return (
        value.isidentifier()
        and value not in ANYMAIL_OWN
        and find_spec(f"anymail.backends.{value}") is not None
    )


def _host_and_port(value: str) -> bool:
    parts = urlsplit(f"//{value}")
    return bool(parts.hostname) and bool(parts.port) and not parts.path


def _scanner(value: str) -> bool:
    return value.startswith("/") or _host_and_port(value)


def _listener(value: str) -> bool:
    return value.startswith(("unix:/", "fd://")) or _host_and_port(value)


def _host_name(value: str) -> bool:
    return re.fullmatch(r"\.?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*|\[[0-9A-Fa-f:.]+\]", value) is not None


def _folder(value: str) -> bool:
    """Whether `value` is a folder that is there, or one that can be made."""
    path = Path(value).absolute()
    return "\0" not in value and next(p for p in (path, *path.parents) if p.exists()).is_dir()


def _error_reports(value: str) -> bool:
    return _web_address(value) and bool(urlsplit(value).username) and bool(urlsplit(value).path.strip("/"))


def _sums_up(value: str) -> bool:
    """Whether `value` fits on the line of a mail's header and in the title of a page."""
    return value.isprintable() and bool(value.strip()) and len(value) <= 80


_TEXT = Variable("one line of at most 80 characters", _sums_up)
_SWITCH = Variable("1 or 0", lambda value: value.lower() in TRUE + FALSE)
_LINK = Variable("an address such as https://example.com/condiciones", _web_address)
_PHONE = Variable(
    "a telephone number such as +58 212 555 01 02",
    lambda value: value.isprintable() and sum(map(str.isdigit, value)) >= 3,
)
_NETWORKS = _every(_network, "networks such as 10.0.0.0/8, separated by commas")
_FOLDER = Variable("a folder", _folder)
_LEVEL = Variable(
    "DEBUG, INFO, WARNING, ERROR or CRITICAL", lambda value: value.upper() in logging.getLevelNamesMapping()
)

VARIABLES: dict[str, Variable] = {
    "DESK_ENV": _one_of("production", "development"),
    "SECRET_KEY": _matching(r".{50,}", "a random text of 50 characters or more", secret=True),
    "SECRET_KEY_FALLBACKS": _every(
        lambda key: len(key) >= 50, "earlier values of SECRET_KEY, separated by commas", secret=True
    ),
    "DATABASE_URL": Variable("postgres://user:password@host:5432/name", _database, secret=True),
    "DATABASE_POOL_SIZE": _whole(1, 1000),
    "REDIS_URL": Variable("redis://host:6379/0", _redis, secret=True),
    "DESK_BASE_URL": Variable(
        "the address of a host that serves nothing else, such as https://ayuda.example.com, without a path",
        _base_url,
    ),
    "DESK_SUPPORT_EMAIL": Variable("an address such as soporte@example.com", _address),
    "DESK_TRUSTED_PROXIES": _NETWORKS,
    "EMAIL_URL": Variable("smtp+tls://user:password@host:587", _mail_server, secret=True),
    "DESK_MAIL_PROVIDER": Variable(
        "a backend of anymail such as postmark or amazon_ses (https://anymail.dev)", _mail_provider
    ),
    "DESK_NAME": _TEXT,
    "DESK_FOLIO_PREFIX": _matching(r"[A-Za-z][A-Za-z0-9]{0,9}", "one to ten letters and digits such as MA"),
    "DESK_FOLIO_START": _whole(0),
    "DESK_SUPPORT_PHONE": _PHONE,
    "DESK_SUPPORT_WHATSAPP": _PHONE,
    "DESK_FROM_EMAIL": Variable("an address, or a name and an address: Mesa <ayuda@example.com>", _sender),
    "DESK_TERMS_URL": _LINK,
    "DESK_REPLY_DOMAIN": _matching(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+", "a domain such as ayuda.example.com"),
    "DESK_TIME_ZONE": Variable(
        "a time zone such as America/Caracas", lambda value: value in available_timezones()
    ),
    "DESK_DEFAULT_LANGUAGE": _one_of("es", "en"),
    "DESK_MAX_UPLOAD_MB": _whole(1, 100_000),
    "DESK_MAX_REQUEST_MB": _whole(1, 100_000),
    "DESK_MAX_UNSENT_MB": _whole(1, 1_000_000),
    "DESK_MAX_IMAGE_PIXELS": _whole(1, 1_000_000_000),
    "DESK_PICTURES_AT_ONCE": _whole(1, 1000),
    "DESK_CLAMAV": Variable("host:port, or the path of a socket", _scanner),
    "DESK_ACCEL_PREFIX": _matching(r"/\S+/", "a location of nginx such as /media-interna/"),
    "S3_BUCKET": _matching(r"[A-Za-z0-9][A-Za-z0-9._-]{1,62}", "the name of a bucket"),
    "S3_ENDPOINT_URL": Variable("an address such as https://store.example.com:9000", _web_address),
    "S3_PUBLIC_ENDPOINT_URL": Variable(
        "the address of the store that browsers reach, such as https://files.example.com", _web_address
    ),
    "S3_REGION": _matching(r"[A-Za-z0-9-]+", "a region such as us-east-1"),
    "S3_ACCESS_KEY_ID": _matching(r"\S+", "a key without spaces", secret=True),
    "S3_SECRET_ACCESS_KEY": _matching(r"\S+", "a key without spaces", secret=True),
    "DESK_VAR_DIR": _FOLDER,
    "DESK_STATIC_ROOT": _FOLDER,
    "WEB_BIND": Variable("host:port or unix:/path", _listener),
    "WEB_CONCURRENCY": _whole(1, 1000),
    "WEB_THREADS": _whole(1, 1000),
    "WEB_ACCESS_LOG": _matching(r"-|/\S+", "- or the path of a file"),
    "WEB_LOG_LEVEL": _one_of("debug", "info", "warning", "error", "critical"),
    "DESK_SECOND_FACTOR_FROM": _one_of("agent", "supervisor", "administrator"),
    "ALLOWED_HOSTS": _every(_host_name, "names of hosts, separated by commas, without *"),
    "CSRF_TRUSTED_ORIGINS": _every(
        lambda value: _base_url(value.replace("*", "any")), "addresses such as https://ayuda.example.com"
    ),
    "DESK_HSTS_SECONDS": _whole(0),
    "DESK_ALLOW_HTTP": _SWITCH,
    "DESK_ALLOW_SQLITE": _SWITCH,
    "DESK_LATE_MAIL_SECONDS": _whole(1),
    "DESK_LATE_HEARTBEAT_SECONDS": _whole(1),
    "DESK_READYZ_NETWORKS": _NETWORKS,
    "DESK_READYZ_TOKEN": _matching(r"\S{20,}", "a random text of 20 characters or more", secret=True),
    "LOG_LEVEL": _LEVEL,
    "SENTRY_DSN": Variable(
        "an address such as https://key@errors.example.com/1", _error_reports, secret=True
    ),
    "DESK_DEMO": _SWITCH,
    "DEBUG": _SWITCH,
    "PORT": _whole(1, 65535),
}

REQUIRED = {
    "SECRET_KEY": "python3 -c 'import secrets; print(secrets.token_urlsafe(60))'",
    "DATABASE_URL": "postgres://user:password@host:5432/name",
    "REDIS_URL": "redis://host:6379/0",
    "DESK_BASE_URL": "https://ayuda.example.com",
    "DESK_SUPPORT_EMAIL": "customers get mail from this address",
}
"""What production needs, each with an example or a reason."""


def is_true(value: str) -> bool:
    return value.lower() in TRUE


def is_production(environment: Mapping[str, str]) -> bool:
    """Whether these variables mean production. DEBUG=0 outside the demo means it, too; so does an unknown DESK_ENV, of
    which `complaints` complains with everything else that production needs."""
    given = environment.get("DESK_ENV", "")
    if given not in ("", "development"):
        return True
    debug_is_off = environment.get("DEBUG", "") != "" and not is_true(environment["DEBUG"])
    return debug_is_off and not is_true(environment.get("DESK_DEMO", ""))


def complaints(environment: Mapping[str, str]) -> list[str]:
    """Return a sentence for every variable that is wrong, alone or beside another, or missing. An empty variable counts
    as missing."""
    given = {name: value for name, value in environment.items() if value}
    wrong: dict[str, str] = {}
    for name, variable in VARIABLES.items():
        if name in given and (line := variable.complaint(name, given[name])):
            wrong[name] = line
    found = [*_missing_or_forbidden(given), *_misspelt(given)] if is_production(given) else []
    for name, line in [*found, *_beside_another(given, wrong)]:
        wrong.setdefault(name, line)
    return list(wrong.values())


def _missing_or_forbidden(given: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return what production needs and has not, and what it must not have."""
    base, database = given.get("DESK_BASE_URL", ""), given.get("DATABASE_URL", "")
    mail, key = given.get("EMAIL_URL", ""), given.get("SECRET_KEY", "")
    is_https = base.startswith("https://")
    cases = {
        "DEBUG": (is_true(given.get("DEBUG", "")), "must be off in production"),
        "DESK_DEMO": (
            is_true(given.get("DESK_DEMO", "")),
            "must be off in production: it publishes every mail",
        ),
        **{name: (name not in given, f"is missing ({example})") for name, example in REQUIRED.items()},
    }
    lines = [(name, f"{name} {words}") for name, (holds, words) in cases.items() if holds]
    if key and (len(set(key)) < 5 or "change" in key.lower()):
        lines.append(("SECRET_KEY", "SECRET_KEY must be a random text of 50 characters or more"))
    if database.startswith("sqlite") and not is_true(given.get("DESK_ALLOW_SQLITE", "")):
        sentence = "DATABASE_URL names SQLite; if one machine is really enough, set DESK_ALLOW_SQLITE=1"
        lines.append(("DATABASE_URL", sentence))
    if base and not is_https and not is_true(given.get("DESK_ALLOW_HTTP", "")):
        sentence = "DESK_BASE_URL must begin with https://; for a closed network, set DESK_ALLOW_HTTP=1"
        lines.append(("DESK_BASE_URL", sentence))
    if is_https and "DESK_TRUSTED_PROXIES" not in given:
        sentence = "is missing: the network of the server in front that speaks TLS (10.0.0.0/8)"
        lines.append(("DESK_TRUSTED_PROXIES", f"DESK_TRUSTED_PROXIES {sentence}"))
    if is_https and given.get("S3_PUBLIC_ENDPOINT_URL", "").startswith("http://"):
        sentence = (
            "must begin with https://, as DESK_BASE_URL does: browsers open nothing else from its pages"
        )
        lines.append(("S3_PUBLIC_ENDPOINT_URL", f"S3_PUBLIC_ENDPOINT_URL {sentence}"))
    if mail and not mail.startswith("smtp"):
        lines.append(
            ("EMAIL_URL", "EMAIL_URL must be smtp+tls://user:password@host:587: other kinds send nothing")
        )
    if not mail and "DESK_MAIL_PROVIDER" not in given:
        sentence = "EMAIL_URL (smtp+tls://user:password@host:587) or DESK_MAIL_PROVIDER is missing"
        lines.append(("EMAIL_URL", sentence))
    return lines


def _beside_another(given: Mapping[str, str], wrong: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return which variables do not fit the others. Those that are wrong by themselves are compared with nothing."""

    def number(name: str, default: int) -> int:
        return int(given.get(name, default)) if name not in wrong else default

    lines = []
    pool, threads = number("DATABASE_POOL_SIZE", DEFAULT_POOL), number("WEB_THREADS", DEFAULT_THREADS)
    if pool < threads and "sqlite" not in given.get("DATABASE_URL", "sqlite"):
        sentence = (
            f"must be at least WEB_THREADS ({threads}): each thread of a web process needs a connection"
        )
        lines.append(("DATABASE_POOL_SIZE", f"DATABASE_POOL_SIZE {sentence}"))
    if number("DESK_MAX_UPLOAD_MB", 25) > number("DESK_MAX_REQUEST_MB", 120):
        sentence = "must be at least DESK_MAX_UPLOAD_MB: a form holds the file"
        lines.append(("DESK_MAX_REQUEST_MB", f"DESK_MAX_REQUEST_MB {sentence}"))
    if "S3_BUCKET" in given:
        keys = ("S3_ACCESS_KEY_ID", "S3_SECRET_ACCESS_KEY")
        absent = [name for name in keys if name not in given]
        # On Amazon's own machines the role of the machine may replace both keys.
        if absent and ("S3_ENDPOINT_URL" in given or len(absent) == 1):
            lines += [(name, f"{name} is missing: S3_BUCKET is set") for name in absent]
    elif alone := next((name for name in given if name.startswith("S3_") and name in VARIABLES), None):
        lines.append(("S3_BUCKET", f"S3_BUCKET is missing: {alone} is set"))
    return lines


def _misspelt(given: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the variables that nothing reads and whose name is nearly that of one. Others are not ours: Kubernetes
    names its services DESK_SERVICE_HOST and the like."""
    unknown = sorted(name for name in given.keys() - VARIABLES.keys() if name.startswith("DESK_"))
    near = {name: get_close_matches(name, VARIABLES, 1, 0.85) for name in unknown}
    return [
        (name, f"{name} is read by nothing: is {meant[0]} meant?") for name, meant in near.items() if meant
    ]


def refuse_wrong(environment: Mapping[str, str] = os.environ) -> None:
    """Raise `WrongVariables` if any variable is wrong or missing."""
    if found := complaints(environment):
        raise WrongVariables(found)


def refuse_unnamed_size(environment: Mapping[str, str] = os.environ) -> None:
    """Raise `WrongVariables` if nothing says whether this is production or a developer's machine. For processes that
    serve or work: a server whose DESK_ENV was forgotten must not run with the defaults of a laptop."""
    named = environment.get("DESK_ENV") or is_true(environment.get("DESK_DEMO", ""))
    if not named and not is_production(environment):
        sentence = "DESK_ENV is missing: production, or development on a developer's machine"
        raise WrongVariables([sentence, *complaints({**environment, "DESK_ENV": "production"})])
